// What is remembered between requests. Every implementation passes test/store/contract.ts.
import type { Message } from "../protocol/message.ts";
import type { EntryPosition, Position } from "../protocol/position.ts";
import type { Target } from "../protocol/target.ts";

/** A caller's promise that requests with this key and this body are one request. */
export interface CallerKey {
  readonly app: string;
  /** A classic nonce or an idempotency key, with its kind in front so that the two never meet. */
  readonly key: string;
  /** A digest of everything that must be equal. */
  readonly bodyHash: string;
  /** How long to remember it, milliseconds. */
  readonly ttlMs: number;
}

/** The message that owns a key: the caller's own when the key is fresh, the first one's otherwise. */
export interface Claim {
  readonly outcome: "fresh" | "same" | "other_body";
  readonly msgId: string;
}

export interface Appended {
  readonly msgId: string;
  /** Where the message stands in the target's stream; `undefined` from a store that keeps no streams. */
  readonly position: EntryPosition | undefined;
  /** The same message was appended to this target before: `position` is its first. */
  readonly duplicate: boolean;
  /** The store has published the message to the nodes in the same step, now or the first time. */
  readonly published: boolean;
}

/** An entry of a stream. */
export interface Entry {
  readonly message: Message;
  readonly position: EntryPosition;
}

/** What a reader has missed, or why the store cannot tell. */
export type Missed =
  | { readonly outcome: "complete"; readonly entries: readonly Entry[] }
  /** The reader's position is not in this stream (any more): another epoch, or another message at its offset. `current` is where the stream is. */
  | { readonly outcome: "epoch_changed"; readonly current: Position }
  /** Entries in between are gone; `entries` are the oldest that are left. */
  | { readonly outcome: "too_old"; readonly entries: readonly Entry[] };

/** The end of a stream, or a part before it. */
export interface Latest {
  readonly position: Position;
  readonly entries: readonly Entry[];
  /** Whether older entries are kept. */
  readonly more: boolean;
}

/** Rooms that one account can be added to. */
export const MAX_ROOMS = 1_000;

export interface StoreState {
  readonly up: boolean;
  /** A few words for `/readyz?verbose`; never an address with credentials. */
  readonly detail: string;
}

/** The rooms of each account that was asked for. */
export type RoomsOf = readonly (readonly string[])[];

/**
 * Who was added to which room. What an account may enter is what its own list says; the room's list shows its members.
 * The two are written one after the other, so a call that fails may have done a part: repeating it completes it. Of calls that
 * meet on the same member, the one that reaches its own list last holds, for both lists.
 */
export interface Members {
  /**
   * Remembers that accounts may enter a room, without end. Adding again does no harm. Rejects with TOO_MANY_ROOMS, naming one, when some of them
   * are in MAX_ROOMS already: all others have been added then. Rejects with STORE_UNAVAILABLE from a store that keeps none.
   */
  addMembers(app: string, room: string, accounts: readonly string[]): Promise<void>;
  /** Forgets it. Removing who is no member does no harm. Rejects with STORE_UNAVAILABLE from a store that keeps none. */
  removeMembers(app: string, room: string, accounts: readonly string[]): Promise<void>;
  /** Accounts that were added to the room, in the order of their UTF-8 bytes, those after `after` only, at most `limit`. Rejects with STORE_UNAVAILABLE from a store that keeps none. */
  members(app: string, room: string, after: string | undefined, limit: number): Promise<readonly string[]>;
  /** Whether each account may enter the room. Rejects with STORE_UNAVAILABLE from a store that keeps none. */
  areMembers(app: string, room: string, accounts: readonly string[]): Promise<readonly boolean[]>;
  /** The rooms that each account was added to, in no order; none from a store that keeps none. Answers at once where there is nothing to wait for. */
  roomsOf(app: string, accounts: readonly string[]): RoomsOf | Promise<RoomsOf>;
}

/**
 * Remembers; carries nothing to sockets, but may publish in the step that appends.
 * Every wait is bounded to about a second; a call that cannot be answered rejects with STORE_UNAVAILABLE
 * (EXCHANGE_UNAVAILABLE where store and exchange are the same broker).
 */
export interface Store extends Members {
  readonly type: "memory" | "redis" | "none";
  /** Connects. Keeps trying when the broker is not there yet; rejects only when it refuses us for good. */
  open(): Promise<void>;
  /** Takes a key for `msgId`, or tells who has it. */
  claim(key: CallerKey, msgId: string): Promise<Claim>;
  /**
   * Appends to the target's stream, in one atomic step. Answers at once where there is nothing to wait for.
   * With `rememberMs` > 0 the message is remembered that long: appending it again (same msg_id) answers the first position with `duplicate`.
   */
  append(target: Target, message: Message, rememberMs: number): Appended | Promise<Appended>;
  /** Where the streams are, creating those that are not there yet (offset 0) and renewing their life; `undefined` from a store that keeps none. Answers at once where there is nothing to wait for. */
  positions(targets: readonly Target[]): readonly (Position | undefined)[] | Promise<readonly (Position | undefined)[]>;
  /** The entries after a position, oldest first, at most `limit`. `{epoch, offset: 0, msgId: ""}` reads from the beginning of an epoch. */
  missed(target: Target, after: Position, limit: number): Promise<Missed>;
  /** The newest entries, or the newest before an offset, oldest first, at most `limit`; and where the stream is. Rejects with STORE_UNAVAILABLE from a store that keeps none. */
  latest(target: Target, before: number | undefined, limit: number): Promise<Latest>;
  /** Gives the stream a new epoch if its epoch still is `epoch`, so that everybody sees that it is another; answers where it is now. */
  renew(target: Target, epoch: string): Promise<Position>;
  state(): StoreState;
  /** Forgets what it holds in this process; may be called twice. */
  close(): Promise<void>;
}
