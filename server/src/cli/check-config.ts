// `xlvein check-config`: everything that is wrong with a configuration and its applications, without starting anything.
import { relative } from "node:path";
import type { Command } from "commander";
import { findPlaces } from "../apps/places.ts";
import type { AppSet } from "../apps/registry.ts";
import { createReloader } from "../apps/reload.ts";
import { refuseSampleSecret, warnSampleSecret } from "../apps/sample.ts";
import { ConfigError, type Finding, formatFinding } from "../config/config.ts";
import { inOrder, inspectConfig, type LoadedConfig } from "../config/load.ts";
import { readKeyPair } from "../http/tls.ts";
import { createLog } from "../log.ts";
import { CliError, type Io } from "./io.ts";
import { addConfigOption, type ConfigOption } from "./settings.ts";

interface CheckOptions extends ConfigOption {
  strict?: true;
  json?: true;
}

/** As `--json` prints it. */
export interface CheckResult {
  readonly ok: boolean;
  readonly strict: boolean;
  /** `null` when no file was read. */
  readonly file: string | null;
  /** How many are configured; `null` when they cannot be used. */
  readonly applications: number | null;
  readonly revision: string | null;
  readonly errors: number;
  readonly warnings: number;
  readonly findings: readonly Finding[];
}

/** Adds the command; it ends with exit code 1 when the configuration cannot be used. */
export function addCheckConfig(program: Command, io: Io): void {
  addConfigOption(program.command("check-config").description("tell everything that is wrong with a configuration, by file and line"))
    .option("--strict", "refuse what only warns at start: unknown keys and variables, short, shared and published secrets")
    .option("--json", "print {ok, strict, file, applications, revision, errors, warnings, findings}")
    .addHelpText("after", "\nExits with 1 when the configuration cannot be used.\n\nExample:\n  $ xlvein check-config --config conf.yaml --strict")
    .action(async ({ config, strict, json }: CheckOptions) => {
      const result = await checkConfig({ file: config, strict: strict === true }, io);
      io.out(json ? JSON.stringify(result, null, 2) : [...result.findings.map(formatLine), formatSummary(result, io.cwd)].join("\n"));
      if (!result.ok) throw new CliError("");
    });
}

/** Checks the configuration as `xlvein start` would find it, its applications and its certificate. Never rejects for what it finds. */
export async function checkConfig(
  { file, strict }: { file?: string | undefined; strict: boolean },
  { env, cwd }: Pick<Io, "env" | "cwd">,
): Promise<CheckResult> {
  let loaded: LoadedConfig;
  try {
    loaded = inspectConfig({ file, env, cwd });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return toResult({ strict, file: null, set: undefined, findings: error.findings });
  }
  const { set, findings } = await checkApplications(loaded, cwd);
  const sample = set ? (strict ? refuseSampleSecret(set) : warnSampleSecret(set, loaded.config.listen)) : [];
  const found = inOrder([...loaded.findings, ...unseen(findings, loaded.findings), ...checkTls(loaded), ...sample]);
  return toResult({ strict, file: loaded.file ?? null, set, findings: strict ? found.map(escalate) : found });
}

async function checkApplications({ config, file }: LoadedConfig, cwd: string): Promise<{ set: AppSet | undefined; findings: readonly Finding[] }> {
  const findings: Finding[] = [];
  const reloader = createReloader({
    places: findPlaces({ config, configFile: file, cwd, log: createLog({ level: "silent" }) }),
    now: Date.now,
    onTaken: ({ warnings }) => void findings.push(...warnings),
    onRefused: (faults) => void findings.push(...faults),
  });
  try {
    await reloader.look(true);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    findings.push(...error.findings);
  }
  return { set: reloader.set, findings };
}

/** The configuration file is read for the applications too: what its own check has said of a place is not said twice. */
function unseen(findings: readonly Finding[], before: readonly Finding[]): Finding[] {
  const place = ({ source, line, key }: Finding) => JSON.stringify([source, line, key]);
  const seen = new Set(before.map(place));
  return findings.filter((finding) => !seen.has(place(finding)));
}

function checkTls({ config: { tls }, findings, origin }: LoadedConfig): Finding[] {
  if (!tls || findings.some(({ severity, key }) => severity === "error" && key.startsWith("tls."))) return [];
  try {
    readKeyPair(tls);
    return [];
  } catch (error) {
    const { source = "defaults", line } = origin.get("tls.cert") ?? {};
    return [{ severity: "error", key: "tls", message: (error as Error).message, source, ...(line === undefined ? {} : { line }) }];
  }
}

function escalate(finding: Finding): Finding {
  return finding.strict ? { ...finding, severity: "error" } : finding;
}

function toResult({
  strict,
  file,
  set,
  findings,
}: {
  strict: boolean;
  file: string | null;
  set: AppSet | undefined;
  findings: readonly Finding[];
}): CheckResult {
  const errors = findings.filter(({ severity }) => severity === "error").length;
  return {
    ok: errors === 0,
    strict,
    file,
    applications: set?.apps.size ?? null,
    revision: set?.revision ?? null,
    errors,
    warnings: findings.length - errors,
    findings,
  };
}

function formatLine(finding: Finding): string {
  return `${formatFinding(finding)}${finding.severity === "warning" ? " (warning)" : ""}`;
}

function formatSummary({ ok, strict, file, applications, errors, warnings, findings }: CheckResult, cwd: string): string {
  const name = file === null ? "configuration without a file" : relative(cwd, file).startsWith("..") ? file : relative(cwd, file);
  const refused = strict ? 0 : findings.filter((finding) => finding.strict).length;
  const parts = [
    ok ? "can be used" : "cannot be used",
    ...(applications === null ? [] : [count(applications, "application")]),
    count(errors, "error"),
    count(warnings, "warning") + (refused > 0 ? ` (--strict refuses ${refused})` : ""),
  ];
  return `${name}: ${parts.join(", ")}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
