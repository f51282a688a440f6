// Names that a caller gives, and how they stand in a path of the API.
import type { paths } from "./generated/openapi.ts";

type PathOf<Name extends string> = Extract<keyof paths, `${string}{${Name}}${string}`>;

/** Longest name of a room, by openapi.yaml. */
const MAX_ROOM = 256;

/** @throws TypeError, `name` in front. */
export function checkText(name: string, value: unknown): asserts value is string {
  if (typeof value !== "string" || value === "") throw new TypeError(`${name} must be a non-empty string`);
}

/** @throws TypeError, `name` in front. */
export function checkAccount(name: string, account: unknown): asserts account is string {
  checkText(name, account);
}

/** A room, or a pattern that stands for several. @throws TypeError or RangeError, `name` in front. */
export function checkPattern(name: string, pattern: unknown): asserts pattern is string {
  checkText(name, pattern);
  if (pattern.length > MAX_ROOM) throw new RangeError(`${name} must have at most ${MAX_ROOM} characters, got ${pattern.length}`);
}

/** @throws TypeError or RangeError, `name` in front. */
export function checkRoom(name: string, room: unknown): asserts room is string {
  checkPattern(name, room);
  if (room.includes("*")) throw new TypeError(`${name} must not hold a *: that stands for any characters, in the \`rooms\` of a token only`);
}

/** @throws TypeError unless it is a list of at least one name that `check` lets pass. */
export function checkNames(where: string, names: unknown, noun: string, check: (name: string, value: unknown) => void): asserts names is readonly string[] {
  if (!Array.isArray(names) || names.length === 0) throw new TypeError(`${where} must be an array of at least one ${noun}`);
  for (const [i, one] of names.entries()) check(`${where}[${i}]`, one);
}

/** Puts an account into a path. @throws TypeError for what no URL can carry. */
export function accountPath(operation: string, path: PathOf<"account">, account: string): string {
  checkAccount(`${operation}: account`, account);
  return path.replace("{account}", () => segment(operation, "account", account));
}

/** Puts a room into a path. @throws TypeError for what no URL can carry. */
export function roomPath(operation: string, path: PathOf<"room">, room: string): string {
  checkRoom(`${operation}: room`, room);
  return path.replace("{room}", () => segment(operation, "room", room));
}

function segment(operation: string, noun: string, name: string): string {
  // Every URL parser takes these for directories, however they are encoded.
  if (name === "." || name === "..") throw new TypeError(`${operation}: the ${noun} "${name}" cannot stand in a URL`);
  try {
    return encodeURIComponent(name);
  } catch (cause) {
    throw new TypeError(`${operation}: ${noun} holds half of a surrogate pair`, { cause });
  }
}
