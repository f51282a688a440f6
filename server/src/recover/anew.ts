// Where a reader goes on in a stream that is another one: wiped, restored from an older copy, or promoted from a replica that lagged.
import type { Position } from "../protocol/position.ts";
import type { Entry, Store } from "../store/store.ts";
import { numberOf, type Reader } from "./reader.ts";

const PAGE = 100;

/**
 * The place in `stream` behind which what has not been delivered begins; `at` is where the reader was. Reads all that is kept, page by page: what the two streams share may be
 * anywhere. `undefined` when it has become yet another one meanwhile.
 */
export async function placeIn(store: Pick<Store, "missed">, { target, recent }: Reader, at: Position, stream: Position): Promise<Position | undefined> {
  const known = new Set([...(recent ?? []), numberOf(at.msgId)]);
  let last: Position = { epoch: stream.epoch, offset: 0, msgId: "" };
  let [first, shared, newer] = [last, undefined as Position | undefined, undefined as Position | undefined];
  for (;;) {
    const missed = await store.missed(target, last, PAGE);
    if (missed.outcome === "epoch_changed") return undefined;
    if (last.offset === 0 && missed.entries[0]) first = before(missed.entries[0]);
    for (const entry of missed.entries) {
      last = { epoch: stream.epoch, offset: entry.position.offset, msgId: entry.message.msgId };
      if (known.has(numberOf(last.msgId))) shared = last;
      else if (last.msgId > at.msgId) newer ??= before(entry);
    }
    if (missed.entries.length < PAGE) break;
  }
  if (shared) return shared;
  if (last.offset > 0 && first.offset === 0) return first;
  // Further back than we remember: what was made before our last message (ids sort by time) is older history.
  return newer ?? (last.offset > stream.offset ? last : stream);
}

function before({ position: { epoch, offset, previous } }: Entry): Position {
  return { epoch, offset: offset - 1, msgId: previous };
}
