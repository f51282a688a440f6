// What a place of applications held at one moment, read whole.
import { readdir, readFile, realpath } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError, type Finding } from "../config/config.ts";
import { type ConfigDocument, readDocument } from "../config/document.ts";
import { PACKED_ENDING, unpack } from "./packed.ts";
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
/** Instead of those, where they would not fit. */
const PACKED_FILE = `applications.json${PACKED_ENDING}`;

/** A file of its own: `{revision, applications}`. */
export interface SetFile {
  /** One of FILES, or PACKED_FILE. */
  readonly file: string;
  readonly content: Buffer;
}

/** The file that counts of those present; `undefined` where there is none. Throws a sentence where two claim to be the set. */
export function chooseFile(present: (file: string) => boolean): string | undefined {
  const plain = FILES.find(present);
  if (!present(PACKED_FILE)) return plain;
  if (plain !== undefined) throw new Error(`holds both ${plain} and ${PACKED_FILE}: keep one of them`);
  return PACKED_FILE;
}

/** Reads a mounted Secret. Rejects with a ConfigError. */
export async function readSetFile(directory: string, name: string): Promise<SetFile | undefined> {
  // Kubelet takes away what is being read when there is a newer one.
  return readGeneration(directory, name).catch(() => readGeneration(directory, name));
}

/** Kubelet writes a new directory and swaps the link `..data`: read through that, all of it is of one time. */
async function readGeneration(directory: string, name: string): Promise<SetFile | undefined> {
  const generation = await realpath(join(directory, "..data")).catch(() => directory);
  const present = await readdir(generation).catch((error: NodeJS.ErrnoException) => {
    throw new ConfigError([unreadable(name, "applications_dir", error)]);
  });
  const file = choose(present, name);
  return file === undefined ? undefined : { file, content: await readBytes(join(generation, file), join(name, file), "applications_dir") };
}

function choose(present: readonly string[], name: string): string | undefined {
  try {
    return chooseFile((file) => present.includes(file));
  } catch (error) {
    throw new ConfigError([{ severity: "error", key: "applications_dir", message: (error as Error).message, source: name }]);
  }
}

/** A set of its own; `name` as findings call it, with the ending that tells its format. */
export function snapshotOf(content: Buffer, name: string): Snapshot {
  return {
    text: `${name}\n${content.toString(name.endsWith(PACKED_ENDING) ? "base64" : "utf8")}`,
    parse(now) {
      const document = readContent(content, name);
      throwSyntax(document);
      return parseApplications(document.value, { source: name, now, line: document.line });
    },
  };
}

/** The document in a file. Throws a ConfigError when it cannot be unpacked. */
export function readContent(content: Buffer, name: string): ConfigDocument {
  if (!name.endsWith(PACKED_ENDING)) return readDocument(content.toString(), name);
  const document = readDocument(unpackFile(content, name), name.slice(0, -PACKED_ENDING.length));
  return { ...document, name, findings: document.findings.map((finding) => ({ ...finding, source: name })) };
}

function unpackFile(content: Buffer, name: string): string {
  try {
    return unpack(content);
  } catch (error) {
    throw new ConfigError([{ severity: "error", key: "applications", message: (error as Error).message, source: name }]);
  }
}

/** An optional Secret that nobody has written yet, or one that cannot be read yet. */
export function nothingIn(source: string, key: string, message = `holds none of ${[...FILES, PACKED_FILE].join(", ")}`): Snapshot {
  const warning: Finding = { severity: "warning", key, message, source };
  return { text: "", parse: () => ({ set: { revision: digestRevision([]), apps: new Map() }, warnings: [warning], allowEmpty: false }) };
}

/** Something that cannot be a set, whatever it holds. */
export function faultIn(source: string, key: string, message: string): Snapshot {
  const finding: Finding = { severity: "error", key, message, source };
  return {
    text: message,
    parse() {
      throw new ConfigError([finding]);
    },
  };
}

/** Reads a file. Rejects with a ConfigError that names `key`. */
export async function readBytes(file: string, name: string, key: string): Promise<Buffer> {
  return readFile(file).catch((error: NodeJS.ErrnoException) => {
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
