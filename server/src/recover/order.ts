// Between the exchange and the hub: every stream reaches its sockets in offset order, without holes and without repeats.
import { setTimeout as sleep } from "node:timers/promises";
import type { Deliver } from "../exchange/exchange.ts";
import type { Envelope } from "../protocol/envelope.ts";
import type { Position } from "../protocol/position.ts";
import { type Target, targetId } from "../protocol/target.ts";
import type { Store } from "../store/store.ts";
import { advance, createReader, type DeliverInOrder, judge, type Reader, wait } from "./reader.ts";
import type { Repair } from "./repair.ts";

/** Positions compared in one request. */
export const CHUNK = 500;
/** With CHUNK: 10,000 positions a second at most, so that comparing never starves delivery. */
export const CHUNK_PAUSE_MS = 50;
/** Between two looks at all streams. */
export const SWEEP_MS = 30_000;

export interface Order {
  /** Begins to follow a target that the exchange holds: what is sent from now on is delivered in order. `undefined` when it does already. Never rejects; a store that cannot tell costs the check of the first entry. */
  follow(target: Target): Promise<void> | undefined;
  leave(target: Target): void;
  /** Where a followed target is: what has been delivered here, up to and including this. `undefined` when nobody could tell. */
  positionOf(target: Target): Position | undefined;
  /** Takes what the exchange delivers. */
  receive: Deliver;
  /** Compares targets with the store, and repairs those that have missed something. Resolves when all have been compared. */
  compare(targets: Iterable<Target>): Promise<void>;
  close(): void;
}

export interface OrderOptions {
  store: Store;
  repair: Repair;
  /** Delivered ids that each stream knows again: as many entries as the store keeps. */
  remember: number;
  deliver: DeliverInOrder;
}

export function createOrder({ store, repair, remember, deliver }: OrderOptions): Order {
  const readers = new Map<string, Reader>();
  let closed = false;

  function receive({ target, position }: Parameters<Deliver>[0], envelope: Envelope): void {
    const reader = position && readers.get(targetId(target));
    if (!reader || envelope.kind !== "message") return deliver(target, envelope, position);
    const entry = { message: envelope.message, position };
    if (reader.repairing) return wait(reader, entry);
    const verdict = judge(reader, position, envelope.message.msgId);
    if (verdict === "unclear") {
      wait(reader, entry);
      return void repair(reader);
    }
    if (verdict === "seen") return;
    advance(reader, position, envelope.message.msgId);
    deliver(target, envelope, position);
  }

  function follow(target: Target): Promise<void> | undefined {
    const reader = createReader(target, remember);
    readers.set(targetId(target), reader);
    const positions = store.positions([target]);
    if (positions instanceof Promise) return begin(reader, positions);
    reader.position = positions[0];
    return undefined;
  }

  async function begin(reader: Reader, positions: Promise<readonly (Position | undefined)[]>): Promise<void> {
    // What arrives before the position is known is before the connection, too.
    reader.repairing = true;
    const [position] = await positions.catch(() => []);
    reader.position = position;
    reader.repairing = false;
    if (reader.again && position) await repair(reader);
  }

  function differs({ position: at }: Reader, current: Position | undefined): boolean {
    if (current === undefined || at === undefined) return false;
    return current.epoch !== at.epoch || current.offset !== at.offset || current.msgId !== at.msgId;
  }

  async function compareChunk(chunk: readonly Reader[]): Promise<void> {
    const positions = await store.positions(chunk.map(({ target }) => target));
    for (const [i, reader] of chunk.entries()) {
      // Nobody could tell where the stream was when the target was held: from now on gaps show.
      reader.position ??= positions[i];
      if (!reader.left && differs(reader, positions[i])) void repair(reader);
    }
  }

  async function compareAll(all: readonly Reader[], pauseMs: number): Promise<void> {
    for (let at = 0; at < all.length && !closed; at += CHUNK) {
      await compareChunk(all.slice(at, at + CHUNK));
      if (pauseMs > 0 && at + CHUNK < all.length) await sleep(pauseMs, undefined, { ref: false });
    }
  }

  /** Renews the life of the followed streams, too. */
  const sweeper = setInterval(() => {
    compareAll([...readers.values()], CHUNK_PAUSE_MS).catch(() => {
      // The store does not answer; the exchange's own watch tells, and the next sweep comes.
    });
  }, SWEEP_MS);
  sweeper.unref();

  return {
    follow,
    leave(target) {
      const id = targetId(target);
      const reader = readers.get(id);
      if (reader) reader.left = true;
      readers.delete(id);
    },
    positionOf: (target) => readers.get(targetId(target))?.position,
    receive,
    async compare(targets) {
      const known = [...targets].flatMap((target) => readers.get(targetId(target)) ?? []);
      // The first 10,000 at once, the rest at a pace.
      for (const [from, to, pauseMs] of [
        [0, 10_000, 0],
        [10_000, known.length, CHUNK_PAUSE_MS],
      ] as const) {
        for (let tries = 0; !closed; tries++) {
          try {
            await compareAll(known.slice(from, to), pauseMs);
            break;
          } catch {
            await sleep(Math.min(100 * 2 ** tries, 1_000), undefined, { ref: false });
          }
        }
      }
    },
    close() {
      closed = true;
      clearInterval(sweeper);
      for (const reader of readers.values()) reader.left = true;
      readers.clear();
    },
  };
}
