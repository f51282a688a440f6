// What every store promises; run against each implementation.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Message } from "../../server/src/protocol/message.ts";
import { accountTarget } from "../../server/src/protocol/target.ts";
import type { CallerKey, Store } from "../../server/src/store/store.ts";

export interface StoreUnderTest {
  store: Store;
  /** Lets time pass for the store. */
  advance(ms: number): void | Promise<void>;
}

function message(msgId: string): Message {
  return { msgId, event: 0, data: "{}", sendAt: 1 };
}

function key(value: string, bodyHash = "hash", app = "a"): CallerKey {
  return { app, key: value, bodyHash, ttlMs: 60_000 };
}

/** Registers the tests of a store that remembers. */
export function storeContract(name: string, create: () => Promise<StoreUnderTest> | StoreUnderTest): void {
  const each = (title: string, run: (subject: StoreUnderTest) => Promise<void>) =>
    test(`${name}: ${title}`, async () => {
      const subject = await create();
      try {
        await run(subject);
      } finally {
        await subject.store.close();
      }
    });

  each("a key belongs to the first message that claims it", async ({ store }) => {
    assert.deepEqual(await store.claim(key("k"), "m1"), { outcome: "fresh", msgId: "m1" });
    assert.deepEqual(await store.claim(key("k"), "m2"), { outcome: "same", msgId: "m1" });
    assert.deepEqual(await store.claim(key("k", "other"), "m3"), { outcome: "other_body", msgId: "m1" });
  });

  each("one of many claims at the same time is fresh, the others get its message", async ({ store }) => {
    const claims = await Promise.all(Array.from({ length: 50 }, (_, i) => store.claim(key("k"), `m${i}`)));
    assert.equal(claims.filter(({ outcome }) => outcome === "fresh").length, 1);
    assert.equal(new Set(claims.map(({ msgId }) => msgId)).size, 1);
  });

  each("a key is forgotten when its time is over", async ({ store, advance }) => {
    await store.claim(key("k"), "m1");
    await advance(59_000);
    assert.equal((await store.claim(key("k"), "m2")).outcome, "same");
    await advance(2_000);
    assert.deepEqual(await store.claim(key("k"), "m3"), { outcome: "fresh", msgId: "m3" });
  });

  each("the same key of two applications, and hostile spellings, are different keys", async ({ store }) => {
    const pairs = [
      ["a", "b:c"],
      ["a:b", "c"],
      ["", "a"],
      ["a", ""],
      ["1:a", "b"],
      ["a", "1:b"],
      ["__proto__", "constructor"],
      ["a*", "#"],
      ["😀", "x".repeat(4_096)],
    ];
    for (const [i, [app, value]] of pairs.entries())
      assert.deepEqual(await store.claim(key(value as string, "h", app), `m${i}`), { outcome: "fresh", msgId: `m${i}` });
  });

  each("a claimed message is appended to each target once", async ({ store }) => {
    await store.claim(key("k"), "m1");
    const [one, two] = [accountTarget("a", "one"), accountTarget("a", "two")];
    assert.equal((await store.append(one, message("m1"))).duplicate, false);
    assert.equal((await store.append(one, message("m1"))).duplicate, true);
    assert.equal((await store.append(two, message("m1"))).duplicate, false, "a target that a first attempt did not reach gets it");
  });

  each("closing twice is fine", async ({ store }) => {
    await store.close();
  });
}
