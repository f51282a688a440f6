// Keeps in mind what the servers serve, and asks more often while something new is on its way.
import type { Log } from "../log.ts";
import type { ServerView } from "./servers.ts";

export interface ServerWatch {
  /** What they said last. */
  readonly view: ServerView;
  /** When to ask next, given whether an answer is waited for; milliseconds since 1970. */
  dueMs(isWaiting: boolean): number;
  /** Something new is on its way: ask soon. */
  expect(): void;
  /** Asks. A failure leaves what is known. */
  ask(): Promise<void>;
  /** Asks unless it was done a moment ago. */
  refresh(): Promise<void>;
}

/** A change is in force within milliseconds; a server that lacks it for long has another trouble. */
const FIRST_MS = 50;
const LAST_MS = 3_000;
const FRESH_MS = 10_000;

export function createServerWatch({ ask, log, now }: { ask: () => Promise<ServerView>; log: Log; now: () => number }): ServerWatch {
  let view: ServerView = { counters: [] };
  let askedMs = Number.NEGATIVE_INFINITY;
  let waitMs = FIRST_MS;

  async function askNow(): Promise<void> {
    try {
      view = await ask();
    } catch (error) {
      log.warn({ event: "servers not asked", message: (error as Error).message });
    }
    askedMs = now();
    waitMs = Math.min(LAST_MS, waitMs * 2);
  }

  return {
    get view() {
      return view;
    },
    dueMs: (isWaiting) => (isWaiting ? askedMs + waitMs : Number.POSITIVE_INFINITY),
    expect() {
      waitMs = FIRST_MS;
    },
    ask: askNow,
    refresh: async () => (now() - askedMs > FRESH_MS ? askNow() : undefined),
  };
}
