// Reads the environment: XLVEIN_<KEY_PATH>, the names that platforms use (PORT, REDIS_URL, RABBITMQ_URL), and secrets from files (*_FILE).
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Finding } from "./config.ts";
import { type Entry, findingAt, type Origin, type PortEntry } from "./entry.ts";
import { formats } from "./formats.ts";
import { type Setting, settings } from "./schema.ts";
import { suggest } from "./suggest.ts";

/** As `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = "XLVEIN_";

/** Variables of the command line, which are no keys. */
const OTHER_VARIABLES = ["XLVEIN_CONFIG", "XLVEIN_URL", "XLVEIN_APP_KEY", "XLVEIN_APP_SECRET"];

/** Names that platforms give to some keys. XLVEIN_ names stand above them. */
const ALIASES: Readonly<Record<string, string>> = { "exchange.redis": "REDIS_URL", "exchange.rabbitmq": "RABBITMQ_URL" };

/** What Kubernetes puts into pods about a Service called xlvein or xlvein-…: XLVEIN_PORT=tcp://…, XLVEIN_SERVICE_HOST. */
const SERVICE_LINK = /_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/;

/** What the environment says. */
export interface EnvironmentEntries {
  readonly entries: readonly Entry[];
  /** The variable PORT: the port alone of `host`. */
  readonly port: PortEntry | undefined;
  readonly findings: readonly Finding[];
}

/** Reads every variable that has a text; an empty one counts as unset. `cwd` is where relative paths begin. */
export function readEnvironment(env: Environment, cwd: string): EnvironmentEntries {
  const findings: Finding[] = [];
  const entries: Entry[] = [];
  for (const setting of settings) {
    for (const variable of variablesOf(setting)) {
      const text = isServiceLink(env, variable) ? undefined : readText(env, variable, setting, cwd, findings);
      if (text !== undefined) entries.push(entryOf(setting, variable, text, cwd));
    }
  }
  return { entries, port: readPort(env, findings), findings: [...findings, ...unknownVariables(env)] };
}

/** Weakest first. */
function variablesOf({ key, variable }: Setting): string[] {
  const alias = ALIASES[key];
  return alias === undefined ? [variable] : [alias, variable];
}

function entryOf(setting: Setting, variable: string, text: string, cwd: string): Entry {
  const value = setting.format === "path" ? resolve(cwd, text) : formats[setting.format].fromText(text);
  return { setting, value, origin: originOf(variable) };
}

function originOf(name: string): Origin {
  return { kind: "environment", source: "environment", name };
}

function readText(env: Environment, variable: string, { format }: Setting, cwd: string, findings: Finding[]): string | undefined {
  const text = env[variable] || undefined;
  const file = format === "addresses" ? env[`${variable}_FILE`] || undefined : undefined;
  if (file === undefined) return text;
  const origin = originOf(`${variable}_FILE`);
  if (text !== undefined) findings.push(findingAt(origin, "error", `${variable} is set too; unset one of them`));
  try {
    return readFileSync(resolve(cwd, file), "utf8").trim();
  } catch (error) {
    findings.push(findingAt(origin, "error", `${file} cannot be read (${(error as NodeJS.ErrnoException).code})`));
    return undefined;
  }
}

function readPort(env: Environment, findings: Finding[]): EnvironmentEntries["port"] {
  const text = env.PORT || undefined;
  if (text === undefined) return undefined;
  const origin = originOf("PORT");
  const value = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  if (value >= 0 && value <= 65535) return { value, origin };
  findings.push(findingAt(origin, "error", "must be a port from 0 to 65535"));
  return undefined;
}

function unknownVariables(env: Environment): Finding[] {
  const known = [
    ...OTHER_VARIABLES,
    ...settings.flatMap((setting) => [setting.variable, ...(setting.format === "addresses" ? [`${setting.variable}_FILE`] : [])]),
  ];
  const unknown = Object.keys(env).filter((name) => name.startsWith(PREFIX) && !known.includes(name) && !isServiceLink(env, name));
  return unknown.sort().map((name) => {
    const near = suggest(
      name.slice(PREFIX.length),
      known.map((each) => each.slice(PREFIX.length)),
    );
    const finding: Finding = { ...findingAt(originOf(name), "warning", "unknown variable, ignored"), strict: true };
    return near === undefined ? finding : { ...finding, suggestion: PREFIX + near };
  });
}

function isServiceLink(env: Environment, name: string): boolean {
  if (!env.KUBERNETES_SERVICE_HOST || !SERVICE_LINK.test(name)) return false;
  // XLVEIN_INTERNAL_PORT is a key of ours, and a link where the Service is called xlvein-internal.
  return name !== "XLVEIN_INTERNAL_PORT" || /^(tcp|udp|sctp):/.test(env[name] ?? "");
}
