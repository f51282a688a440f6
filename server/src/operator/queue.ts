// Which applications are to be looked at, and when: each once, later after each failure.

/** Of failures one after the other: 1 s, 2 s, 4 s … 5 min, a tenth more or less. */
const FIRST_BACKOFF_MS = 1_000;
const LAST_BACKOFF_MS = 300_000;

export interface Queue {
  /** Due at `atMs`, or earlier if it already was. */
  add(key: string, atMs: number): void;
  /** Takes up to `most` that are due, the longest due first. */
  take(nowMs: number, most: number): string[];
  /** When the next one is due; Infinity when the queue is empty. */
  nextMs(): number;
  /** It failed: due again after a while, or when it was added since. Answers the wait in milliseconds. */
  fail(key: string, nowMs: number): number;
  /** It went well: the next failure is the first again. */
  succeed(key: string): void;
  /** Forgets it. */
  remove(key: string): void;
}

/** Creates an empty queue. */
export function createQueue(random: () => number = Math.random): Queue {
  const due = new Map<string, number>();
  const failures = new Map<string, number>();
  const add = (key: string, atMs: number): void => void due.set(key, Math.min(atMs, due.get(key) ?? Number.POSITIVE_INFINITY));
  return {
    add,
    take(nowMs, most) {
      const ready = [...due].filter(([, at]) => at <= nowMs).sort(([, a], [, b]) => a - b);
      const keys = ready.slice(0, most).map(([key]) => key);
      for (const key of keys) due.delete(key);
      return keys;
    },
    nextMs: () => Math.min(...due.values()),
    fail(key, nowMs) {
      const count = failures.get(key) ?? 0;
      failures.set(key, count + 1);
      const wait = Math.min(LAST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** count) * (0.9 + random() * 0.2);
      add(key, nowMs + wait);
      return wait;
    },
    succeed: (key) => void failures.delete(key),
    remove(key) {
      due.delete(key);
      failures.delete(key);
    },
  };
}
