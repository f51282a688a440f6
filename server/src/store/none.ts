// No store: every key is fresh, nothing is remembered, nothing is seen as a duplicate, nothing can be read again.
import type { Store } from "./store.ts";

export function createNoStore(): Store {
  return {
    type: "none",
    async open() {},
    claim: async (_key, msgId) => ({ outcome: "fresh", msgId }),
    append: async (_target, { msgId }) => ({ msgId, position: undefined, duplicate: false, published: false }),
    positions: async (targets) => targets.map(() => undefined),
    missed: async () => ({ outcome: "too_old", entries: [] }),
    renew: async () => ({ epoch: "", offset: 0, msgId: "" }),
    state: () => ({ up: true, detail: "none" }),
    close: async () => {},
  };
}
