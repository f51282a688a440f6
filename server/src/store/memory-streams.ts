// The streams of a single node: a bounded history each, a bound on all together, no timer of their own.
import type { HistoryRule } from "../apps/app.ts";
import { flat } from "../flat.ts";
import type { Message } from "../protocol/message.ts";
import type { EntryPosition, Position } from "../protocol/position.ts";
import { createEpochs } from "./epochs.ts";
import { keptMessages, streamLifeMs } from "./history.ts";
import { LastUse, type Place } from "./last-use.ts";
import { Recent } from "./recent.ts";
import type { Entry, Latest, Missed } from "./store.ts";

/** Of an account that is connected and gets nothing there is no more than this: each member counts. */
class Stream implements Place<Stream> {
  readonly id: string;
  epoch: string;
  /** Of the last entry; 0 before the first. */
  offset = 0;
  msgId = "";
  /** When it is forgotten, in seconds since 1970: a small number, which the engine keeps in its place. */
  endSecond = 0;
  /** `undefined` when no entry is kept. */
  history: History | undefined;
  before: Stream | undefined;
  after: Stream | undefined;

  constructor(id: string, epoch: string) {
    this.id = id;
    this.epoch = epoch;
  }
}

/** What is kept of a stream: its latest entries. */
class History implements Place<History> {
  readonly stream: Stream;
  /** The last one is at the stream's `offset`. */
  readonly entries = new Recent<Message>();
  /** The msg_id before the first of them. */
  previous: string;
  /** When they end. */
  endMs = 0;
  before: History | undefined;
  after: History | undefined;

  constructor(stream: Stream, previous: string) {
    this.stream = stream;
    this.previous = previous;
  }
}

export interface MemoryStreamsOptions {
  now: () => number;
  /** Streams known at most; beyond, the one unused longest is forgotten: it begins again in a new epoch. */
  maxStreams: number;
  /** Bytes of history at most, all streams together; beyond, the stream appended to longest ago loses its history. */
  maxBytes: number;
}

/** Each call brings the rule that holds for the stream now. */
export interface MemoryStreams {
  append(id: string, rule: HistoryRule, message: Message): EntryPosition;
  /** Creates a stream that is not there; renews its life. */
  position(id: string, rule: HistoryRule): Position;
  missed(id: string, rule: HistoryRule, after: Position, limit: number): Missed;
  latest(id: string, rule: HistoryRule, before: number | undefined, limit: number): Latest;
  renew(id: string, rule: HistoryRule, epoch: string): Position;
  /** Frees what has expired. */
  sweep(): void;
  clear(): void;
}

/** Freed with each append, so that a sweep seldom finds many: only it looks behind those that live longer than others. */
const FREED_PER_APPEND = 4;

/** An upper bound of what keeping a message takes: two bytes a character, and its members. */
function weight({ data, key = "", trace = "" }: Message): number {
  return 2 * (data.length + key.length + trace.length) + 300;
}

function hasEnded({ endSecond }: Stream, nowMs: number): boolean {
  return endSecond * 1_000 <= nowMs;
}

