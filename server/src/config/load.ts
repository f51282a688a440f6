// Loads the configuration: flags over environment over file over defaults, every fault found before any is thrown.
import convict from "convict";
import { buildConfig } from "./build.ts";
import { type Config, ConfigError, type Finding } from "./config.ts";
import { crossCheck } from "./cross-check.ts";
import { checkEntry, type Entry, type Origin, type PortEntry } from "./entry.ts";
import { type Environment, readEnvironment } from "./environment.ts";
import { displayName, fileEntries, findConfigFile, readConfigFile } from "./file.ts";
import { type Flags, readFlags } from "./flags.ts";
import { formatListen, type ListenParts, parseListen } from "./listen.ts";
import { type ConfigValues, schema, settings } from "./schema.ts";

/** The sources; the process's own are handed in. */
export interface LoadOptions {
  /** The file to read; it must exist. Without it `XLVEIN_CONFIG`, then `conf.yaml`, then `conf.yml` of `cwd`, then no file. */
  file?: string | undefined;
  env: Environment;
  /** By dotted key; above everything else. */
  flags?: Flags;
  /** The working directory. */
  cwd: string;
}

/** A configuration, and where all of it comes from. */
export interface LoadedConfig {
  readonly config: Config;
  /** Warnings; with `inspectConfig` errors too. The file's in the order of its lines. */
  readonly findings: readonly Finding[];
  /** Absolute; `undefined` when no file was read. */
  readonly file: string | undefined;
  /** Effective values in the file's spelling, by dotted key. With secrets: mask before printing. */
  readonly values: ReadonlyMap<string, unknown>;
  /** Who gave each key its value. */
  readonly origin: ReadonlyMap<string, Origin>;
}

/** Loads and checks. Throws a ConfigError that holds every fault and every warning. */
export function loadConfig(options: LoadOptions): LoadedConfig {
  const loaded = inspectConfig(options);
  if (loaded.findings.some(({ severity }) => severity === "error")) throw new ConfigError(loaded.findings);
  return loaded;
}

/** The same for whoever wants to see more than the faults: a value at fault counts as unset. Throws only when the file cannot be read. */
export function inspectConfig(options: LoadOptions): LoadedConfig {
  const { file, entries, port, findings } = gather(options);
  const origin = new Map<string, Origin>(settings.map(({ key }) => [key, defaultOrigin(key)]));
  for (const { setting, origin: from } of entries) origin.set(setting.key, from);
  const originOf = (key: string): Origin => origin.get(key) ?? defaultOrigin(key);
  const listen = mergeListen(entries, port);
  if (listen.origin) origin.set("host", listen.origin);
  const values = mergeValues(entries, formatListen(listen));
  const applications = entries.findLast(({ setting }) => setting.key === "applications")?.value ?? [];
  const config = buildConfig(
    values,
    { applications, applicationsFrom: originOf("applications").kind },
    { isSet: (key) => originOf(key).kind !== "default", inPod: Boolean(options.env.KUBERNETES_SERVICE_HOST), defaultPort: DEFAULT_PORT },
  );
  return { config, findings: inOrder([...findings, ...crossCheck(config, originOf)]), file, values: flatten(config, values, applications), origin };
}

interface Gathered {
  readonly file: string | undefined;
  /** Sound ones, the weakest source first. */
  readonly entries: readonly Entry[];
  /** The port alone, as PORT and `--port` give it. */
  readonly port: { readonly environment: PortEntry | undefined; readonly flags: PortEntry | undefined };
  readonly findings: readonly Finding[];
}

/** Reads every source, and leaves out what is wrong by itself. */
function gather({ file: named, env, flags = {}, cwd }: LoadOptions): Gathered {
  const { file, findings } = findConfigFile(named ?? (env.XLVEIN_CONFIG || undefined), cwd);
  const fromFile = file === undefined ? { entries: [], findings: [] } : fileEntries(readConfigFile(file, displayName(file, cwd)), file);
  const fromEnv = readEnvironment(env, cwd);
  const fromFlags = readFlags(flags, cwd);
  const given = [...fromFile.entries, ...fromEnv.entries, ...fromFlags.entries];
  const faults = given.map(checkEntry);
  return {
    file,
    entries: given.filter((_, i) => faults[i] === undefined),
    port: { environment: fromEnv.port, flags: fromFlags.port },
    findings: [...findings, ...fromFile.findings, ...fromEnv.findings, ...fromFlags.findings, ...faults.filter((fault) => fault !== undefined)],
  };
}

function defaultOrigin(key: string): Origin {
  return { kind: "default", source: "defaults", name: key };
}

const DEFAULT_PORT = parseListen(schema.host.default).port ?? 0;

/** convict holds the defaults, merges, and has the last word on every type. */
function mergeValues(entries: readonly Entry[], host: string): ConfigValues {
  // Without its own reading of the environment and of process.argv: they name no variable and coerce "10x" to 10.
  const merged = convict(schema as convict.Schema<object>, { env: {}, args: [] });
  for (const { setting, value } of entries) {
    // Applications stay out: convict takes a map apart at its dots.
    if (setting.key !== "applications") merged.set(setting.key, value);
  }
  merged.set("host", host);
  merged.validate({ allowed: "strict" });
  return merged.getProperties() as ConfigValues;
}

/** The address is put together: a platform's PORT changes the port of a file's `host`, and XLVEIN_HOST with a port stands above PORT. */
function mergeListen(entries: readonly Entry[], port: Gathered["port"]): Required<ListenParts> & { origin: Origin | undefined } {
  const hosts = (kind: Origin["kind"]) =>
    entries.filter(({ setting, origin }) => setting.key === "host" && origin.kind === kind).map(({ value, origin }) => ({ parts: parseListen(value), origin }));
  const ports = (entry: PortEntry | undefined) => (entry ? [{ parts: { port: entry.value }, origin: entry.origin }] : []);
  const steps = [...hosts("file"), ...ports(port.environment), ...hosts("environment"), ...hosts("flags"), ...ports(port.flags)];
  const parts = Object.assign({ host: "0.0.0.0", port: DEFAULT_PORT }, ...steps.map((step) => step.parts)) as Required<ListenParts>;
  return { ...parts, origin: steps.at(-1)?.origin };
}

/** What is in force: values that follow from others (the store's type, the log's level) as they came out. */
function flatten(config: Config, values: ConfigValues, applications: unknown): Map<string, unknown> {
  const derived = new Map<string, unknown>([
    ["applications", applications],
    ["store.type", config.store.type],
    ["internal.host", config.internal.host],
    ["log.level", config.log.level],
    ["exchange.exchange_name", config.exchange.exchangeName],
    ["exchange.queue_name", config.exchange.queueName],
  ]);
  return new Map(settings.map(({ key }) => [key, derived.has(key) ? derived.get(key) : valueAt(values, key)]));
}

function valueAt(values: ConfigValues, key: string): unknown {
  return key.split(".").reduce<unknown>((node, part) => (node as Record<string, unknown>)[part], values);
}

/** Findings with a line by their line, the others after them as they came. */
export function inOrder(findings: readonly Finding[]): Finding[] {
  return findings.toSorted((a, b) => (a.line ?? Infinity) - (b.line ?? Infinity) || 0);
}
