// The exchange of a single node: what is published here is delivered here.
import { targetId } from "../protocol/target.ts";
import type { Deliver, Exchange } from "./exchange.ts";

/** Shared: a promise for each publish would cost more than the rest of it. */
const ACCEPTED = Promise.resolve();

/** Never unavailable; needs nothing outside the process. */
export function createLocalExchange(): Exchange {
  const held = new Set<string>();
  let deliver: Deliver | undefined;
  return {
    type: "local",
    async open(handler) {
      deliver = handler;
    },
    hold(target) {
      held.add(targetId(target));
      return undefined;
    },
    release(target) {
      held.delete(targetId(target));
    },
    publish(deliveries, envelope) {
      for (const delivery of deliveries) if (held.has(targetId(delivery.target))) deliver?.(delivery, envelope);
      return ACCEPTED;
    },
    state: () => ({ up: deliver !== undefined, detail: "local" }),
    async close() {
      deliver = undefined;
      held.clear();
    },
  };
}
