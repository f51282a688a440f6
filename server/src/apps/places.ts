// The places that applications come from: the configuration, a file of their own, a directory. Each is read whole, every time.
import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Config, ConfigError, type Finding } from "../config/config.ts";
import { type ConfigDocument, readDocument } from "../config/document.ts";
import { displayName } from "../config/file.ts";
import { type ParsedApplications, parseApplications } from "./parse.ts";
import { digestRevision } from "./revision.ts";
import type { WatchPlace } from "./watch.ts";

/** What a place held at one moment. */
export interface Snapshot {
  /** Changes whenever the content does. */
  readonly text: string;
  /** Throws a ConfigError with every fault. */
  parse(now: number): ParsedApplications;
  /** The whole document, for the configuration file. */
  readonly document?: unknown;
}

/** Somewhere that applications are kept. */
export interface Place {
  /** As findings name it. */
  readonly name: string;
  /** Where changes show, for places that change. */
  readonly watch?: WatchPlace;
  /** Rejects with a ConfigError when it cannot be read. */
  read(): Promise<Snapshot>;
}

/** What names the places. */
export interface PlacesOptions {
  config: Pick<Config, "applications" | "applicationsFrom" | "applicationsFile" | "applicationsDir">;
  configFile: string | undefined;
  cwd: string;
}

/** Every place that the configuration names. */
export function findPlaces({ config, configFile, cwd }: PlacesOptions): Place[] {
  const above = config.applicationsFrom === "environment" || config.applicationsFrom === "flags";
  const places = [configFile === undefined || above ? fixedPlace(config) : configPlace(configFile, cwd)];
  if (config.applicationsFile !== "") places.push(filePlace(config.applicationsFile, cwd));
  if (config.applicationsDir !== "") places.push(directoryPlace(config.applicationsDir, cwd));
  return places;
}

function fixedPlace({ applications, applicationsFrom = "default" }: PlacesOptions["config"]): Place {
  const name = applicationsFrom === "default" ? "configuration" : applicationsFrom;
  return { name, read: async () => ({ text: "", parse: (now) => parseApplications(applications, { source: name, now, path: ["applications"] }) }) };
}

/** The key `applications` of the configuration file. */
function configPlace(file: string, cwd: string): Place {
  const name = displayName(file, cwd);
  return {
    name,
    watch: watchFile(file),
    async read() {
      const text = await readText(file, name, "file");
      const document = readDocument(text, name);
      const applications = keyOf(document, "applications") ?? [];
      return {
        text,
        document: document.value,
        parse(now) {
          throwSyntax(document);
          return parseApplications(applications, { source: name, now, path: ["applications"], line: document.line });
        },
      };
    },
  };
}

function filePlace(file: string, cwd: string): Place {
  const name = displayName(file, cwd);
  return {
    name,
    watch: watchFile(file),
    read: async () => snapshotOf(await readText(file, name, "applications_file"), name),
  };
}

const DIRECTORY_FILES = ["applications.json", "applications.yaml", "applications.yml"];

/** A mounted Secret: kubelet writes a new directory and swaps the link `..data`, so a file is read whole or not at all. */
function directoryPlace(directory: string, cwd: string): Place {
  const name = displayName(directory, cwd);
  return {
    name,
    watch: { directory },
    async read() {
      const present = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
        throw new ConfigError([unreadable(name, "applications_dir", error)]);
      });
      const [file] = DIRECTORY_FILES.filter((each) => present.includes(each));
      if (file === undefined) return { text: "", parse: () => nothingIn(name) };
      return snapshotOf(await readText(join(directory, file), join(name, file), "applications_dir"), join(name, file));
    },
  };
}

/** An optional Secret that nobody has written yet. */
function nothingIn(directory: string): ParsedApplications {
  const message = `holds none of ${DIRECTORY_FILES.join(", ")}`;
  const warning: Finding = { severity: "warning", key: "applications_dir", message, source: directory };
  return { set: { revision: digestRevision([]), apps: new Map() }, warnings: [warning], allowEmpty: false };
}

function snapshotOf(text: string, name: string): Snapshot {
  return {
    text: `${name}\n${text}`,
    parse(now) {
      const document = readDocument(text, name);
      throwSyntax(document);
      return parseApplications(document.value, { source: name, now, line: document.line });
    },
  };
}

async function readText(file: string, name: string, key: string): Promise<string> {
  return readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new ConfigError([unreadable(name, key, error)]);
  });
}

function unreadable(source: string, key: string, { code }: NodeJS.ErrnoException): Finding {
  return { severity: "error", key, message: code === "ENOENT" ? "does not exist" : `cannot be read (${code})`, source };
}

function throwSyntax({ findings }: ConfigDocument): void {
  if (findings.length > 0) throw new ConfigError(findings);
}

function keyOf({ value }: ConfigDocument, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
}

/** The directory is watched, because a watch of the file ends when an editor replaces it. `..data`: a mounted ConfigMap or Secret. */
function watchFile(file: string): WatchPlace {
  return { directory: dirname(file), names: [basename(file), "..data"] };
}
