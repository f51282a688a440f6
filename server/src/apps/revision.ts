// Names a set of applications, and tells an older name from a newer one.
import { createHash } from "node:crypto";

/** `sha256-…`: the same for the same applications in any order, with their fields in any order. */
export function digestRevision(applications: readonly unknown[]): string {
  const hash = createHash("sha256");
  for (const text of applications.map(canonical).sort()) hash.update(`${text.length}:${text}`);
  return `sha256-${hash.digest("hex").slice(0, 12)}`;
}

/** The counter at the beginning of a revision (`12`, `12-3f2a…`), `undefined` where there is none. */
export function counterOf(revision: string): number | undefined {
  const digits = /^(\d{1,15})(?![0-9A-Za-z_])/.exec(revision)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Whether both are counted and the first is the smaller. */
export function isOlder(revision: string, than: string): boolean {
  const [a, b] = [counterOf(revision), counterOf(than)];
  return a !== undefined && b !== undefined && a < b;
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => (isMap(each) ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1))) : each));
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
