// Reads the configuration file into entries, one per key that it holds.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { ConfigError, type Finding } from "./config.ts";
import { type ConfigDocument, readDocument } from "./document.ts";
import { type Entry, findingAt, type Origin } from "./entry.ts";
import { readSwitch } from "./formats.ts";
import type { Path } from "./path.ts";
import { createReport, type Report } from "./report.ts";
import { findSetting, type Setting, sections, settings } from "./schema.ts";
import { suggestKey } from "./suggest.ts";

/** Read from the working directory when no file is named. */
const DEFAULT_FILES = ["conf.yaml", "conf.yml"];

/** Keys that other programs keep in the same file. */
const FOREIGN_KEYS: ReadonlyMap<string, string> = new Map([
  ["mysql", "not used by this server, ignored"],
  ["redis", "not used by this server, ignored; the broker's address is exchange.redis"],
]);

/** What the file says. */
export interface FileEntries {
  readonly entries: readonly Entry[];
  readonly findings: readonly Finding[];
}

/** The file to read: the one named, else `conf.yaml` or `conf.yml` of `cwd`, absolute; `undefined` without any. */
export function findConfigFile(named: string | undefined, cwd: string): { file: string | undefined; findings: Finding[] } {
  if (named !== undefined) return { file: resolve(cwd, named), findings: [] };
  const [first, ...others] = DEFAULT_FILES.filter((name) => existsSync(join(cwd, name)));
  const findings = others.map((name) => findingAt(fileOrigin(name, "file"), "warning", `ignored, because ${first} exists`));
  return { file: first === undefined ? undefined : join(cwd, first), findings };
}

/** How findings call a file: relative to `cwd` when it is inside. */
export function displayName(file: string, cwd: string): string {
  const name = relative(cwd, file);
  return name === "" || name.startsWith("..") ? file : name;
}

/** Reads a file's text. Throws a ConfigError that says why it cannot be read. */
export function readConfigFile(file: string, name: string): ConfigDocument {
  try {
    return readDocument(readFileSync(file, "utf8"), name);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigError([findingAt(fileOrigin(name, "file"), "error", code === "ENOENT" ? "does not exist" : `cannot be read (${code})`)]);
  }
}

/** Takes the entries out of a document. `directory` is where its relative paths begin. */
export function fileEntries(document: ConfigDocument, file: string): FileEntries {
  const report = createReport(document.name, document.line);
  const entries: Entry[] = [];
  const { value } = document;
  if (value === undefined || value === null) return { entries, findings: document.findings };
  if (!isMap(value)) return { entries, findings: [...document.findings, findingAt(fileOrigin(document.name, "file"), "error", "must be a map of keys")] };
  const add = (setting: Setting, path: Path, given: unknown) => {
    if (given === null) report.warn(path, "has no value; the default is used");
    else entries.push({ setting, value: readValue(setting, given, dirname(file)), origin: originAt(document, setting.key, path) });
  };
  addSection([], value, add, report);
  return { entries, findings: [...document.findings, ...report.findings] };
}

function addSection(
  path: readonly string[],
  given: Record<string, unknown>,
  add: (setting: Setting, path: Path, given: unknown) => void,
  report: Report,
): void {
  for (const [name, value] of Object.entries(given)) {
    const here = [...path, name];
    const key = here.join(".");
    const setting = findSetting(key);
    if (setting) add(setting, here, value);
    else if (!sections.has(key)) reportUnknown(here, report);
    else if (isMap(value)) addSection(here, value, add, report);
    else if (value !== null) report.error(here, "must be a map of keys");
  }
}

const everyName = [...sections, ...settings.map(({ key }) => key)];

function reportUnknown(path: readonly string[], report: Report): void {
  const [name = "", ...rest] = path;
  if (rest.length > 0) {
    report.error(path, "unknown key", { suggestion: suggestKey(path.join("."), everyName) });
    return;
  }
  const foreign = FOREIGN_KEYS.get(name);
  if (foreign !== undefined) {
    report.warn(path, foreign);
    return;
  }
  // The port alone is an environment variable here.
  const suggestion = name === "port" ? "host" : suggestKey(name, everyName);
  report.warn(path, "unknown key, ignored", { suggestion, strict: true });
}

function readValue({ format }: Setting, given: unknown, directory: string): unknown {
  if (format === "switch") return readSwitch(given);
  return format === "path" && typeof given === "string" && given !== "" ? resolve(directory, given) : given;
}

function originAt(document: ConfigDocument, key: string, path: Path): Origin {
  const line = document.line(path);
  return { ...fileOrigin(document.name, key), ...(line === undefined ? {} : { line }) };
}

function fileOrigin(source: string, name: string): Origin {
  return { kind: "file", source, name };
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
