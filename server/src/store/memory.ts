// The store of a single node: keys and streams in this process, forgotten when it ends.
import type { EntryPosition } from "../protocol/position.ts";
import { targetId } from "../protocol/target.ts";
import { createExpiring } from "./expiring.ts";
import { DEFAULT_HISTORY, type HistoryOf } from "./history.ts";
import { createMemoryMembers } from "./memory-members.ts";
import { createMemoryStreams } from "./memory-streams.ts";
import type { Store } from "./store.ts";

/** Keys, and places of remembered messages, at most each; beyond, the oldest is forgotten first (its request could then be repeated). About 300 bytes each. */
const MAX_KEYS = 200_000;
/** Streams at most; beyond, the one unused longest is forgotten: its readers find another epoch. About 300 bytes each without history. */
const MAX_STREAMS = 250_000;
/** Bytes of history at most; beyond, the streams appended to longest ago lose theirs: their readers find it too old. */
const MAX_HISTORY_BYTES = 128 * 1_024 * 1_024;
/** Members of rooms at most; beyond, adding is refused. About 200 bytes each. */
const MAX_MEMBERSHIPS = 1_000_000;
const SWEEP_MS = 30_000;

interface Owner {
  readonly msgId: string;
  readonly bodyHash: string;
}

export interface MemoryStoreOptions {
  now: () => number;
  /** 100 messages, 300 s by default. */
  historyOf?: HistoryOf;
  maxKeys?: number;
  maxStreams?: number;
  maxHistoryBytes?: number;
  maxMemberships?: number;
}

/** Only beside the local exchange, which never fails: what was appended was published too. */
export function createMemoryStore({
  now,
  historyOf = () => DEFAULT_HISTORY,
  maxKeys = MAX_KEYS,
  maxStreams = MAX_STREAMS,
  maxHistoryBytes: maxBytes = MAX_HISTORY_BYTES,
  maxMemberships = MAX_MEMBERSHIPS,
}: MemoryStoreOptions): Store {
  const owners = createExpiring<Owner>(maxKeys, now);
  const remembered = createExpiring<EntryPosition>(maxKeys, now);
  const streams = createMemoryStreams({ now, maxStreams, maxBytes });
  const { clear, ...members } = createMemoryMembers({ maxMemberships });
  const held = [owners, remembered, streams];
  const sweeper = setInterval(() => {
    for (const each of held) each.sweep();
  }, SWEEP_MS);
  sweeper.unref();

  return {
    type: "memory",
    async open() {},
    async claim({ app, key, bodyHash, ttlMs }, msgId) {
      const id = `${app.length}:${app}${key}`;
      const known = owners.get(id);
      if (known) return { outcome: known.bodyHash === bodyHash ? "same" : "other_body", msgId: known.msgId };
      owners.set(id, { msgId, bodyHash }, ttlMs);
      return { outcome: "fresh", msgId };
    },
    append(target, message, rememberMs) {
      const { msgId } = message;
      const id = targetId(target);
      const record = `${msgId} ${id}`;
      const first = rememberMs > 0 ? remembered.get(record) : undefined;
      if (first) return { msgId, position: first, duplicate: true, published: true };
      const position = streams.append(id, historyOf(target), message);
      if (rememberMs > 0) remembered.set(record, position, rememberMs);
      return { msgId, position, duplicate: false, published: false };
    },
    positions: (targets) => targets.map((target) => streams.position(targetId(target), historyOf(target))),
    missed: async (target, after, limit) => streams.missed(targetId(target), historyOf(target), after, limit),
    latest: async (target, before, limit) => streams.latest(targetId(target), historyOf(target), before, limit),
    renew: async (target, epoch) => streams.renew(targetId(target), historyOf(target), epoch),
    ...members,
    state: () => ({ up: true, detail: "memory" }),
    async close() {
      clearInterval(sweeper);
      for (const each of held) each.clear();
      clear();
    },
  };
}
