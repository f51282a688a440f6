// The order of a single node: what is appended is delivered in the same turn, so every stream is in order by itself.
import { setTimeout as sleep } from "node:timers/promises";
import type { Target } from "../protocol/target.ts";
import { chunks } from "../store/chunks.ts";
import type { Store } from "../store/store.ts";
import { CHUNK, CHUNK_PAUSE_MS, type Order, SWEEP_MS } from "./order.ts";
import type { DeliverInOrder } from "./reader.ts";

export interface LocalOrderOptions {
  /** One within this process, which answers at once. */
  store: Pick<Store, "positions">;
  deliver: DeliverInOrder;
  /** The streams whose place clients of this node know: these live on, however long nothing comes. */
  streams: () => Iterable<Target>;
}

/** For the local exchange beside a store that is not shared: nothing can be missed or come twice, so nothing has to be kept of a stream. */
export function createLocalOrder({ store, deliver, streams }: LocalOrderOptions): Order {
  let closed = false;

  async function renew(): Promise<void> {
    for (const part of chunks([...streams()], CHUNK)) {
      if (closed) return;
      store.positions(part);
      await sleep(CHUNK_PAUSE_MS, undefined, { ref: false });
    }
  }
  const sweeper = setInterval(() => void renew(), SWEEP_MS);
  sweeper.unref();

  return {
    follow: () => undefined,
    leave() {},
    positionOf(target) {
      const positions = store.positions([target]);
      if (positions instanceof Promise) throw new Error("a store that is shared needs another order");
      return positions[0];
    },
    receive: ({ target, position }, envelope) => deliver(target, envelope, position),
    async compare() {},
    close() {
      closed = true;
      clearInterval(sweeper);
    },
  };
}
