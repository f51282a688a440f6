// The exchange of a single node: what is published here is delivered here.
import type { Target } from "../protocol/target.ts";
import type { Deliver, Exchange } from "./exchange.ts";

/** Shared: a promise for each publish would cost more than the rest of it. */
const ACCEPTED = Promise.resolve();

/** Never unavailable; needs nothing outside the process. */
export function createLocalExchange(): Exchange {
  /** Names of each application. Who holds a target keeps its name anyway; a text for the whole of it would be kept for every connection besides. */
  const held: Record<Target["kind"], Map<string, Set<string>>> = { account: new Map(), room: new Map(), app: new Map() };
  let deliver: Deliver | undefined;

  function isHeld({ app, kind, name }: Target): boolean {
    return held[kind].get(app)?.has(name) ?? false;
  }

  return {
    type: "local",
    async open(handler) {
      deliver = handler;
    },
    hold({ app, kind, name }) {
      const names = held[kind].get(app) ?? new Set();
      if (names.size === 0) held[kind].set(app, names);
      names.add(name);
      return undefined;
    },
    release({ app, kind, name }) {
      const names = held[kind].get(app);
      if (names?.delete(name) && names.size === 0) held[kind].delete(app);
    },
    publish(deliveries, envelope) {
      for (const delivery of deliveries) if (isHeld(delivery.target)) deliver?.(delivery, envelope);
      return ACCEPTED;
    },
    state: () => ({ up: deliver !== undefined, detail: "local" }),
    async close() {
      deliver = undefined;
      for (const apps of Object.values(held)) apps.clear();
    },
  };
}
