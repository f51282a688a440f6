// Finds values inside JSON text without parsing them, so that a message's body travels exactly as its sender wrote it (RFC 8259).
import { ErrorCode, XlveinError } from "../errors.ts";

/** Where a value stands in a text: `text.slice(start, end)` is the value alone. UTF-16 units, as all string indexes. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

const [TAB, LF, CR, SPACE] = [0x09, 0x0a, 0x0d, 0x20];
const [QUOTE, COMMA, COLON, BACKSLASH] = [0x22, 0x2c, 0x3a, 0x5c];
const [LETTER_F, LETTER_N, LETTER_T] = [0x66, 0x6e, 0x74];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/**
 * The spans of the values of a JSON object's members, by key; of a repeated key the last, as JSON.parse has it.
 * Linear in the text, whatever it holds, and without recursion.
 * @param maxDepth most arrays and objects inside one another in each value, the value itself being the first
 * @param name what the text is called in errors
 * @param repeated takes the keys that are there again, for those who refuse them
 * @throws XlveinError MESSAGE_INVALID when the text is not one JSON object, or is nested too deeply
 */
export function scanObject(text: string, maxDepth: number, name = "message", repeated?: string[]): ReadonlyMap<string, Span> {
  const members = new Map<string, Span>();
  const end = readObject(text, openObject(text, name), name, (key, start) => {
    const end = endOfValue(text, start, maxDepth, name);
    if (repeated && members.has(key)) repeated.push(key);
    members.set(key, { start, end });
    return end;
  });
  return endOfText(text, end, name, members);
}

/**
 * Reads the members of the object that starts at `from`; answers the position after it. Throws JsonSyntaxError.
 * @param readMember is given each key and where its value starts, and answers where the value ends: `endOfValue` tells
 */
export function readObject(text: string, from: number, name: string, readMember: (key: string, start: number) => number): number {
  let at = skipSpace(text, from + 1);
  if (text.charCodeAt(at) === CLOSE_OBJECT) return at + 1;
  for (;;) {
    const keyEnd = endOfKey(text, at, name);
    const key = keyOf(text, at, keyEnd);
    at = skipSpace(text, readMember(key, startOfMember(text, keyEnd, name)));
    if (text.charCodeAt(at) === CLOSE_OBJECT) return at + 1;
    if (text.charCodeAt(at) !== COMMA) throw syntaxError(text, at, name);
    at = skipSpace(text, at + 1);
  }
}

/** Reads the elements of the array that starts at `from`, likewise. */
export function readArray(text: string, from: number, name: string, readElement: (start: number) => number): number {
  let at = skipSpace(text, from + 1);
  if (text.charCodeAt(at) === CLOSE_ARRAY) return at + 1;
  for (;;) {
    at = skipSpace(text, readElement(at));
    if (text.charCodeAt(at) === CLOSE_ARRAY) return at + 1;
    if (text.charCodeAt(at) !== COMMA) throw syntaxError(text, at, name);
    at = skipSpace(text, at + 1);
  }
}

/**
 * Checks that a text is one JSON object with at most `maxDepth` arrays and objects inside one another, itself being the first.
 * @throws XlveinError MESSAGE_INVALID
 */
export function checkObject(text: string, maxDepth: number, name = "message"): void {
  endOfText(text, endOfValue(text, openObject(text, name), maxDepth, name), name, undefined);
}

/** The position of the first fault of a text as JSON of whatever type, or -1. */
export function findSyntaxError(text: string): number {
  try {
    const end = skipSpace(text, endOfValue(text, skipSpace(text, 0), Number.POSITIVE_INFINITY, ""));
    return end === text.length ? -1 : end;
  } catch (error) {
    if (error instanceof JsonSyntaxError) return error.position;
    throw error;
  }
}

/** Not JSON, or JSON of another type, as opposed to JSON that is nested too deeply. */
export class JsonSyntaxError extends XlveinError {
  readonly position: number;

  constructor(message: string, position: number) {
    super(ErrorCode.MESSAGE_INVALID, message);
    this.position = position;
  }
}

/** What a value is refused with that has more arrays and objects inside one another than it may. */
export function tooDeep(name: string, maxDepth: number): XlveinError {
  return new XlveinError(ErrorCode.MESSAGE_INVALID, `${name} is nested deeper than ${maxDepth} levels`);
}

/** Names the place, never the text: it may hold what must not be logged. */
function syntaxError(text: string, at: number, name: string): JsonSyntaxError {
  const where = at >= text.length ? "it ends too early" : `fault at position ${at}`;
  return new JsonSyntaxError(`${name} is not valid JSON: ${where}`, at);
}

