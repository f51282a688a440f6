// JSON as text: laid out and coloured without parsing numbers, so that what is shown is what was sent.

/** What a piece of JSON text is, for its colour. */
export type PieceKind = "key" | "string" | "number" | "word" | "mark";

export interface Piece {
  readonly kind: PieceKind;
  readonly text: string;
}

const TOKEN = /\s+|"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*|true|false|null|[{}[\],:]/gy;

/** Objects and lists up to this long stay on one line, characters. */
const ONE_LINE_CHARACTERS = 64;

/** The text in lines of two-space steps, or undefined when it is not JSON. Numbers and escapes stay as written. */
export function layOut(json: string): Piece[] | undefined {
  if (!isJson(json)) return undefined;
  const tokens = (json.match(TOKEN) ?? []).filter((token) => token.trim() !== "");
  const flat = flatParts(tokens);
  const pieces: Piece[] = [];
  /** For each open object or list: whether it stays on one line. */
  const open: boolean[] = [];
  const gap = () => (open.at(-1) ? " " : `\n${"  ".repeat(open.length)}`);
  for (const [i, token] of tokens.entries()) {
    const next = tokens[i + 1] ?? "";
    if (token === "{" || token === "[") {
      open.push(flat.has(i));
      pieces.push(mark(isEnd(next) || (token === "[" && flat.has(i)) ? token : token + gap()));
    } else if (isEnd(token)) {
      const stays = open.pop() === true;
      const tight = tokens[i - 1] === "{" || (stays && token === "]");
      pieces.push(mark(tight ? token : (stays ? " " : `\n${"  ".repeat(open.length)}`) + token));
    } else if (token === ",") pieces.push(mark(`,${gap()}`));
    else if (token === ":") pieces.push(mark(": "));
    else pieces.push({ kind: kindOf(token, next), text: token });
  }
  return pieces;
}

/** The places of the opening marks whose object or list is short enough for one line. */
function flatParts(tokens: readonly string[]): Set<number> {
  const flat = new Set<number>();
  const starts: { readonly at: number; readonly length: number }[] = [];
  let length = 0;
  for (const [i, token] of tokens.entries()) {
    if (token === "{" || token === "[") starts.push({ at: i, length });
    length += token.length + (token === "," || token === ":" ? 1 : 0);
    const start = isEnd(token) ? starts.pop() : undefined;
    if (start !== undefined && length - start.length <= ONE_LINE_CHARACTERS) flat.add(start.at);
  }
  return flat;
}

/** The raw text of a member of the frame's top level (the last one, where it stands twice); undefined when there is none. */
export function memberText(frame: string, name: string): string | undefined {
  if (!isJson(frame)) return undefined;
  const wanted = JSON.stringify(name);
  let found: string | undefined;
  let depth = 0;
  let start = -1;
  let before = "";
  for (const match of frame.matchAll(TOKEN)) {
    const [token] = match;
    if (token.trim() === "") continue;
    if (token === "}" || token === "]") depth -= 1;
    const ends = (depth === 1 && token === ",") || depth === 0;
    if (start >= 0 && ends) {
      found = frame.slice(start, match.index).trim();
      start = -1;
    }
    if (depth === 1 && token === ":" && before === wanted) start = match.index + 1;
    if (token === "{" || token === "[") depth += 1;
    before = token;
  }
  return found;
}

/** Says what keeps a typed text from being a message's `data`, or undefined when it is a JSON object. */
export function objectFault(text: string): string | undefined {
  const example = 'Write a JSON object, such as {"text":"hello"}.';
  if (text.trim() === "") return `The message is empty. ${example}`;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? undefined : `The message must be a JSON object. ${example}`;
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/\.$/, "") : String(error);
    return `The message is not JSON: ${reason}. ${example}`;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function kindOf(token: string, next: string): PieceKind {
  if (token.startsWith('"')) return next === ":" ? "key" : "string";
  return /^[-\d]/.test(token) ? "number" : "word";
}

function isEnd(token: string): boolean {
  return token === "}" || token === "]";
}

function mark(text: string): Piece {
  return { kind: "mark", text };
}
