// The streams of a single node: a bounded history each, a bound on all together, no timer of their own.
import type { Message } from "../protocol/message.ts";
import type { EntryPosition, Position } from "../protocol/position.ts";
import { createEpochs } from "./epochs.ts";
import { flat } from "./flat.ts";
import type { History } from "./history.ts";
import type { Entry, Missed } from "./store.ts";

interface Stream {
  readonly id: string;
  epoch: string;
  /** Of the last entry; 0 before the first. */
  offset: number;
  msgId: string;
  /** The latest entries, the last one at `offset`. `undefined` when none is kept. */
  entries: Message[] | undefined;
  /** The msg_id before `entries[0]`. */
  before: string;
  appendedMs: number;
  usedMs: number;
}

export interface MemoryStreamsOptions {
  now: () => number;
  history: History;
  /** How long a stream that nobody uses is known. */
  lifeMs: number;
  /** Streams known at most; beyond, the one unused longest is forgotten: it begins again in a new epoch. */
  maxStreams: number;
  /** Bytes of history at most, all streams together; beyond, the stream appended to longest ago loses its history. */
  maxBytes: number;
}

export interface MemoryStreams {
  append(id: string, message: Message): EntryPosition;
  /** Creates a stream that is not there; renews its life. */
  position(id: string): Position;
  missed(id: string, after: Position, limit: number): Missed;
  renew(id: string, epoch: string): Position;
  /** Frees what has expired. */
  sweep(): void;
  clear(): void;
}

/** Freed with each append, so that a sweep seldom finds many. */
const FREED_PER_APPEND = 4;

/** An upper bound of what keeping a message takes: two bytes a character, and its members. */
function weight({ data }: Message): number {
  return 2 * data.length + 300;
}

export function createMemoryStreams({ now, history, lifeMs, maxStreams, maxBytes }: MemoryStreamsOptions): MemoryStreams {
  const newEpoch = createEpochs();
  /** Both in the order of last use: what is freed is always in front. */
  const streams = new Map<string, Stream>();
  const withHistory = new Set<Stream>();
  let bytes = 0;
  /** Shared by all streams made since one was last forgotten: none of them can be that one come back. */
  let epoch = newEpoch();

  function dropHistory(stream: Stream): void {
    for (const message of stream.entries ?? []) bytes -= weight(message);
    stream.entries = undefined;
    stream.before = stream.msgId;
    withHistory.delete(stream);
  }
  function forget(stream: Stream): void {
    dropHistory(stream);
    streams.delete(stream.id);
    epoch = newEpoch();
  }
  function free(nowMs: number, most: number): void {
    let left = most;
    for (const stream of withHistory) {
      if (bytes <= maxBytes && (stream.appendedMs + history.ms > nowMs || left-- <= 0)) break;
      dropHistory(stream);
    }
    for (const stream of streams.values()) {
      if (streams.size <= maxStreams && (stream.usedMs + lifeMs > nowMs || left-- <= 0)) break;
      forget(stream);
    }
  }

  /** The stream, made when it is not there, and last in the order of use. */
  function use(id: string, nowMs: number): Stream {
    let stream = streams.get(id);
    if (stream) {
      streams.delete(id);
      if (stream.usedMs + lifeMs <= nowMs) {
        forget(stream);
        stream = undefined;
      } else if (stream.entries && stream.appendedMs + history.ms <= nowMs) dropHistory(stream);
    }
    stream ??= { id: flat(id), epoch, offset: 0, msgId: "", entries: undefined, before: "", appendedMs: 0, usedMs: 0 };
    stream.usedMs = nowMs;
    streams.set(stream.id, stream);
    return stream;
  }

  function keep(stream: Stream, message: Message): void {
    if (history.messages <= 0 || history.ms <= 0) {
      stream.before = message.msgId;
      return;
    }
    if (stream.entries) stream.entries.push(message);
    else stream.entries = [message];
    bytes += weight(message);
    while (stream.entries.length > history.messages) {
      const oldest = stream.entries.shift() as Message;
      stream.before = oldest.msgId;
      bytes -= weight(oldest);
    }
    withHistory.delete(stream);
    withHistory.add(stream);
  }

  function current({ epoch, offset, msgId }: Stream): Position {
    return { epoch, offset, msgId };
  }

  /** At most `limit` entries from an offset on, or from the oldest that is left. */
  function read({ epoch, offset: last, entries = [], before }: Stream, from: number, limit: number): Entry[] {
    const first = last - entries.length + 1;
    const start = Math.max(0, from - first);
    return entries.slice(start, start + limit).map((message, i) => {
      const previous = start + i === 0 ? before : (entries[start + i - 1] as Message).msgId;
      return { message, position: { epoch, offset: first + start + i, previous } };
    });
  }

  return {
    append(id, message) {
      const nowMs = now();
      const stream = use(id, nowMs);
      const previous = stream.msgId;
      stream.offset++;
      stream.msgId = message.msgId;
      stream.appendedMs = nowMs;
      keep(stream, message);
      free(nowMs, FREED_PER_APPEND);
      return { epoch: stream.epoch, offset: stream.offset, previous };
    },
    position(id) {
      const nowMs = now();
      const stream = use(id, nowMs);
      free(nowMs, FREED_PER_APPEND);
      return current(stream);
    },
    missed(id, after, limit) {
      const stream = use(id, now());
      if (stream.epoch !== after.epoch || after.offset > stream.offset) return { outcome: "epoch_changed", current: current(stream) };
      const entries = read(stream, after.offset + 1, limit);
      const previous =
        after.offset === stream.offset ? stream.msgId : entries[0]?.position.offset === after.offset + 1 ? entries[0].position.previous : undefined;
      if (previous === undefined) return { outcome: "too_old", entries };
      return previous === after.msgId ? { outcome: "complete", entries } : { outcome: "epoch_changed", current: current(stream) };
    },
    renew(id, epoch) {
      const stream = use(id, now());
      if (stream.epoch === epoch) stream.epoch = newEpoch();
      return current(stream);
    },
    sweep: () => free(now(), Number.POSITIVE_INFINITY),
    clear() {
      streams.clear();
      withHistory.clear();
      bytes = 0;
      epoch = newEpoch();
    },
  };
}
