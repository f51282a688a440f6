// Values as people write them on a command line.
import { InvalidArgumentError, Option } from "commander";
import { isAccountName } from "../auth/jwt.ts";
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

/** An option that must be given. Asked for here and not by commander, which would complain of it before a misspelt one. */
export function needed<T>(value: T | undefined, flags: string): T {
  if (value === undefined) throw new CliError(`${flags} is needed`, Exit.USAGE);
  return value;
}
