// What a connect token says that its client may do (`can`) and which rooms it may enter (`rooms`).
import { type App, RIGHTS, type Right } from "../apps/app.ts";
import { isWholeUnicode } from "../protocol/scan.ts";
import { type Claims, TokenError } from "./jwt.ts";

/** The rooms that a token opens. */
export interface RoomPatterns {
  /** Whether the claim names or matches the room. */
  opens(room: string): boolean;
  /** Those named in full (no `*`), each once. */
  readonly named: readonly string[];
}

/** Patterns in one token at most. */
export const MAX_PATTERNS = 100;
/** Longest pattern, UTF-16 units. */
export const MAX_PATTERN = 256;

/** One set for each combination, shared by all connections: the bit of a right is its place in RIGHTS. */
const COMBINATIONS: readonly ReadonlySet<Right>[] = Array.from(
  { length: 1 << RIGHTS.length },
  (_, bits) => new Set(RIGHTS.filter((_right, i) => bits & (1 << i))),
);

const NOTHING: ReadonlySet<Right> = new Set();
const NO_ROOMS: RoomPatterns = Object.freeze({ opens: () => false, named: Object.freeze([]) });

/**
 * The words of `can` that are rights; without the claim the application's.
 * @throws TokenError
 */
export function readRights(claims: Claims, { clientRights }: App): ReadonlySet<Right> {
  const words = readTexts(claims, "can");
  if (words === undefined) return clientRights;
  const bits = RIGHTS.reduce((sum, right, i) => (words.includes(right) ? sum | (1 << i) : sum), 0);
  return COMBINATIONS[bits] ?? NOTHING;
}

/**
 * The patterns of `rooms`; without the claim none.
 * @throws TokenError
 */
export function readRooms(claims: Claims): RoomPatterns {
  const patterns = readTexts(claims, "rooms");
  if (patterns === undefined || patterns.length === 0) return NO_ROOMS;
  if (patterns.length > MAX_PATTERNS) throw new TokenError("bad_token", `rooms must have at most ${MAX_PATTERNS} patterns`);
  if (!patterns.every(isRoomPattern)) throw new TokenError("bad_token", `rooms must hold texts of 1 to ${MAX_PATTERN} characters`);
  return roomPatterns(patterns);
}

/** Sound patterns, ready to be asked. */
export function roomPatterns(patterns: readonly string[]): RoomPatterns {
  const names = new Set(patterns.filter((pattern) => !pattern.includes("*")));
  const globs = [...new Set(patterns)].filter((pattern) => pattern.includes("*")).map((pattern) => pattern.split("*"));
  const named = [...names];
  if (globs.length === 0) return { opens: (room) => names.has(room), named };
  return { opens: (room) => names.has(room) || globs.some((parts) => fits(parts, room)), named };
}

/**
 * Whether a text is made of these parts with anything in between. Each part is taken where it first stands, which leaves
 * the most for those that follow, so nothing is ever tried twice.
 */
function fits(parts: readonly string[], text: string): boolean {
  const [first = "", last = ""] = [parts[0], parts.at(-1)];
  const end = text.length - last.length;
  if (end < first.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (let i = 1; i < parts.length - 1; i++) {
    const part = parts[i] ?? "";
    const found = text.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return at <= end;
}

/** Whether a text can be a pattern: 1 to 256 characters of whole Unicode. */
export function isRoomPattern(text: string): boolean {
  return text.length > 0 && text.length <= MAX_PATTERN && isWholeUnicode(text);
}

function readTexts(claims: Claims, name: "can" | "rooms"): readonly string[] | undefined {
  if (!Object.hasOwn(claims, name)) return undefined;
  const list = claims[name];
  if (Array.isArray(list) && list.every((each) => typeof each === "string")) return list;
  throw new TokenError("bad_token", `${name} must be a list of texts`);
}
