// No store: every key is fresh, nothing is remembered, nothing is seen as a duplicate.
import type { Store } from "./store.ts";

export function createNoStore(): Store {
  return {
    type: "none",
    claim: async (_key, msgId) => ({ outcome: "fresh", msgId }),
    append: async (_target, { msgId }) => ({ msgId, duplicate: false, published: false }),
    close: async () => {},
  };
}
