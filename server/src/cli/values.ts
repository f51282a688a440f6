// Values as people write them on a command line.
import { InvalidArgumentError, Option } from "commander";
import { RIGHTS, type Right } from "../apps/app.ts";
import { isAccountName } from "../auth/jwt.ts";
import { isRoomPattern, MAX_PATTERN, MAX_PATTERNS } from "../auth/rights.ts";
import { suggest } from "../config/suggest.ts";
import { isRoomName } from "../protocol/ops.ts";
import { CliError, Exit } from "./io.ts";

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** The lifetime of a connect token when none is asked for: 30 days, in seconds. */
export const DEFAULT_EXPIRES = 30 * 86_400;

/** `90s`, `15m`, `12h`, `30d` or a bare number of seconds, as whole seconds above 0. */
export function parseDuration(text: string): number {
  const match = /^([1-9]\d{0,9})([smhd]?)$/.exec(text);
  if (match === null) throw new InvalidArgumentError("Expected a whole number and a unit: 90s, 15m, 12h or 30d.");
  return Number(match[1]) * (SECONDS[match[2] ?? ""] ?? 1);
}

/** `--expires`: how long a connect token is valid. */
export function expiresOption(): Option {
  return new Option("--expires <duration>", "how long the token is valid: 90s, 15m, 12h, 30d").argParser(parseDuration).default(DEFAULT_EXPIRES, "30d");
}

/** A whole number above 0. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1) throw new InvalidArgumentError("Expected a whole number above 0.");
  return count;
}

/** Any text that can name an account. */
export function parseAccount(text: string): string {
  if (!isAccountName(text)) throw new InvalidArgumentError("Expected a text of 1 to 4096 characters.");
  return text;
}

/** The same for an option that may be repeated. */
export function collectAccounts(text: string, previous: readonly string[] = []): string[] {
  return [...previous, parseAccount(text)];
}

/** Patterns of rooms, for an option that may be repeated: each as a server takes it. */
export function collectPatterns(text: string, previous: readonly string[] = []): string[] {
  if (!isRoomPattern(text)) throw new InvalidArgumentError(`Expected a text of 1 to ${MAX_PATTERN} characters.`);
  if (previous.length === MAX_PATTERNS) throw new InvalidArgumentError(`A token holds at most ${MAX_PATTERNS} of them.`);
  return [...previous, text];
}

/** Rights parted by commas. A server ignores words that it does not know; here they are slips. */
export function parseRights(text: string): Right[] {
  const words = text.split(/[\s,]+/).filter((word) => word !== "");
  const wrong = words.find((word) => !isRight(word));
  if (wrong === undefined) return words.filter(isRight);
  const meant = suggest(wrong, RIGHTS);
  throw new InvalidArgumentError(`Expected ${RIGHTS.join(", ")}, parted by commas.${meant === undefined ? "" : ` Did you mean ${meant}?`}`);
}

function isRight(word: string): word is Right {
  return (RIGHTS as readonly string[]).includes(word);
}

/** A room's name, for an option that may be repeated. */
export function collectRooms(text: string, previous: readonly string[] = []): string[] {
  if (!isRoomName(text)) throw new InvalidArgumentError("Expected a text of 1 to 256 characters without *.");
  return [...previous, text];
}

/** An option that must be given. Asked for here and not by commander, which would complain of it before a misspelt one. */
export function needed<T>(value: T | undefined, flags: string): T {
  if (value === undefined) throw new CliError(`${flags} is needed`, Exit.USAGE);
  return value;
}
