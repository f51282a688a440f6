// The channels of one subscriber connection: told to Redis in batches, at most one change of mind per channel and turn of the event loop.
import { type Entry, type Roster, settle, type Verb } from "./redis-entry.ts";

/** Channels in one command. On a Cluster a command names channels of one slot, so fewer. */
const BATCH = 1_000;
/** Channels that are told and not yet confirmed: a few batches, so that replies are read between other work. */
const WINDOW = 4 * BATCH;

export interface RosterOptions {
  /** Whether a batch may hold channels of one slot only. */
  readonly sharded: boolean;
  /** A batch was not confirmed. Unless this stops the roster, a leave counts as done, and a join as still to be told: somebody touches its entries. */
  readonly failed: (error: Error, verb: Verb, entries: readonly Entry[]) => void;
  /** Entries with a gap are confirmed again. */
  readonly resumed: (entries: readonly Entry[]) => void;
  /** All that was wanted at the start of this connection is confirmed. */
  readonly synced: () => void;
  /** An entry is neither wanted nor known to Redis any more. */
  readonly dropped: (entry: Entry) => void;
}

interface Batch {
  readonly id: number;
  readonly verb: Verb;
  readonly entries: readonly Entry[];
}

/** Over all rosters: an entry may go from one to another. */
let lastBatch = 0;

export function createRoster({ sharded, failed, resumed, synced, dropped }: RosterOptions): Roster {
  const entries = new Set<Entry>();
  const dirty = new Set<Entry>();
  let send: ((verb: Verb, channels: string[]) => Promise<unknown>) | undefined;
  let session = 0;
  let queue: Batch[] = [];
  let next = 0;
  let unconfirmed = 0;
  let progressAt = 0;
  let scheduled: NodeJS.Immediate | undefined;
  /** Confirmed again, and told to `resumed` when the last of them is. */
  const back: Entry[] = [];
  let backUntil = 0;
  let syncUntil = 0;

  function drop(entry: Entry): void {
    if (entries.delete(entry)) dropped(entry);
  }
  function touch(entry: Entry): void {
    if (!send) {
      if (!entry.wanted) drop(entry);
      return;
    }
    dirty.add(entry);
    scheduled ??= setImmediate(flush);
  }
  function flush(): void {
    scheduled = undefined;
    const [joins, leaves]: [Entry[], Entry[]] = [[], []];
    for (const entry of dirty) {
      const known = entry.wire === "in" || entry.wire === "joining";
      if (entry.wanted && !known) joins.push(entry);
      else if (!entry.wanted && known) leaves.push(entry);
      else if (!entry.wanted && entry.wire === "out") drop(entry);
    }
    dirty.clear();
    enqueue("leave", leaves);
    enqueue("join", joins);
    pump();
  }
  function enqueue(verb: Verb, list: readonly Entry[]): void {
    for (const part of sharded ? bySlot(list) : [list]) {
      for (let from = 0; from < part.length; from += BATCH) {
        const batch = { id: ++lastBatch, verb, entries: part.slice(from, from + BATCH) };
        for (const entry of batch.entries) {
          entry.wire = verb === "join" ? "joining" : "leaving";
          entry.batch = batch.id;
          if (entry.gap && verb === "join") backUntil = batch.id;
        }
        queue.push(batch);
      }
    }
  }
  function pump(): void {
    while (send && next < queue.length && (unconfirmed === 0 || unconfirmed + (queue[next]?.entries.length ?? 0) <= WINDOW)) {
      const batch = queue[next++];
      if (batch) run(batch, send);
    }
    if (next === queue.length) {
      queue = [];
      next = 0;
    }
  }
  function run(batch: Batch, tell: NonNullable<typeof send>): void {
    const mine = session;
    const count = batch.entries.length;
    const answered = (judge: () => void) => {
      if (mine !== session) return;
      unconfirmed -= count;
      progressAt = performance.now();
      judge();
      if (mine !== session) return;
      progress(batch.id);
      pump();
    };
    if (unconfirmed === 0) progressAt = performance.now();
    unconfirmed += count;
    tell(
      batch.verb,
      batch.entries.map(({ channel }) => channel),
    ).then(
      () => answered(() => confirm(batch)),
      (error: Error) => answered(() => refused(batch, error)),
    );
  }
  function confirm({ id, verb, entries: told }: Batch): void {
    for (const entry of told) {
      if (entry.batch !== id) continue;
      if (verb === "join") join(entry);
      else leave(entry);
    }
  }
  function refused({ id, verb, entries: told }: Batch, error: Error): void {
    const latest = told.filter(({ batch }) => batch === id);
    if (verb === "leave") for (const entry of latest) leave(entry);
    else for (const entry of latest) entry.wire = "out";
    failed(error, verb, latest);
  }
  function leave(entry: Entry): void {
    entry.wire = "out";
    if (!entry.wanted) drop(entry);
  }
  function progress(id: number): void {
    if (back.length > 0 && id >= backUntil) resumed(back.splice(0));
    if (syncUntil !== 0 && id >= syncUntil) {
      syncUntil = 0;
      synced();
    }
  }
  function join(entry: Entry): void {
    entry.wire = "in";
    // Released since it was sent: the next flush takes it out again.
    if (!entry.wanted) return;
    entry.held = true;
    if (entry.gap) back.push(entry);
    entry.gap = false;
    settle(entry);
  }

  return {
    get live() {
      return send !== undefined;
    },
    get progressAt() {
      return progressAt;
    },
    entries,
    add(entry) {
      entry.roster = this;
      entry.wire = "out";
      entries.add(entry);
      touch(entry);
    },
    remove(entry) {
      entries.delete(entry);
      dirty.delete(entry);
      if (!send || entry.wire === "out" || entry.wire === "leaving") return;
      const ghost: Entry = { ...entry, wanted: false, waiters: [] };
      entries.add(ghost);
      touch(ghost);
    },
    touch,
    start(tell) {
      session += 1;
      send = tell;
      for (const entry of entries) dirty.add(entry);
      clearImmediate(scheduled);
      flush();
      syncUntil = lastBatch;
    },
    stop() {
      session += 1;
      send = undefined;
      clearImmediate(scheduled);
      scheduled = undefined;
      dirty.clear();
      queue = [];
      next = unconfirmed = syncUntil = 0;
      for (const entry of back.splice(0)) entry.gap = entry.held;
      for (const entry of entries) {
        entry.wire = "out";
        if (!entry.wanted) drop(entry);
        else if (entry.held) entry.gap = true;
      }
    },
  };
}

function bySlot(list: readonly Entry[]): Iterable<Entry[]> {
  return Map.groupBy(list, ({ slot }) => slot).values();
}
