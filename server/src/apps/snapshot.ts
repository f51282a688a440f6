// What a place of applications held at one moment, read whole.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError, type Finding } from "../config/config.ts";
import { type ConfigDocument, readDocument } from "../config/document.ts";
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

/** Whom a place that is followed tells. */
export interface Follower {
  onChange(): void;
  /** Whether changes reach us. */
  onUp(source: string, up: boolean): void;
}

/** Somewhere that applications are kept. */
export interface Place {
  /** As findings name it. */
  readonly name: string;
  /** Where changes show, for places that change. */
  readonly watch?: WatchPlace;
  /** Follows what shows no changes in a directory. Returns a function that stops. */
  follow?(follower: Follower): () => void;
  /** Rejects with a ConfigError when it cannot be read. */
  read(): Promise<Snapshot>;
}

/** What a Secret may call the set, in the order in which it is looked for. */
const FILES = ["applications.json", "applications.yaml", "applications.yml"];

/** A file of its own: `{revision, applications}`. */
export interface SetFile {
  /** One of FILES. */
  readonly file: string;
  readonly text: string;
}

/** The file that counts of those present; `undefined` where there is none. */
export function chooseFile(present: (file: string) => boolean): string | undefined {
  return FILES.find(present);
}

/** Reads a mounted Secret: kubelet writes a new directory and swaps the link `..data`, so a file is read whole or not at all. Rejects with a ConfigError. */
export async function readSetFile(directory: string, name: string): Promise<SetFile | undefined> {
  const present = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    throw new ConfigError([unreadable(name, "applications_dir", error)]);
  });
  const file = chooseFile((each) => present.includes(each));
  return file === undefined ? undefined : { file, text: await readText(join(directory, file), join(name, file), "applications_dir") };
}

/** A set of its own; `name` as findings call it, with the ending that tells its format. */
export function snapshotOf(text: string, name: string): Snapshot {
  return {
    text: `${name}\n${text}`,
    parse(now) {
      const document = readDocument(text, name);
      throwSyntax(document);
      return parseApplications(document.value, { source: name, now, line: document.line });
    },
  };
}

/** An optional Secret that nobody has written yet, or one that cannot be read yet. */
export function nothingIn(source: string, key: string, message = `holds none of ${FILES.join(", ")}`): Snapshot {
  const warning: Finding = { severity: "warning", key, message, source };
  return { text: "", parse: () => ({ set: { revision: digestRevision([]), apps: new Map() }, warnings: [warning], allowEmpty: false }) };
}

/** Reads a file. Rejects with a ConfigError that names `key`. */
export async function readText(file: string, name: string, key: string): Promise<string> {
  return readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new ConfigError([unreadable(name, key, error)]);
  });
}

function unreadable(source: string, key: string, { code }: NodeJS.ErrnoException): Finding {
  return { severity: "error", key, message: code === "ENOENT" ? "does not exist" : `cannot be read (${code})`, source };
}

/** Throws what is wrong with the syntax, if anything. */
export function throwSyntax({ findings }: ConfigDocument): void {
  if (findings.length > 0) throw new ConfigError(findings);
}