export function createMemoryStreams({ now, maxStreams, maxBytes }: MemoryStreamsOptions): MemoryStreams {
  const newEpoch = createEpochs();
  const streams = new Map<string, Stream>();
  /** Of those that live equally long, what is freed is always in front. */
  const lastUsed = new LastUse<Stream>();
  const lastKept = new LastUse<History>();
  let bytes = 0;
  /** Shared by all streams made since one was last forgotten: none of them can be that one come back. */
  let epoch = newEpoch();

  function dropHistory(history: History): void {
    const { stream, entries } = history;
    for (let message = entries.shift(); message; message = entries.shift()) bytes -= weight(message);
    lastKept.remove(history);
    stream.history = undefined;
  }

  function forget(stream: Stream): void {
    if (stream.history) dropHistory(stream.history);
    streams.delete(stream.id);
    lastUsed.remove(stream);
    epoch = newEpoch();
  }

  function free(nowMs: number): void {
    let left = FREED_PER_APPEND;
    for (let history = lastKept.first; history; history = lastKept.first) {
      if (bytes <= maxBytes && (history.endMs > nowMs || left-- <= 0)) break;
      dropHistory(history);
    }
    for (let stream = lastUsed.first; stream; stream = lastUsed.first) {
      if (streams.size <= maxStreams && (!hasEnded(stream, nowMs) || left-- <= 0)) break;
      forget(stream);
    }
  }

  /** The stream, made when it is not there, and last in the order of use; it holds no more than the rule keeps. */
  function use(id: string, rule: HistoryRule, nowMs: number): Stream {
    let stream = streams.get(id);
    if (stream && hasEnded(stream, nowMs)) {
      forget(stream);
      stream = undefined;
    }
    if (!stream) {
      stream = new Stream(flat(id), epoch);
      streams.set(stream.id, stream);
    } else if (stream.history) {
      if (stream.history.endMs <= nowMs) dropHistory(stream.history);
      else trim(stream.history, keptMessages(rule));
    }
    stream.endSecond = Math.ceil((nowMs + streamLifeMs(rule)) / 1_000);
    lastUsed.use(stream);
    return stream;
  }

  function trim(history: History, most: number): void {
    if (most === 0) return dropHistory(history);
    while (history.entries.length > most) {
      const oldest = history.entries.shift() as Message;
      history.previous = oldest.msgId;
      bytes -= weight(oldest);
    }
  }

  /** Keeps the entry that the stream has got now. */
  function keep(stream: Stream, previous: string, rule: HistoryRule, message: Message, nowMs: number): void {
    const most = keptMessages(rule);
    if (most === 0) return;
    stream.history ??= new History(stream, previous);
    stream.history.entries.push(message);
    bytes += weight(message);
    trim(stream.history, most);
    stream.history.endMs = nowMs + rule.ms;
    lastKept.use(stream.history);
  }

  function current({ epoch, offset, msgId }: Stream): Position {
    return { epoch, offset, msgId };
  }

  /** At most `limit` entries from an offset on, or from the oldest that is left. */
  function read({ epoch, offset: last, history }: Stream, from: number, limit: number): Entry[] {
    if (!history) return [];
    const { entries } = history;
    const first = last - entries.length + 1;
    const start = Math.max(0, from - first);
    return entries.slice(start, start + limit).map((message, i) => {
      const previous = start + i === 0 ? history.previous : (entries.at(start + i - 1) as Message).msgId;
      return { message, position: { epoch, offset: first + start + i, previous } };
    });
  }

  return {
    append(id, rule, message) {
      const nowMs = now();
      const stream = use(id, rule, nowMs);
      const previous = stream.msgId;
      stream.offset++;
      stream.msgId = message.msgId;
      keep(stream, previous, rule, message, nowMs);
      free(nowMs);
      return { epoch: stream.epoch, offset: stream.offset, previous };
    },
    position(id, rule) {
      const nowMs = now();
      const stream = use(id, rule, nowMs);
      free(nowMs);
      return current(stream);
    },
    missed(id, rule, after, limit) {
      const stream = use(id, rule, now());
      if (stream.epoch !== after.epoch || after.offset > stream.offset) return { outcome: "epoch_changed", current: current(stream) };
      const entries = read(stream, after.offset + 1, limit);
      const previous =
        after.offset === stream.offset ? stream.msgId : entries[0]?.position.offset === after.offset + 1 ? entries[0].position.previous : undefined;
      if (previous === undefined) return { outcome: "too_old", entries };
      return previous === after.msgId ? { outcome: "complete", entries } : { outcome: "epoch_changed", current: current(stream) };
    },
    latest(id, rule, before = Number.POSITIVE_INFINITY, limit) {
      const stream = use(id, rule, now());
      const oldest = stream.offset - (stream.history?.entries.length ?? 0) + 1;
      const end = Math.max(oldest, Math.min(before, stream.offset + 1));
      const from = Math.max(oldest, end - limit);
      return { position: current(stream), entries: read(stream, from, end - from), more: from > oldest };
    },
    renew(id, rule, epoch) {
      const stream = use(id, rule, now());
      if (stream.epoch === epoch) stream.epoch = newEpoch();
      return current(stream);
    },
    sweep() {
      const nowMs = now();
      for (const stream of streams.values()) {
        if (stream.history && stream.history.endMs <= nowMs) dropHistory(stream.history);
        if (hasEnded(stream, nowMs)) forget(stream);
      }
    },
    clear() {
      streams.clear();
      lastUsed.clear();
      lastKept.clear();
      bytes = 0;
      epoch = newEpoch();
    },
  };
}
