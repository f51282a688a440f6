// Reads a map of unknown content field by field, and reports everything that is wrong with it.
import type { Path } from "../config/path.ts";
import type { Report } from "../config/report.ts";
import { suggest } from "../config/suggest.ts";

/** The least and the greatest whole number allowed. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
}

/** A field at fault is reported and reads as its fallback (or `undefined`), so that one look finds every fault. */
export interface Fields {
  readonly path: Path;
  has(name: string): boolean;
  /** As it is; `undefined` when absent. */
  raw(name: string): unknown;
  text(name: string): string | undefined;
  flag(name: string, fallback: boolean): boolean;
  whole(name: string, bounds: Bounds, fallback: number): number;
  choice<T extends string, F extends T | undefined>(name: string, allowed: readonly T[], fallback: F): T | F;
  /** A list of allowed words: of one at least, unless `least` is 0. */
  choices<T extends string>(name: string, allowed: readonly T[], fallback: readonly T[], least?: 0 | 1): readonly T[];
  /** The items of a list; none when absent or no list. */
  list(name: string): { readonly value: unknown; readonly path: Path }[];
  /** A map within; `undefined` when absent, empty or no map. */
  fields(name: string, names: readonly string[]): Fields | undefined;
}

/** Opens a value that must be a map with no other fields than `names`; `undefined` when it is none. */
export function openFields(value: unknown, path: Path, names: readonly string[], report: Report): Fields | undefined {
  if (!isMap(value)) {
    report.error(path, "must be a map of fields");
    return undefined;
  }
  for (const name of Object.keys(value)) {
    if (!names.includes(name)) report.error([...path, name], "unknown field", { suggestion: suggest(name, names) });
  }
  return createFields(value, path, report);
}

function createFields(map: Record<string, unknown>, path: Path, report: Report): Fields {
  const has = (name: string) => Object.hasOwn(map, name) && map[name] !== undefined;
  const raw = (name: string) => (has(name) ? map[name] : undefined);
  /** The value where it is absent or sound, else its fallback. */
  const read = <T>(name: string, sound: (value: unknown) => value is T, fallback: T, message: string): T => {
    const value = raw(name);
    if (value === undefined) return fallback;
    if (sound(value)) return value;
    report.error([...path, name], message);
    return fallback;
  };
  const list = (name: string) => read<readonly unknown[]>(name, Array.isArray, [], "must be a list").map((value, i) => ({ value, path: [...path, name, i] }));
  return {
    path,
    has,
    raw,
    list,
    text: (name) => read<string | undefined>(name, isText, undefined, "must be a text; put it in quotes"),
    flag: (name, fallback) => read(name, isFlag, fallback, "must be true or false"),
    whole: (name, { min, max }, fallback) => read(name, isWithin(min, max), fallback, mustBeWhole(min, max)),
    choice: <T extends string, F extends T | undefined>(name: string, allowed: readonly T[], fallback: F) =>
      read<T | F>(name, isOneOf(allowed), fallback, `must be one of ${allowed.join(", ")}`),
    choices: <T extends string>(name: string, allowed: readonly T[], fallback: readonly T[], least = 1) => {
      if (!has(name)) return fallback;
      const items = list(name);
      const isAllowed = isOneOf(allowed);
      for (const item of items) if (!isAllowed(item.value)) report.error(item.path, `must be one of ${allowed.join(", ")}`);
      if (items.length < least && Array.isArray(raw(name))) report.error([...path, name], `must name at least one of ${allowed.join(", ")}`);
      return items.map(({ value }) => value).filter(isAllowed);
    },
    fields: (name, names) => (raw(name) === undefined || raw(name) === null ? undefined : openFields(raw(name), [...path, name], names, report)),
  };
}

function mustBeWhole(min: number, max: number): string {
  if (max < Number.MAX_SAFE_INTEGER) return `must be a whole number from ${min} to ${max}`;
  return min === 1 ? "must be a positive integer" : `must be a whole number of at least ${min}`;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isFlag(value: unknown): value is boolean {
  return typeof value === "boolean";
}

function isWithin(min: number, max: number): (value: unknown) => value is number {
  return (value): value is number => Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
}

function isOneOf<T extends string>(allowed: readonly T[]): (value: unknown) => value is T {
  return (value): value is T => (allowed as readonly unknown[]).includes(value);
}
