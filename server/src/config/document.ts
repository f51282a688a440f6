// A YAML or JSON text with the line of everything in it.
import { type Document, isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, visit, type YAMLError } from "yaml";
import type { Finding } from "./config.ts";
import type { Path } from "./path.ts";

/** A text once it has been read. */
export interface ConfigDocument {
  /** As findings show it. */
  readonly name: string;
  /** `null` for an empty text, `undefined` when it could not be read. */
  readonly value: unknown;
  /** What is wrong with the syntax. Never quotes the text: it may hold secrets. */
  readonly findings: readonly Finding[];
  /** The 1-based line of a key or an item; of the nearest thing around it when it is absent. */
  line(path: Path): number | undefined;
}

/** Reads a text: as JSON where the name ends in `.json`, as YAML 1.2 (with merge keys) otherwise. Never throws. */
export function readDocument(text: string, name: string): ConfigDocument {
  return name.endsWith(".json") ? readJson(text, name) : readYaml(text, name);
}

function readYaml(text: string, name: string): ConfigDocument {
  const { document, counter } = parseYaml(text, "core");
  const line = (path: Path) => lineOf(document, counter, path);
  const findings = [...document.errors, ...document.warnings].map((fault) => syntaxFinding(name, fault, counter));
  if (findings.length > 0) return { name, value: undefined, findings, line };
  try {
    return { name, value: document.toJS({ maxAliasCount: 100 }), findings, line };
  } catch {
    // Aliases are the one thing left to fail here: unknown, or multiplying without end.
    const start = unknownAlias(document);
    const fault = start === undefined ? syntaxError(name, "too many aliases", undefined) : syntaxError(name, UNKNOWN_ALIAS, counter.linePos(start).line);
    return { name, value: undefined, findings: [fault], line };
  }
}

/** JSON.parse is 30 times faster than the YAML parser, which is only asked for lines, when a fault needs one. */
function readJson(text: string, name: string): ConfigDocument {
  let parsed: ReturnType<typeof parseYaml> | undefined;
  const line = (path: Path) => {
    parsed ??= parseYaml(text, "core");
    return lineOf(parsed.document, parsed.counter, path);
  };
  try {
    return { name, value: text.trim() === "" ? null : (JSON.parse(text) as unknown), findings: [], line };
  } catch {
    const { document, counter } = parseYaml(text, "json");
    const at = document.errors[0]?.pos[0];
    return { name, value: undefined, findings: [syntaxError(name, "not valid JSON", at === undefined ? undefined : counter.linePos(at).line)], line };
  }
}

function parseYaml(text: string, schema: "core" | "json") {
  const counter = new LineCounter();
  // prettyErrors would quote the line at fault.
  return { document: parseDocument(text, { lineCounter: counter, prettyErrors: false, merge: true, schema }), counter };
}

const UNKNOWN_ALIAS = "unknown alias; a text that begins with * needs quotes";

/** Codes whose message quotes nothing of the text. */
const PLAIN_CODES = new Set([
  "BAD_INDENT",
  "BAD_SCALAR_START",
  "BLOCK_AS_IMPLICIT_KEY",
  "BLOCK_IN_FLOW",
  "DUPLICATE_KEY",
  "KEY_OVER_1024_CHARS",
  "MISSING_CHAR",
  "MULTILINE_IMPLICIT_KEY",
  "MULTIPLE_DOCS",
  "TAB_AS_INDENT",
]);
const SENTENCES: Partial<Record<string, string>> = {
  BAD_ALIAS: UNKNOWN_ALIAS,
  TAG_RESOLVE_FAILED: "unknown tag; a text that begins with ! needs quotes",
};

function syntaxFinding(name: string, { code, message, pos }: YAMLError, counter: LineCounter): Finding {
  const sentence = SENTENCES[code] ?? (PLAIN_CODES.has(code) ? message : `not valid YAML (${code.toLowerCase().replaceAll("_", " ")})`);
  return syntaxError(name, sentence, counter.linePos(pos[0]).line);
}

function syntaxError(source: string, message: string, line: number | undefined): Finding {
  return { severity: "error", key: "syntax", message, source, ...(line === undefined ? {} : { line }) };
}

/** Where the first alias stands that names no anchor before it. */
function unknownAlias(document: Document.Parsed): number | undefined {
  let start: number | undefined;
  visit(document, {
    Alias(_key, alias) {
      if (alias.resolve(document) !== undefined) return undefined;
      start = alias.range?.[0];
      return visit.BREAK;
    },
  });
  return start;
}

function lineOf(document: Document.Parsed, counter: LineCounter, path: Path): number | undefined {
  let node: unknown = document.contents;
  let start = startOf(node);
  for (const part of path) {
    if (isAlias(node)) node = node.resolve(document);
    const next = child(node, part);
    if (next === undefined) break;
    start = next.start ?? start;
    node = next.node;
  }
  return start === undefined ? undefined : counter.linePos(start).line;
}

function child(node: unknown, part: string | number): { node: unknown; start: number | undefined } | undefined {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === part);
    return pair && { node: pair.value, start: startOf(pair.key) };
  }
  if (!isSeq(node) || typeof part !== "number") return undefined;
  const item = node.items[part];
  return item === undefined ? undefined : { node: item, start: startOf(item) };
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
