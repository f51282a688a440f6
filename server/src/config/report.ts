// Collects findings about one document, each with its place.
import type { Finding } from "./config.ts";
import { formatPath, type Path } from "./path.ts";

/** What a finding may say beside its message. */
export interface FindingExtras {
  /** What might have been meant. */
  readonly suggestion?: string | undefined;
  /** For warnings: `check-config --strict` refuses it. */
  readonly strict?: boolean;
}

/** Findings of one document, in the order they were made. */
export interface Report {
  readonly findings: readonly Finding[];
  error(path: Path, message: string, extras?: FindingExtras): void;
  warn(path: Path, message: string, extras?: FindingExtras): void;
}

/** `line` finds the line of a path, where the source has lines. */
export function createReport(source: string, line: (path: Path) => number | undefined = () => undefined): Report {
  const findings: Finding[] = [];
  const add = (severity: Finding["severity"], path: Path, message: string, { suggestion, strict }: FindingExtras = {}) => {
    const at = line(path);
    findings.push({
      severity,
      key: formatPath(path),
      message,
      source,
      ...(at === undefined ? {} : { line: at }),
      ...(suggestion === undefined ? {} : { suggestion }),
      ...(strict === true ? { strict } : {}),
    });
  };
  return {
    findings,
    error: (path, message, extras) => add("error", path, message, extras),
    warn: (path, message, extras) => add("warning", path, message, extras),
  };
}
