// Where this node is in one stream, and what an arriving entry means there.
import type { Envelope } from "../protocol/envelope.ts";
import type { EntryPosition, Position } from "../protocol/position.ts";
import type { Target } from "../protocol/target.ts";
import type { Entry } from "../store/store.ts";

/** Called for each envelope of a followed target, in the order of its stream. Must not throw or block. */
export type DeliverInOrder = (target: Target, envelope: Envelope, position: EntryPosition | undefined) => void;

/** How many arrived entries a repair keeps beside the store. */
const WAITING = 256;

export interface Reader {
  readonly target: Target;
  /** The last entry delivered, or where the stream was when the node began to follow it; `undefined` when nobody could tell. */
  position: Position | undefined;
  /** The ids delivered last, oldest first, each as a number: as many as the store keeps, so that an older copy of it is recognised. */
  recent: number[] | undefined;
  readonly remember: number;
  /** While the store is asked, what arrives is left to it: every entry with a position is there. */
  repairing: boolean;
  /** Something arrived during the repair. */
  again: boolean;
  /** What arrived and was left to the store, the newest of it: a store that keeps no history cannot give it back. */
  waiting: Entry[] | undefined;
  left: boolean;
}

export function createReader(target: Target, remember: number): Reader {
  return { target, position: undefined, recent: undefined, remember, repairing: false, again: false, waiting: undefined, left: false };
}

/** `next`: deliver it · `seen`: it has been delivered · `unclear`: ask the store. */
export type Verdict = "next" | "seen" | "unclear";

/** An offset at or below the last with an id that is not known is never taken for a duplicate: the store may have fallen behind and given it out again. */
export function judge({ position: at, recent }: Reader, { epoch, offset, previous }: EntryPosition, msgId: string): Verdict {
  if (at === undefined) return "next";
  if (epoch !== at.epoch) return "unclear";
  if (offset === at.offset + 1 && previous === at.msgId) return "next";
  return offset <= at.offset && recent?.includes(numberOf(msgId)) ? "seen" : "unclear";
}

/** Leaves an entry to the repair. */
export function wait(reader: Reader, entry: Entry): void {
  reader.again = true;
  reader.waiting ??= [];
  reader.waiting.push(entry);
  if (reader.waiting.length > WAITING) reader.waiting.shift();
}

/** Moves a reader to an entry that is delivered now. */
export function advance(reader: Reader, { epoch, offset }: EntryPosition, msgId: string): void {
  reader.position = { epoch, offset, msgId };
  reader.recent ??= [];
  reader.recent.push(numberOf(msgId));
  if (reader.recent.length > reader.remember) reader.recent.shift();
}

/** 32 bits of an id (FNV-1a): eight bytes in place of the text, for every account that is connected. */
export function numberOf(msgId: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < msgId.length; i++) hash = Math.imul(hash ^ msgId.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
