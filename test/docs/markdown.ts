// Reads the parts of a Markdown document that a test compares with the code: tables, code blocks, headings, links.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const SKIPPED = new Set(["node_modules", "dist", ".git", ".cache"]);

/** The repository's root. */
export const ROOT = join(import.meta.dirname, "../..");

/** Every Markdown file of the repository, as paths from its root. */
export function markdownFiles(under = "."): string[] {
  return readdirSync(join(ROOT, under), { withFileTypes: true }).flatMap((entry) => {
    const path = join(under, entry.name);
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : markdownFiles(path);
    return entry.name.endsWith(".md") ? [path] : [];
  });
}

export function readDocument(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** The text under a heading, up to the next heading of the same or a higher level. Throws when the heading is missing. */
export function section(markdown: string, heading: string): string {
  const lines = withoutCode(markdown).split("\n");
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, "").trim() === heading);
  if (start < 0) throw new Error(`there is no heading "${heading}"`);
  const level = /^#+/.exec(lines[start] ?? "")?.[0].length ?? 0;
  const length = lines.slice(start + 1).findIndex((line) => new RegExp(`^#{1,${level}} `).test(line));
  return markdown
    .split("\n")
    .slice(start, length < 0 ? undefined : start + 1 + length)
    .join("\n");
}

/** The rows of every table whose first header cell is `firstHeader`, each as a record from header to cell. */
export function tableRows(markdown: string, firstHeader: string): Record<string, string>[] {
  const rows: Record<string, string>[] = [];
  let headers: string[] | undefined;
  for (const line of markdown.split("\n")) {
    const cells = tableCells(line);
    if (cells === undefined) headers = undefined;
    else if (headers === undefined) headers = cells;
    else if (headers[0] === firstHeader && !/^:?-+:?$/.test(cells[0] ?? ""))
      rows.push(Object.fromEntries(headers.map((header, i) => [header, cells[i] ?? ""])));
  }
  return rows;
}

/** A cell without the back-ticks around it. */
export function plain(cell: string | undefined): string {
  return (cell ?? "").replace(/^`|`$/g, "");
}

function tableCells(line: string): string[] | undefined {
  if (!line.startsWith("|")) return undefined;
  return line
    .slice(1, line.lastIndexOf("|"))
    .split("|")
    .map((cell) => cell.trim());
}

export interface CodeBlock {
  readonly language: string;
  readonly text: string;
}

export function codeBlocks(markdown: string): CodeBlock[] {
  return [...markdown.matchAll(/^```(\S*)[^\n]*\n([\s\S]*?)^```$/gm)].map(([, language = "", text = ""]) => ({ language, text }));
}

/** Link targets and image sources, outside code. */
export function links(markdown: string): string[] {
  const prose = withoutCode(markdown).replace(/`[^`\n]*`/g, "");
  return [...prose.matchAll(/\]\(([^)\s]+)[^)]*\)/g)].map(([, target = ""]) => target);
}

/** The anchors that the headings of a document make, as GitHub makes them. */
export function anchors(markdown: string): Set<string> {
  const seen = new Map<string, number>();
  const result = new Set<string>();
  for (const [, text = ""] of withoutCode(markdown).matchAll(/^#+ (.+)$/gm)) {
    const slug = slugOf(text);
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    result.add(count === 0 ? slug : `${slug}-${count}`);
  }
  for (const [, name = ""] of markdown.matchAll(/<a (?:id|name)="([^"]+)"/g)) result.add(name);
  return result;
}

function slugOf(heading: string): string {
  return heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(/\s/g, "-");
}

/** The document with its code blocks blanked, line for line. */
function withoutCode(markdown: string): string {
  return markdown.replace(/^```[\s\S]*?^```$/gm, (block) => "\n".repeat(block.split("\n").length - 1));
}
