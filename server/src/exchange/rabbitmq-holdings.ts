// The targets this node holds on RabbitMQ, and who waits for which to be confirmed.

import { Deadlines } from "../deadline.ts";
import { ErrorCode, XlveinError } from "../errors.ts";
import { type Target, targetId } from "../protocol/target.ts";
import { type Binder, Bindings, UNBIND_DELAY_MS } from "./rabbitmq-bindings.ts";
import { bucketOf } from "./rabbitmq-buckets.ts";

/** A hold that is not confirmed by then rejects, milliseconds. */
export const HOLD_TIMEOUT_MS = 1_000;

/** The share of the timeout that is added once when the broker has confirmed others meanwhile: it is at work on a burst of ours. */
const EXTENSION = 0.75;

export interface HoldingsOptions {
  readonly buckets: number;
  /** HOLD_TIMEOUT_MS by default. */
  readonly holdTimeoutMs?: number;
  /** UNBIND_DELAY_MS by default. */
  readonly unbindDelayMs?: number;
}

interface Held {
  readonly id: string;
  readonly target: Target;
  readonly bucket: number;
  /** A hold of it has been confirmed once: it stays held through an outage. */
  confirmed: boolean;
  /** How many waits have it among theirs. */
  waits: number;
}

/** The holds of one bucket that were asked for in one turn of the event loop. */
interface Wait extends PromiseWithResolvers<void> {
  readonly bucket: number;
  readonly held: Held[];
  /** How many buckets had ever been bound when it began. */
  readonly boundBefore: number;
  /** Ends its time limit. */
  cancel(): void;
}

/** Holds outlive connections: `attach` binds everything again. */
export class Holdings {
  readonly #buckets: number;
  readonly #bindings: Bindings;
  readonly #deadlines: Deadlines;
  readonly #extensions: Deadlines;
  readonly #held = new Map<string, Held>();
  /** How many targets each bucket has; absent: none. */
  readonly #sizes = new Map<number, number>();
  readonly #waits = new Map<number, Set<Wait>>();
  /** Of the current turn, by bucket. */
  readonly #turn = new Map<number, Wait>();
  /** How many buckets have ever been bound. */
  #boundEver = 0;
  #closed = false;

  constructor({ buckets, holdTimeoutMs = HOLD_TIMEOUT_MS, unbindDelayMs = UNBIND_DELAY_MS }: HoldingsOptions) {
    this.#buckets = buckets;
    this.#bindings = new Bindings(unbindDelayMs, (bucket) => this.#onBound(bucket));
    this.#deadlines = new Deadlines(holdTimeoutMs);
    this.#extensions = new Deadlines(holdTimeoutMs * EXTENSION);
  }

  has(target: Target): boolean {
    return this.#held.has(targetId(target));
  }

  /** The targets whose hold has been confirmed, now or on an earlier connection. */
  confirmed(): Target[] {
    return [...this.#held.values()].filter(({ confirmed }) => confirmed).map(({ target }) => target);
  }

  /** How many buckets are bound for them. */
  get boundBuckets(): number {
    return this.#bindings.size;
  }

  /** Resolves when the target's bucket is bound. Rejects with EXCHANGE_UNAVAILABLE after the timeout; the target is not held then, unless it was before. */
  hold(target: Target): Promise<void> {
    if (this.#closed) return Promise.reject(unavailable("the exchange is closed"));
    const id = targetId(target);
    const held = this.#held.get(id) ?? this.#add(id, target);
    if (this.#bindings.isBound(held.bucket)) {
      held.confirmed = true;
      return Promise.resolve();
    }
    const wait = this.#turn.get(held.bucket) ?? this.#startWait(held.bucket);
    wait.held.push(held);
    held.waits++;
    return wait.promise;
  }

  release(target: Target): void {
    const held = this.#held.get(targetId(target));
    if (held) this.#remove(held);
  }

  /** From now on `binder` is the connection. Resolves when every bucket in use is bound; rejects when one cannot be. */
  attach(binder: Binder): Promise<void> {
    return this.#bindings.attach(binder);
  }

  /** The connection has ended. Everything stays held. */
  detach(): void {
    this.#bindings.detach();
  }

  /** Forgets everything; holds that wait reject. */
  close(): void {
    this.#closed = true;
    for (const wait of [...this.#waits.values()].flatMap((waits) => [...waits])) this.#fail(wait, "the exchange is closed");
    this.#bindings.close();
    this.#held.clear();
    this.#sizes.clear();
  }

  #add(id: string, target: Target): Held {
    const held: Held = { id, target, bucket: bucketOf(target, this.#buckets), confirmed: false, waits: 0 };
    const size = this.#sizes.get(held.bucket) ?? 0;
    this.#held.set(id, held);
    this.#sizes.set(held.bucket, size + 1);
    if (size === 0) this.#bindings.want(held.bucket);
    return held;
  }

  #remove({ id, bucket }: Held): void {
    this.#held.delete(id);
    const size = (this.#sizes.get(bucket) ?? 0) - 1;
    this.#sizes.set(bucket, size);
    if (size > 0) return;
    this.#sizes.delete(bucket);
    this.#bindings.unwant(bucket);
  }

  #startWait(bucket: number): Wait {
    const cancel = this.#deadlines.add(() => this.#expire(wait));
    const wait: Wait = { bucket, held: [], boundBefore: this.#boundEver, cancel, ...Promise.withResolvers<void>() };
    if (this.#turn.size === 0) setImmediate(() => this.#turn.clear());
    this.#turn.set(bucket, wait);
    const waits = this.#waits.get(bucket);
    if (waits) waits.add(wait);
    else this.#waits.set(bucket, new Set([wait]));
    return wait;
  }

  #onBound(bucket: number): void {
    this.#boundEver++;
    const waits = this.#waits.get(bucket);
    this.#waits.delete(bucket);
    this.#turn.delete(bucket);
    for (const { held, cancel, resolve } of waits ?? []) {
      for (const each of held) {
        each.waits--;
        each.confirmed = true;
      }
      cancel();
      resolve();
    }
  }

  #expire(wait: Wait): void {
    const message = "RabbitMQ has not confirmed the subscription";
    if (this.#boundEver > wait.boundBefore) wait.cancel = this.#extensions.add(() => this.#fail(wait, message));
    else this.#fail(wait, message);
  }

  #fail(wait: Wait, message: string): void {
    const waits = this.#waits.get(wait.bucket);
    waits?.delete(wait);
    if (waits?.size === 0) this.#waits.delete(wait.bucket);
    if (this.#turn.get(wait.bucket) === wait) this.#turn.delete(wait.bucket);
    wait.cancel();
    for (const held of wait.held) {
      held.waits--;
      // Another call may wait for it still, or have been confirmed before the outage.
      if (!held.confirmed && held.waits === 0 && this.#held.get(held.id) === held) this.#remove(held);
    }
    wait.reject(unavailable(message));
  }
}

function unavailable(message: string): XlveinError {
  return new XlveinError(ErrorCode.EXCHANGE_UNAVAILABLE, message);
}
