// The frames that an outbox is given in one turn.
import type { Outgoing } from "./outgoing.ts";

/** One frame after others. Outboxes that are given the same frames share one chain, and with it their bytes in one piece. */
export class Chain {
  readonly out: Outgoing;
  /** Of all its frames. */
  readonly bytes: number;
  readonly #before: Chain | undefined;
  /** What it was last extended to: the next outbox is likely to be given the same. */
  #longer: Chain | undefined;
  #joined: Buffer | undefined;

  constructor(out: Outgoing, before?: Chain) {
    this.out = out;
    this.#before = before;
    this.bytes = out.frame.length + (before?.bytes ?? 0);
  }

  /** The chain with one frame more. */
  with(out: Outgoing): Chain {
    if (this.#longer?.out !== out) this.#longer = new Chain(out, this);
    return this.#longer;
  }

  /** Its frames in one piece, not to be changed. */
  join(): Buffer {
    if (!this.#before) return this.out.frame;
    this.#joined ??= joinFrames(this.list(), this.bytes);
    return this.#joined;
  }

  list(): Outgoing[] {
    const outs: Outgoing[] = [];
    for (let chain: Chain | undefined = this; chain; chain = chain.#before) outs.push(chain.out);
    return outs.reverse();
  }
}

/** `bytes` is the length of all. One frame is answered as it is. */
export function joinFrames(outs: readonly { readonly frame: Buffer }[], bytes: number): Buffer {
  const [first] = outs;
  if (outs.length === 1 && first) return first.frame;
  const joined = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const { frame } of outs) {
    joined.set(frame, at);
    at += frame.length;
  }
  return joined;
}