/** Where the object starts that a text should be. Throws JsonSyntaxError. */
export function openObject(text: string, name: string): number {
  const at = skipSpace(text, 0);
  if (text.charCodeAt(at) === OPEN_OBJECT) return at;
  throw new JsonSyntaxError(`${name} is not a JSON object`, at);
}

/** Answers `result` when nothing follows. Throws JsonSyntaxError. */
export function endOfText<T>(text: string, at: number, name: string, result: T): T {
  const end = skipSpace(text, at);
  if (end < text.length) throw syntaxError(text, end, name);
  return result;
}

function skipSpace(text: string, from: number): number {
  for (let at = from; ; at++) {
    const unit = text.charCodeAt(at);
    if (unit !== SPACE && unit !== LF && unit !== CR && unit !== TAB) return at;
  }
}

/**
 * The position after the value at `from`. Throws JsonSyntaxError, or MESSAGE_INVALID when it is nested deeper than `maxDepth`.
 * The stack holds the closing bracket of each open array and object.
 */
export function endOfValue(text: string, from: number, maxDepth: number, name: string): number {
  const closers: number[] = [];
  let at = from;
  for (;;) {
    const unit = text.charCodeAt(at);
    if (unit === OPEN_OBJECT || unit === OPEN_ARRAY) {
      if (closers.length >= maxDepth) throw tooDeep(name, maxDepth);
      const closer = unit === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_ARRAY;
      at = skipSpace(text, at + 1);
      if (text.charCodeAt(at) !== closer) {
        closers.push(closer);
        at = startOfElement(text, at, closer, name);
        continue;
      }
      at++;
    } else {
      at = endOfScalar(text, at, name);
    }
    at = closeEnded(text, at, closers);
    const closer = closers.at(-1);
    if (closer === undefined) return at;
    if (text.charCodeAt(at) !== COMMA) throw syntaxError(text, at, name);
    at = startOfElement(text, skipSpace(text, at + 1), closer, name);
  }
}

/** Steps over the closing brackets that follow a complete value, to the comma or to the end of the outermost value. */
function closeEnded(text: string, from: number, closers: number[]): number {
  let at = from;
  while (closers.length > 0) {
    at = skipSpace(text, at);
    if (text.charCodeAt(at) !== closers.at(-1)) return at;
    closers.pop();
    at++;
  }
  return at;
}

/** Where the next value starts: here in an array, after the key in an object. */
function startOfElement(text: string, at: number, closer: number, name: string): number {
  return closer === CLOSE_OBJECT ? startOfMember(text, endOfKey(text, at, name), name) : at;
}

function startOfMember(text: string, keyEnd: number, name: string): number {
  const at = skipSpace(text, keyEnd);
  if (text.charCodeAt(at) !== COLON) throw syntaxError(text, at, name);
  return skipSpace(text, at + 1);
}

function endOfKey(text: string, at: number, name: string): number {
  if (text.charCodeAt(at) !== QUOTE) throw syntaxError(text, at, name);
  return endOfString(text, at, name);
}

function keyOf(text: string, start: number, end: number): string {
  const inner = text.slice(start + 1, end - 1);
  return inner.includes("\\") ? (JSON.parse(text.slice(start, end)) as string) : inner;
}

function endOfScalar(text: string, at: number, name: string): number {
  switch (text.charCodeAt(at)) {
    case QUOTE:
      return endOfString(text, at, name);
    case LETTER_T:
      return endOfWord(text, at, "true", name);
    case LETTER_F:
      return endOfWord(text, at, "false", name);
    case LETTER_N:
      return endOfWord(text, at, "null", name);
    default:
      return endOfMatch(NUMBER, text, at, name);
  }
}

function endOfString(text: string, start: number, name: string): number {
  let at = start + 1;
  for (;;) {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE) return at + 1;
    if (unit === BACKSLASH) at = endOfMatch(ESCAPE, text, at, name);
    else if (unit >= SPACE) at++;
    else throw syntaxError(text, at, name); // a control character, or NaN: the end of the text
  }
}

function endOfWord(text: string, at: number, word: string, name: string): number {
  if (text.startsWith(word, at)) return at + word.length;
  throw syntaxError(text, at, name);
}

function endOfMatch(pattern: RegExp, text: string, at: number, name: string): number {
  pattern.lastIndex = at;
  if (pattern.test(text)) return pattern.lastIndex;
  throw syntaxError(text, at, name);
}

const LONE_SURROGATE = /\p{Surrogate}/u;

/** Whether UTF-8 can carry a text: half of a surrogate pair, which JSON escapes can spell, would arrive as another character. */
export function isWholeUnicode(text: string): boolean {
  return !LONE_SURROGATE.test(text);
}
