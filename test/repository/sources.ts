// Reads the repository's own files, and what the TypeScript parser says of them.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import ts from "typescript";

export const ROOT = join(import.meta.dirname, "../..");

/** Path from the root → text. */
export type Sources = ReadonlyMap<string, string>;

/** What one file takes from elsewhere. */
export interface Import {
  /** The file that imports. */
  readonly from: string;
  readonly line: number;
  /** A path from the root, or the name of a package. */
  readonly to: string;
  readonly isFile: boolean;
  /** Only types are taken: nothing is loaded when the program runs. */
  readonly isType: boolean;
}

/** Every file that git tracks or would track, without what it ignores. */
export function repositoryFiles(): string[] {
  const { stdout, status } = spawnSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate", "-z"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error("git ls-files failed: these tests need a git checkout");
  return stdout.split("\0").filter((file) => file !== "");
}

/** The text of those files that `wanted` accepts; a file deleted but not yet committed is left out. */
export function readSources(wanted: (file: string) => boolean): Sources {
  const found = new Map<string, string>();
  for (const file of repositoryFiles().filter(wanted)) {
    const text = read(file);
    if (text !== undefined) found.set(file, text);
  }
  return found;
}

function read(file: string): string | undefined {
  try {
    return readFileSync(join(ROOT, file), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** The syntax tree of one file. */
export function parse(file: string, text: string): ts.SourceFile {
  return ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true);
}

/** Calls `visit` with every node of a tree. */
export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

/** The line, from 1, on which a node begins. */
export function lineOf(source: ts.SourceFile, node: ts.Node): number {
  return source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
}

/** Imports and re-exports of a file, of values and of types, static and dynamic. */
export function importsOf(file: string, text: string): Import[] {
  const source = parse(file, text);
  const found: Import[] = [];
  walk(source, (node) => {
    const name = moduleName(node);
    if (name === undefined) return;
    const isFile = name.startsWith(".");
    const to = isFile ? posix.join(posix.dirname(file), name).replace(/\.js$/, ".ts") : name;
    found.push({ from: file, line: lineOf(source, node), to, isFile, isType: isTypeOnly(node) });
  });
  return found;
}

function moduleName(node: ts.Node): string | undefined {
  let name: ts.Node | undefined;
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) name = node.moduleSpecifier;
  else if (ts.isCallExpression(node) && (node.expression.kind === ts.SyntaxKind.ImportKeyword || isCall(node, "require"))) name = node.arguments[0];
  else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) name = node.argument.literal;
  return name !== undefined && ts.isStringLiteralLike(name) ? name.text : undefined;
}

function isTypeOnly(node: ts.Node): boolean {
  if (ts.isImportTypeNode(node)) return true;
  if (ts.isExportDeclaration(node)) return node.isTypeOnly;
  return ts.isImportDeclaration(node) && node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
}

function isCall(node: ts.CallExpression, name: string): boolean {
  return ts.isIdentifier(node.expression) && node.expression.text === name;
}
