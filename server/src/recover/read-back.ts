// Reading a stream back, page by page, as the texts that clients and backends are shown: for `history`.
import { ErrorCode, XlveinError } from "../errors.ts";
import { encodeMessage } from "../protocol/frames.ts";
import type { Position } from "../protocol/position.ts";
import type { Target } from "../protocol/target.ts";
import type { Entry, Store } from "../store/store.ts";

/** Entries asked of the store at a time: large ones must not fill the memory before they are counted. */
const PAGE = 100;

/** What is asked of a stream: after a place, oldest first; else the newest, or the newest before an offset. */
export interface Asked {
  readonly after?: { readonly epoch: string; readonly offset: number };
  readonly before?: number;
  /** Messages at most. */
  readonly limit: number;
  /** Bytes of their texts at most; one message is answered however large it is. */
  readonly maxBytes: number;
}

export interface ReadBack {
  /** Messages as v2 clients get them, oldest first. */
  readonly texts: readonly string[];
  /** Where the stream is. */
  readonly position: Position;
  /** Whether the same direction has more. */
  readonly more: boolean;
}

/** Rejects with STORE_UNAVAILABLE, or with POSITION_LOST when the place is not in the stream or what followed it is gone. */
export type Read = (target: Target, asked: Asked) => Promise<ReadBack>;

export function createRead(store: Pick<Store, "latest">): Read {
  async function following(target: Target, after: NonNullable<Asked["after"]>, { limit, maxBytes }: Asked): Promise<ReadBack> {
    const answer = createAnswer(target, limit, maxBytes);
    let last = after.offset;
    for (;;) {
      const size = Math.min(PAGE, limit - answer.texts.length);
      const { entries, position } = await store.latest(target, last + size + 1, size);
      const next = entries.filter((entry) => entry.position.offset > last);
      if (position.epoch !== after.epoch || last > position.offset || (last < position.offset && next[0]?.position.offset !== last + 1))
        throw new XlveinError(ErrorCode.POSITION_LOST, "after: the place is not in the stream, or what followed it is no longer kept");
      const fits = next.every((entry) => answer.add(entry));
      last = after.offset + answer.texts.length;
      if (!fits || next.length < size || answer.full) return { texts: answer.texts, position, more: last < position.offset };
    }
  }

  async function newest(target: Target, before: number | undefined, { limit, maxBytes }: Asked): Promise<ReadBack> {
    const answer = createAnswer(target, limit, maxBytes);
    let from = before;
    let whole: Position | undefined;
    for (;;) {
      const page = await store.latest(target, from, Math.min(PAGE, limit - answer.texts.length));
      whole ??= page.position;
      // Another epoch began between two pages: what is there belongs together.
      const same = page.position.epoch === whole.epoch;
      const fits = same && page.entries.toReversed().every((entry) => answer.add(entry));
      from = page.entries[0]?.position.offset;
      if (!fits || !page.more || answer.full || from === undefined)
        return { texts: answer.texts.toReversed(), position: whole, more: same && (page.more || !fits) };
    }
  }

  return (target, asked) => (asked.after ? following(target, asked.after, asked) : newest(target, asked.before, asked));
}

/** Takes entries as long as there is room. */
function createAnswer(target: Target, limit: number, maxBytes: number) {
  const texts: string[] = [];
  let bytes = 0;
  return {
    texts,
    get full() {
      return texts.length >= limit;
    },
    add({ message, position }: Entry): boolean {
      const text = encodeMessage(target, message, position);
      bytes += Buffer.byteLength(text) + 1;
      if (texts.length > 0 && bytes > maxBytes) return false;
      texts.push(text);
      return true;
    },
  };
}
