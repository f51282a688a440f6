// Bringing a reader up to its stream from the store: in order, all or with the loss counted.
import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { messageEnvelope } from "../protocol/envelope.ts";
import type { Gap } from "../protocol/gap.ts";
import type { Position } from "../protocol/position.ts";
import type { Target } from "../protocol/target.ts";
import type { Entry, Store } from "../store/store.ts";
import { placeIn } from "./anew.ts";
import { advance, type DeliverInOrder, type Reader } from "./reader.ts";

const PAGE = 100;
const RETRY_MS = 250;

export interface RepairOptions {
  store: Store;
  deliver: DeliverInOrder;
  /** Tells the readers of a stream that messages are missing. */
  gap: (target: Target, gap: Gap) => void;
  metrics: Metrics;
  log: Log;
}

export type Repair = (reader: Reader) => Promise<void>;

/** Resolves when the reader is where its stream is, or has been left. A store that does not answer is asked again; meanwhile the stream waits. */
export function createRepair({ store, deliver, gap, metrics, log }: RepairOptions): Repair {
  function deliverAll(reader: Reader, entries: readonly Entry[]): void {
    for (const { message, position } of entries) {
      if (reader.left) return;
      advance(reader, position, message.msgId);
      deliver(reader.target, messageEnvelope(message), position);
      metrics.repaired.inc();
    }
  }

  function countLost(reader: Reader, at: Position, first: Entry | undefined): void {
    const lost = first ? first.position.offset - at.offset - 1 : 1;
    gap(reader.target, { reason: "lost", epoch: at.epoch, from: at.offset + 1, to: first ? first.position.offset - 1 : undefined });
    metrics.messagesDropped.inc({ app: reader.target.app, reason: "lost" }, Math.max(1, lost));
    log.warn({
      event: "messages lost",
      app: reader.target.app,
      count: lost,
      message: "the store no longer has what was sent while this node could not receive",
    });
  }

  /** The stream is another one: wiped, restored from an older copy, or promoted from a replica that lagged. What it holds and we have not delivered comes now. */
  async function changeEpoch(reader: Reader, at: Position, current: Position): Promise<void> {
    const stream = current.epoch === at.epoch ? await store.renew(reader.target, at.epoch) : current;
    const place = await placeIn(store, reader, at, stream);
    metrics.epochChanges.inc();
    log.warn({ event: "stream changed", app: reader.target.app, message: "the store lost or replaced this stream; messages may be missing" });
    gap(reader.target, { reason: "lost", epoch: stream.epoch, from: undefined, to: undefined });
    reader.position = place ?? { epoch: stream.epoch, offset: 0, msgId: "" };
    reader.again = true;
  }

  async function step(reader: Reader): Promise<void> {
    const at = reader.position;
    if (at === undefined) {
      [reader.position] = await store.positions([reader.target]);
      return;
    }
    const missed = await store.missed(reader.target, at, PAGE);
    if (missed.outcome === "epoch_changed") return changeEpoch(reader, at, missed.current);
    const entries = missed.entries.length > 0 || missed.outcome === "complete" ? missed.entries : await withoutHistory(reader, at);
    if (missed.outcome === "too_old") countLost(reader, at, entries[0]);
    deliverAll(reader, entries);
    if (missed.entries.length === PAGE) reader.again = true;
  }

  /** The store has moved on and keeps nothing: what has arrived is all there is; the reader goes on from where the stream is. */
  async function withoutHistory(reader: Reader, at: Position): Promise<readonly Entry[]> {
    const [current] = await store.positions([reader.target]);
    const arrived = (reader.waiting ?? []).filter(({ position }) => position.epoch === at.epoch && position.offset > at.offset);
    if (arrived.length === 0 && current) reader.position = current;
    return arrived.sort((a, b) => a.position.offset - b.position.offset);
  }

  return async (reader) => {
    if (reader.repairing) {
      reader.again = true;
      return;
    }
    reader.repairing = true;
    do {
      reader.again = false;
      try {
        await step(reader);
        if (!reader.again) reader.waiting = undefined;
      } catch (error) {
        log.debug({ event: "repair waits for the store", err: error });
        await sleep(RETRY_MS, undefined, { ref: false });
        reader.again = true;
      }
    } while (reader.again && !reader.left);
    reader.repairing = false;
  };
}
