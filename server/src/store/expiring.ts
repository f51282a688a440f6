// A bounded map whose entries have a time to live each.
import { flat } from "../flat.ts";

interface Held<V> {
  readonly value: V;
  readonly expiresAtMs: number;
}

export interface Expiring<V> {
  /** `undefined` when it was never there, its time is over, or it had to make room. */
  get(key: string): V | undefined;
  set(key: string, value: V, ttlMs: number): void;
  /** Frees what has expired. */
  sweep(): void;
  clear(): void;
}

/** Expired entries freed with each new one, so that a sweep seldom finds many. */
const FREED_PER_SET = 8;

/** Holds at most `max` entries; beyond, the one that was set first is forgotten first. */
export function createExpiring<V>(max: number, now: () => number): Expiring<V> {
  const held = new Map<string, Held<V>>();

  function makeRoom(nowMs: number): void {
    let checks = FREED_PER_SET;
    for (const [key, { expiresAtMs }] of held) {
      if (held.size < max && (expiresAtMs > nowMs || checks-- <= 0)) break;
      held.delete(key);
    }
  }

  return {
    get(key) {
      const known = held.get(key);
      return known && known.expiresAtMs > now() ? known.value : undefined;
    },
    set(key, value, ttlMs) {
      const nowMs = now();
      held.delete(key);
      makeRoom(nowMs);
      held.set(flat(key), { value, expiresAtMs: nowMs + ttlMs });
    },
    sweep() {
      const nowMs = now();
      for (const [key, { expiresAtMs }] of held) if (expiresAtMs <= nowMs) held.delete(key);
    },
    clear: () => held.clear(),
  };
}
