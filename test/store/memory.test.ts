// The memory store: the contract, and its bounds.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrorCode } from "../../server/src/errors.ts";
import { accountTarget } from "../../server/src/protocol/target.ts";
import { createMemoryStore } from "../../server/src/store/memory.ts";
import { createMemoryStreams } from "../../server/src/store/memory-streams.ts";
import { createNoStore } from "../../server/src/store/none.ts";
import { storeContract } from "./contract.ts";
import { appendAll, message, missedIds, positionIn } from "./subject.ts";

storeContract("memory", (historyOf) => {
  let nowMs = 1_000;
  return {
    store: createMemoryStore({ now: () => nowMs, historyOf }),
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

test("the memory store says that a message was published when it was appended before, and only then", async () => {
  const store = createMemoryStore({ now: () => 0 });
  const target = accountTarget("a", "one");
  assert.equal((await store.append(target, message("m1"), 60_000)).published, false);
  assert.equal((await store.append(target, message("m1"), 60_000)).published, true);
  await store.close();
});

test("beyond its streams the memory store forgets the one unused longest: it comes back in another epoch", async () => {
  const store = createMemoryStore({ now: () => 0, maxStreams: 3 });
  const [a, b, c, d] = ["a", "b", "c", "d"].map((account) => accountTarget("app", account)) as [
    ReturnType<typeof accountTarget>,
    ...ReturnType<typeof accountTarget>[],
  ];
  assert.ok(b && c && d);
  const [first] = await appendAll(store, a, ["m1"]);
  await appendAll(store, b, ["m2"]);
  await appendAll(store, c, ["m3"]);
  await positionIn(store, b);
  await appendAll(store, d, ["m4"]);
  assert.equal((await positionIn(store, b)).offset, 1, "it was used");
  const again = await positionIn(store, a);
  assert.equal(again.offset, 0);
  assert.notEqual(again.epoch, first?.epoch);
  const missed = await store.missed(a, { epoch: first?.epoch ?? "", offset: 1, msgId: "m1" }, 10);
  assert.deepEqual(missed, { outcome: "epoch_changed", current: again });
  await store.close();
});

test("beyond its bytes the memory store drops the history that is oldest, never the position", async () => {
  const store = createMemoryStore({ now: () => 0, maxHistoryBytes: 10_000 });
  const targets = Array.from({ length: 8 }, (_, i) => accountTarget("app", `${i}`));
  const starts = await store.positions(targets);
  const data = `{"x":"${"y".repeat(1_000)}"}`;
  for (const [i, target] of targets.entries()) await store.append(target, message(`m${i}`, data), 0);
  const outcomes = await Promise.all(targets.map(async (target, i) => (await store.missed(target, starts[i] as NonNullable<(typeof starts)[0]>, 10)).outcome));
  assert.deepEqual(outcomes, [...Array(4).fill("too_old"), ...Array(4).fill("complete")]);
  assert.deepEqual(
    (await store.positions(targets)).map((position) => position?.offset),
    Array(8).fill(1),
  );
  await store.close();
});

test("a history that was dropped begins again with the next message", async () => {
  let nowMs = 0;
  const store = createMemoryStore({ now: () => nowMs, historyOf: () => ({ messages: 2, ms: 1_000 }) });
  const target = accountTarget("a", "one");
  const { epoch } = await positionIn(store, target);
  await appendAll(store, target, ["m1", "m2", "m3"]);
  nowMs = 2_000;
  await appendAll(store, target, ["m4"]);
  assert.deepEqual(await missedIds(store, target, { epoch, offset: 3, msgId: "m3" }), ["m4"]);
  const behind = await store.missed(target, { epoch, offset: 2, msgId: "m2" }, 10);
  assert.equal(behind.outcome, "too_old");
  await store.close();
});

test("what has expired is freed also behind streams that live longer", () => {
  let nowMs = 0;
  const streams = createMemoryStreams({ now: () => nowMs, maxStreams: 100, maxBytes: 10_000 });
  const data = `{"x":"${"y".repeat(1_000)}"}`;
  const [long, short] = [
    { messages: 100, ms: 3_600_000 },
    { messages: 100, ms: 1_000 },
  ];
  streams.append("long", long, message("m", data));
  for (const id of ["a", "b", "c"]) streams.append(id, short, message("m", data));
  nowMs = 2_000;
  streams.sweep();
  for (const id of ["d", "e", "f"]) streams.append(id, short, message("m", data));
  assert.deepEqual(
    ["long", "a", "d", "f"].map((id) => streams.latest(id, short, undefined, 10).entries.length),
    [1, 0, 1, 1],
    "there was room for all that had not expired",
  );
});

test("beyond its memberships the memory store adds none, and takes them again when there is room", async () => {
  const store = createMemoryStore({ now: () => 0, maxMemberships: 3 });
  await store.addMembers("a", "r1", ["one", "two"]);
  await assert.rejects(store.addMembers("a", "r2", ["one", "two"]), { code: ErrorCode.STORE_UNAVAILABLE, message: /holds 3 members of rooms/ });
  await store.addMembers("a", "r1", ["one", "two"]);
  assert.deepEqual(await store.members("a", "r2", undefined, 10), ["one"]);
  await store.removeMembers("a", "r1", ["two"]);
  await store.addMembers("a", "r2", ["one", "two"]);
  assert.deepEqual(await store.members("a", "r2", undefined, 10), ["one", "two"]);
  await store.close();
});

test("without a store every key is fresh, nothing is a duplicate and nothing has a place", async () => {
  const store = createNoStore();
  const target = accountTarget("a", "one");
  await store.open();
  for (const msgId of ["m1", "m2"])
    assert.deepEqual(await store.claim({ app: "a", key: "k", bodyHash: "h", ttlMs: 1_000 }, msgId), { outcome: "fresh", msgId });
  for (let i = 0; i < 2; i++)
    assert.deepEqual(await store.append(target, message("m"), 1_000), { msgId: "m", position: undefined, duplicate: false, published: false });
  assert.deepEqual(await store.positions([target, target]), [undefined, undefined]);
  assert.deepEqual(await store.missed(target, { epoch: "e", offset: 1, msgId: "m" }, 10), { outcome: "too_old", entries: [] });
  assert.deepEqual(await store.roomsOf("a", ["one", "two"]), [[], []]);
  const refused = [
    store.latest(target, undefined, 10),
    store.addMembers("a", "r", ["one"]),
    store.removeMembers("a", "r", ["one"]),
    store.members("a", "r", undefined, 10),
  ];
  for (const each of refused) await assert.rejects(each, { code: ErrorCode.STORE_UNAVAILABLE, message: /^This server runs without a store .*\.$/ });
  await store.close();
});
