// One channel that this node wants to hear, what Redis has been told about it, and the roster that tells.
import type { Target } from "../protocol/target.ts";

export type Verb = "join" | "leave";

/** The channels of one subscriber connection. */
export interface Roster {
  /** Whether there is a connection to tell. */
  readonly live: boolean;
  /** When Redis confirmed something last, or owed nothing when it was told; of `performance.now()`, ms. */
  readonly progressAt: number;
  readonly entries: ReadonlySet<Entry>;
  add(entry: Entry): void;
  /** Gives the entry up, to be added to another roster; Redis is told to forget it here. */
  remove(entry: Entry): void;
  /** The entry's `wanted` has changed. */
  touch(entry: Entry): void;
  /** A connection that knows nothing yet: tells it everything. */
  start(send: (verb: Verb, channels: string[]) => Promise<unknown>): void;
  /** The connection is gone. */
  stop(): void;
}

export interface Entry {
  readonly channel: string;
  /** The channel's slot on a Cluster; 0 elsewhere. */
  readonly slot: number;
  /** `undefined` for a line's own probe. */
  readonly target: Target | undefined;
  /** The roster of the line that carries it. */
  roster: Roster;
  wanted: boolean;
  /** What this line's server has been sent last, and whether it has confirmed. */
  wire: "out" | "joining" | "in" | "leaving";
  /** The last batch that it was part of: an answer to an earlier one says nothing. */
  batch: number;
  /** It was confirmed once since it has been wanted. */
  held: boolean;
  /** It was held, and then its line was away: something may have been missed. */
  gap: boolean;
  waiters: Waiter[];
}

/** A hold that is not confirmed yet. */
export interface Waiter {
  /** Of `performance.now()`, ms. */
  readonly since: number;
  readonly resolve: () => void;
  readonly reject: (reason: string) => void;
}

export function createEntry(roster: Roster, channel: string, slot: number, target: Target | undefined): Entry {
  return { channel, slot, target, roster, wanted: true, wire: "out", batch: 0, held: false, gap: false, waiters: [] };
}

/** Answers everybody who waits for the entry, and leaves nobody waiting. */
export function settle(entry: Entry, rejection?: string): void {
  if (entry.waiters.length === 0) return;
  const { waiters } = entry;
  entry.waiters = [];
  for (const { resolve, reject } of waiters) {
    if (rejection === undefined) resolve();
    else reject(rejection);
  }
}
