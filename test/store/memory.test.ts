// The memory store: the contract, and its bound.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryStore } from "../../server/src/store/memory.ts";
import { createNoStore } from "../../server/src/store/none.ts";
import { storeContract } from "./contract.ts";

storeContract("memory", () => {
  let nowMs = 1_000;
  return {
    store: createMemoryStore({ now: () => nowMs }),
    advance(ms) {
      nowMs += ms;
    },
  };
});

test("the memory store forgets the oldest key when it is full, and only that", async () => {
  const store = createMemoryStore({ now: () => 0, maxKeys: 3 });
  for (const name of ["a", "b", "c", "d"]) await store.claim({ app: "app", key: name, bodyHash: "h", ttlMs: 1_000 }, name);
  for (const name of ["b", "c", "d"]) assert.equal((await store.claim({ app: "app", key: name, bodyHash: "h", ttlMs: 1_000 }, "again")).outcome, "same");
  assert.equal((await store.claim({ app: "app", key: "a", bodyHash: "h", ttlMs: 1_000 }, "again")).outcome, "fresh");
  await store.close();
});

test("keys with different times to live expire on their own", async () => {
  let nowMs = 0;
  const store = createMemoryStore({ now: () => nowMs });
  await store.claim({ app: "app", key: "long", bodyHash: "h", ttlMs: 100_000 }, "m1");
  await store.claim({ app: "app", key: "short", bodyHash: "h", ttlMs: 10 }, "m2");
  nowMs = 50;
  assert.equal((await store.claim({ app: "app", key: "short", bodyHash: "h", ttlMs: 10 }, "m3")).outcome, "fresh");
  assert.equal((await store.claim({ app: "app", key: "long", bodyHash: "h", ttlMs: 10 }, "m4")).outcome, "same");
  await store.close();
});

test("without a store every key is fresh and nothing is a duplicate", async () => {
  const store = createNoStore();
  for (const msgId of ["m1", "m2"])
    assert.deepEqual(await store.claim({ app: "a", key: "k", bodyHash: "h", ttlMs: 1_000 }, msgId), { outcome: "fresh", msgId });
  await store.close();
});
