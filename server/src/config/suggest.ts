// Finds what a misspelt name was meant to be.
import { closest, distance } from "fastest-levenshtein";

/** The nearest candidate, or `undefined` when none is near. Case, `-` and `_` do not count: `maxConnections` finds `max_connections`. */
export function suggest(name: string, candidates: readonly string[]): string | undefined {
  if (candidates.length === 0) return undefined;
  const wanted = fold(name);
  const nearest = closest(wanted, candidates.map(fold));
  if (distance(wanted, nearest) > Math.max(1, Math.floor(wanted.length / 3))) return undefined;
  return candidates.find((candidate) => fold(candidate) === nearest);
}

/**
 * What an unknown key of a section was meant to be: one of that section, or the same last word elsewhere (`limits.missed` finds `ping.missed`).
 * Keys are dotted, the section included.
 */
export function suggestKey(key: string, keys: readonly string[]): string | undefined {
  const section = sectionOf(key);
  const near = suggest(
    key,
    keys.filter((each) => sectionOf(each) === section),
  );
  if (near !== undefined) return near;
  const elsewhere = keys.filter((each) => sectionOf(each) !== section);
  const last = suggest(lastOf(key), elsewhere.map(lastOf));
  return elsewhere.find((each) => lastOf(each) === last);
}

function sectionOf(key: string): string {
  return key.slice(0, key.lastIndexOf(".") + 1);
}

function lastOf(key: string): string {
  return key.slice(key.lastIndexOf(".") + 1);
}

function fold(name: string): string {
  return name.toLowerCase().replaceAll(/[-_]/g, "");
}
