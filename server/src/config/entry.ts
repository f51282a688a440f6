// One value that a source gives to one key.
import type { Finding } from "./config.ts";
import { formats } from "./formats.ts";
import type { Setting } from "./schema.ts";

/** Who gave a key its value, and how findings name the place. */
export interface Origin {
  readonly kind: "default" | "file" | "environment" | "flags";
  /** `conf.yaml`, `environment`, `flags`, `defaults`. */
  readonly source: string;
  /** The key or the variable's name. */
  readonly name: string;
  readonly line?: number;
}

/** A value before it is merged; `checkEntry` says whether it is sound. */
export interface Entry {
  readonly setting: Setting;
  readonly value: unknown;
  readonly origin: Origin;
}

/** The port alone of `host`. */
export interface PortEntry {
  readonly value: number;
  readonly origin: Origin;
}

/** `conf.yaml:3`, `XLVEIN_HOST`, `--host`, `default`. */
export function formatOrigin({ kind, source, name, line }: Origin): string {
  if (kind === "file") return line === undefined ? source : `${source}:${line}`;
  if (kind === "flags") return `--${name}`;
  return kind === "environment" ? name : "default";
}

/** A finding about a value, at its place. */
export function findingAt({ source, name, line }: Origin, severity: Finding["severity"], message: string): Finding {
  return { severity, key: name, message, source, ...(line === undefined ? {} : { line }) };
}

/** What is wrong with an entry by itself, if anything. */
export function checkEntry({ setting, value, origin }: Entry): Finding | undefined {
  try {
    formats[setting.format].check(value, setting);
    return undefined;
  } catch (error) {
    return findingAt(origin, "error", (error as Error).message);
  }
}
