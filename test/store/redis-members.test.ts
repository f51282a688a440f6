// Members of rooms on real Redis servers: their keys, what an outage leaves, and how they are sent.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ErrorCode } from "../../server/src/errors.ts";
import { accountTarget, roomTarget, targetId } from "../../server/src/protocol/target.ts";
import { slotKey } from "../../server/src/redis/names.ts";
import { startRedis } from "../helpers/redis-server.ts";
import { startSteadyRedis } from "../helpers/steady-redis.ts";
import { connectPlain, file, insist, keysOf, openFixture } from "./redis-fixture.ts";

const first = await startRedis(file);
const redis = connectPlain(file, first.port);

test("members live in keys without end, one for each account and one for each room, and leave none behind", async (t) => {
  const { store, prefix } = await openFixture(t, [first.url]);
  await store.addMembers("a", "r", ["one", "two"]);
  const expected = [roomTarget("a", "r"), accountTarget("a", "one"), accountTarget("a", "two")].map((each, i) =>
    slotKey(prefix, targetId(each), i === 0 ? "a" : "r"),
  );
  assert.deepEqual((await keysOf(redis, prefix)).toSorted(), expected.toSorted());
  for (const name of expected) assert.equal(await redis.pttl(name), -1);
  await store.removeMembers("a", "r", ["one", "two"]);
  assert.deepEqual(await keysOf(redis, prefix), []);
});

test("the right is written first: what an outage has cut off is completed by repeating the call", async (t) => {
  const own = await startSteadyRedis(t);
  const { store, links } = await openFixture(t, [first.url, own.url]);
  const shardOf = (each: ReturnType<typeof roomTarget>) => links.shardOf(targetId(each)).index;
  const names = Array.from({ length: 100 }, (_, i) => `${i}`);
  const room = names.find((name) => shardOf(roomTarget("a", name)) === 1) ?? assert.fail();
  const account = names.find((name) => shardOf(accountTarget("a", name)) === 0) ?? assert.fail();
  for (const [change, rooms, members] of [
    [() => store.addMembers("a", room, [account]), [room], [account]],
    [() => store.removeMembers("a", room, [account]), [], []],
  ] as const) {
    await own.kill();
    while (store.state().up) await sleep(10);
    await assert.rejects(change(), { code: ErrorCode.STORE_UNAVAILABLE });
    assert.deepEqual(await store.roomsOf("a", [account]), [rooms], "it holds already");
    await assert.rejects(store.members("a", room, undefined, 10), { code: ErrorCode.STORE_UNAVAILABLE });
    await own.start();
    await insist(() => store.members("a", room, undefined, 10));
    assert.notDeepEqual(await store.members("a", room, undefined, 10), members, "the list does not know yet");
    await insist(change);
    assert.deepEqual(await store.members("a", room, undefined, 10), members);
    assert.deepEqual(await store.roomsOf("a", [account]), [rooms]);
  }
});

test("of calls on two nodes that meet on the same members, none leaves the room's list saying what the members' own do not", async (t) => {
  const { store: one, prefix } = await openFixture(t, [first.url]);
  const { store: two } = await openFixture(t, [first.url], { prefix });
  const accounts = Array.from({ length: 50 }, (_, i) => `account ${i}`);
  for (let round = 0; round < 10; round++) {
    const calls = accounts.flatMap((account) => [() => one.addMembers("a", "r", [account]), () => two.removeMembers("a", "r", [account])]);
    await Promise.all((round % 2 ? calls : calls.toReversed()).map((call) => call()));
    const own = await one.areMembers("a", "r", accounts);
    const members = accounts.filter((_, i) => own[i]);
    assert.deepEqual((await one.members("a", "r", undefined, 100)).toSorted(), members.toSorted());
  }
});

test("a thousand members at once reach Redis as many small steps, not as one long one", async (t) => {
  const own = await startRedis(t);
  const admin = connectPlain(t, own.port);
  const { store } = await openFixture(t, [own.url]);
  const accounts = Array.from({ length: 1_000 }, (_, i) => `account ${i}`);
  await store.addMembers("a", "r", accounts.slice(0, 1));
  await store.roomsOf("a", accounts.slice(0, 1));
  const calls = async () => Number(/cmdstat_evalsha:calls=(\d+)/.exec(await admin.info("commandstats"))?.[1] ?? 0);
  for (const [run, steps] of [
    [() => store.addMembers("a", "r", accounts), 120],
    [() => store.roomsOf("a", accounts), 100],
  ] as const) {
    const before = await calls();
    await run();
    assert.equal((await calls()) - before, steps);
  }
});
