// All outboxes of a node: written to at the end of each turn of the event loop, and bounded together.
import { Chain } from "./chain.ts";
import type { Outgoing } from "./outgoing.ts";

/** What they know of each of them. */
export interface Box {
  readonly bufferedBytes: number;
  /** Writes what it was given in this turn. */
  flush(): void;
  /** Writes what its socket takes now. */
  settle(): void;
  /** Closes its connection for reading too slowly. */
  tooSlow(): void;
}

export interface OutboxesOptions {
  /** What all outboxes together may hold, bytes. Beyond, the fullest connections are closed until a sixteenth of it is free. */
  readonly capBytes: number;
  /** Messages that a slow reader does not get: closed with them waiting, or taken out of what waits. */
  readonly onDropped: (app: string, reason: DropReason, count: number) => void;
  /** Runs a function once this turn's work is done. `process.nextTick` unless set. */
  readonly atEndOfTurn?: (flush: () => void) => void;
}

/** Reasons of `xlvein_messages_dropped_total`. */
export type DropReason = "slow_consumer" | "dropped" | "conflated";

/** How much is freed when all outboxes together are too full: the search for the fullest looks at every one, so it must be rare. */
const FREE_SHARE = 1 / 16;

export class Outboxes {
  readonly onDropped: OutboxesOptions["onDropped"];
  /** Bytes that wait; what a TCP socket holds is as it was when it was last written to. */
  bytes = 0;
  readonly #capBytes: number;
  readonly #atEndOfTurn: (flush: () => void) => void;
  /** Those that have been given something in this turn. */
  #dirty: Box[] = [];
  /** Those that hold something beyond their turn. */
  readonly #holders = new Set<Box>();
  /** What the last outbox was given first in this turn. */
  #chain: Chain | undefined;
  #relieving = false;
  readonly #flush = () => this.flush();

  constructor({ capBytes, onDropped, atEndOfTurn = process.nextTick }: OutboxesOptions) {
    this.#capBytes = capBytes;
    this.onDropped = onDropped;
    this.#atEndOfTurn = atEndOfTurn;
  }

  /** Outboxes that hold something beyond their turn. */
  get holders(): number {
    return this.#holders.size;
  }

  /** The outbox is to be flushed at the end of this turn. */
  mark(outbox: Box): void {
    if (this.#dirty.push(outbox) === 1) this.#atEndOfTurn(this.#flush);
  }

  /** Writes what the outboxes were given in this turn. */
  flush(): void {
    const dirty = this.#dirty;
    if (dirty.length === 0) return;
    this.#dirty = [];
    for (let i = 0; i < dirty.length; i++) dirty[i]?.flush();
    this.#chain = undefined;
  }

  /** A chain of one frame. */
  chain(out: Outgoing): Chain {
    if (this.#chain?.out !== out) this.#chain = new Chain(out);
    return this.#chain;
  }

  /** More or fewer bytes wait. */
  count(bytes: number): void {
    this.bytes += bytes;
  }

  /** To be called when more bytes wait; may close connections, also the caller. */
  check(): void {
    if (this.bytes > this.#capBytes && !this.#relieving) this.#relieve();
  }

  /** Looks at what the TCP sockets hold by now; answers the bytes that wait, exactly. */
  measure(): number {
    for (const outbox of this.#holders) outbox.settle();
    return this.bytes;
  }

  /** Notes whether the outbox holds something beyond its turn. */
  hold(outbox: Box, holds: boolean): void {
    if (holds) this.#holders.add(outbox);
    else this.#holders.delete(outbox);
  }

  /** Too much waits: what the sockets can take is written, then the fullest connections are closed. */
  #relieve(): void {
    this.#relieving = true;
    this.flush();
    const aim = this.#capBytes * (1 - FREE_SHARE);
    const fullest = this.measure() > aim ? [...this.#holders].sort((a, b) => b.bufferedBytes - a.bufferedBytes) : [];
    for (const outbox of fullest) {
      if (this.bytes <= aim) break;
      outbox.tooSlow();
    }
    this.#relieving = false;
  }
}
