// Reads what the command line says.
import { resolve } from "node:path";
import type { Finding } from "./config.ts";
import { type Entry, findingAt, type Origin, type PortEntry } from "./entry.ts";
import { formats } from "./formats.ts";
import { findSetting, settings } from "./schema.ts";
import { suggestKey } from "./suggest.ts";

/** By dotted key (`limits.frame_bytes`), and `port` for the port alone of `host`. Texts are read as in the environment; `undefined` is unset. */
export type Flags = Readonly<Record<string, unknown>>;

/** What the command line says. */
export interface FlagEntries {
  readonly entries: readonly Entry[];
  readonly port: PortEntry | undefined;
  readonly findings: readonly Finding[];
}

/** `cwd` is where relative paths begin. */
export function readFlags(flags: Flags, cwd: string): FlagEntries {
  const findings: Finding[] = [];
  const entries: Entry[] = [];
  let port: FlagEntries["port"];
  for (const [key, value] of Object.entries(flags)) {
    if (value === undefined) continue;
    const origin: Origin = { kind: "flags", source: "flags", name: key };
    const setting = findSetting(key);
    if (setting) entries.push({ setting, value: readValue(setting.format, value, cwd), origin });
    else if (key === "port") port = readPort(value, origin, findings);
    else findings.push(unknownFlag(origin));
  }
  return { entries, port, findings };
}

function readValue(format: Entry["setting"]["format"], value: unknown, cwd: string): unknown {
  if (typeof value !== "string") return value;
  return format === "path" && value !== "" ? resolve(cwd, value) : formats[format].fromText(value);
}

function readPort(value: unknown, origin: Origin, findings: Finding[]): FlagEntries["port"] {
  const port = typeof value === "string" && /^\d{1,5}$/.test(value) ? Number(value) : value;
  if (typeof port === "number" && Number.isInteger(port) && port >= 0 && port <= 65535) return { value: port, origin };
  findings.push(findingAt(origin, "error", "must be a port from 0 to 65535"));
  return undefined;
}

function unknownFlag(origin: Origin): Finding {
  const suggestion = suggestKey(
    origin.name,
    settings.map(({ key }) => key),
  );
  const finding = findingAt(origin, "error", "unknown key");
  return suggestion === undefined ? finding : { ...finding, suggestion };
}
