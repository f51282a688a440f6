// No store: every key is fresh, nothing is remembered, nothing is seen as a duplicate, nothing can be read again.
import { ErrorCode, XlveinError } from "../errors.ts";
import type { Store } from "./store.ts";

export function createNoStore(): Store {
  return {
    type: "none",
    async open() {},
    claim: async (_key, msgId) => ({ outcome: "fresh", msgId }),
    append: (_target, { msgId }) => ({ msgId, position: undefined, duplicate: false, published: false }),
    positions: (targets) => targets.map(() => undefined),
    missed: async () => ({ outcome: "too_old", entries: [] }),
    latest: async () => Promise.reject(unavailable("no stream can be read back")),
    renew: async () => ({ epoch: "", offset: 0, msgId: "" }),
    addMembers: async () => Promise.reject(unavailable("no members of rooms are remembered")),
    removeMembers: async () => Promise.reject(unavailable("no members of rooms are remembered")),
    members: async () => Promise.reject(unavailable("no members of rooms are remembered")),
    areMembers: async () => Promise.reject(unavailable("no members of rooms are remembered")),
    roomsOf: (_app, accounts) => accounts.map(() => []),
    state: () => ({ up: true, detail: "none" }),
    close: async () => {},
  };
}

function unavailable(consequence: string): XlveinError {
  return new XlveinError(ErrorCode.STORE_UNAVAILABLE, `This server runs without a store (store.type is none): ${consequence}.`, { reason: "none" });
}
