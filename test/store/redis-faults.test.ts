// The Redis store while its server dies, forgets, is full, or answers into the void.
import assert from "node:assert/strict";
import { once } from "node:events";
import { cp, rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { ErrorCode, XlveinError } from "../../server/src/errors.ts";
import type { Message } from "../../server/src/protocol/message.ts";
import { accountTarget } from "../../server/src/protocol/target.ts";
import type { Appended, Store } from "../../server/src/store/store.ts";
import { startRedis } from "../helpers/redis-server.ts";
import { startSteadyRedis } from "../helpers/steady-redis.ts";
import { connectPlain, insist, openFixture } from "./redis-fixture.ts";
import { appendAll, message, missedIds, positionIn, positionOf } from "./subject.ts";

const target = accountTarget("a", "one");
const historyOf = () => ({ messages: 100_000, ms: 600_000 });

function appendAgain(store: Store, msgId: string): Promise<{ value: Appended; tries: number }> {
  const same = message(msgId);
  return insist(async () => store.append(target, same, 60_000));
}

test("an older copy of the data put back under a running system shows: readers find their place taken or gone", async (t) => {
  const server = await startSteadyRedis(t);
  const { store } = await openFixture(t, [server.url], { historyOf });
  const copy = `${server.directory}-older`;
  t.after(() => rm(copy, { recursive: true, force: true }));
  await appendAll(store, target, ["m1", "m2", "m3"]);
  await cp(server.directory, copy, { recursive: true });
  await appendAll(store, target, ["m4", "m5"]);
  const reader = await positionIn(store, target);
  await server.kill();
  await rm(server.directory, { recursive: true });
  await cp(copy, server.directory, { recursive: true });
  await server.start();

  const { value: behind } = await insist(() => store.missed(target, reader, 10));
  assert.deepEqual(behind, { outcome: "epoch_changed", current: { ...reader, offset: 3, msgId: "m3" } }, "the epoch is the same: the copy does not know");
  await appendAll(store, target, ["n4", "n5"]);
  const current = { ...reader, msgId: "n5" };
  assert.deepEqual(await store.missed(target, reader, 10), { outcome: "epoch_changed", current }, "the offset was given out again");
  await appendAll(store, target, ["n6"]);
  assert.equal((await store.missed(target, reader, 10)).outcome, "epoch_changed", "and the stream goes on behind it");
  const [one, two] = await Promise.all([store.renew(target, reader.epoch), store.renew(target, reader.epoch)]);
  assert.deepEqual(one, two);
  assert.deepEqual(await missedIds(store, target, { epoch: one.epoch, offset: 0, msgId: "" }), ["m1", "m2", "m3", "n4", "n5", "n6"]);
});

test("a server that is killed again and again has every append it acknowledged, once", async (t) => {
  const server = await startSteadyRedis(t);
  const { store } = await openFixture(t, [server.url], { historyOf, publish: true });
  const start = await positionIn(store, target);
  const acknowledged: Appended[] = [];
  let sent = 0;
  let stop = false;
  let refused = 0;
  const publishers = Array.from({ length: 8 }, async () => {
    while (!stop) {
      const { value, tries } = await appendAgain(store, `m${++sent}`);
      acknowledged.push(value);
      refused += tries - 1;
    }
  });
  for (let kill = 0; kill < 5; kill++) {
    const enough = acknowledged.length + 200;
    while (acknowledged.length < enough) await sleep(5);
    await server.kill();
    await server.start();
  }
  stop = true;
  await Promise.all(publishers);
  assert.ok(refused > 0, "the kills were noticed");
  const stored = await missedIds(store, target, start, 100_000);
  assert.equal(new Set(stored).size, stored.length, "nothing is there twice");
  assert.deepEqual(stored.toSorted(), acknowledged.map(({ msgId }) => msgId).toSorted());
  for (const each of acknowledged) assert.equal(stored[positionOf(each).offset - 1], each.msgId, "each is where it was said to be");
});

test("a server without memory refuses, keeps what it has, and takes messages again when there is room", async (t) => {
  const server = await startRedis(t, ["--maxmemory", "20mb", "--maxmemory-policy", "noeviction"]);
  const { store, lines } = await openFixture(t, [server.url], { historyOf });
  const start = await positionIn(store, target);
  await store.addMembers("a", "r", ["member"]);
  const data = `{"secret":"${"s".repeat(65_536)}"}`;
  const acknowledged: string[] = [];
  const refused: unknown[] = [];
  for (let i = 0; refused.length < 20; i++) {
    const full: Message = { ...message(`m${i}`), data };
    try {
      acknowledged.push((await store.append(target, full, 60_000)).msgId);
    } catch (error) {
      refused.push(error);
    }
    assert.ok(i < 2_000, "the memory ends");
  }
  for (const error of refused) {
    assert.ok(error instanceof XlveinError);
    assert.deepEqual([error.code, error.reason, error.retryAfterSeconds], [ErrorCode.STORE_UNAVAILABLE, "oom", 1]);
    assert.ok(!inspect(error, { depth: 10 }).includes("sss"), "no body in the error");
  }
  assert.ok(lines.some((line) => line.includes("store unavailable") && line.includes("oom")));
  assert.ok(lines.length < 5 && !lines.join().includes("sss"), "few lines, no body in them");
  const admin = connectPlain(t, server.port);
  await admin.config("SET", "maxmemory", "1mb");
  await assert.rejects(store.claim({ app: "a", key: "k", bodyHash: "h", ttlMs: 1_000 }, "m"), { code: ErrorCode.STORE_UNAVAILABLE });
  await assert.rejects(async () => store.append(accountTarget("a", "new"), message("m"), 0), { code: ErrorCode.STORE_UNAVAILABLE });
  await assert.rejects(store.addMembers("a", "r", ["new"]), { code: ErrorCode.STORE_UNAVAILABLE });
  assert.deepEqual([await store.roomsOf("a", ["new", "member"]), await store.members("a", "r", undefined, 10)], [[[], ["r"]], ["member"]]);
  await store.removeMembers("a", "r", ["member"]);
  assert.deepEqual(
    (await store.latest(target, undefined, 2)).entries.map((entry) => entry.message.msgId),
    acknowledged.slice(-2),
  );
  const at = await positionIn(store, target);
  assert.deepEqual([at.offset, at.msgId], [acknowledged.length, acknowledged.at(-1)], "nothing of a refused append is there");
  assert.deepEqual(await missedIds(store, target, start), acknowledged, "what was acknowledged can be read");
  await admin.config("SET", "maxmemory", "200mb");
  const [next] = await appendAll(store, target, ["next"]);
  assert.deepEqual(next, { epoch: at.epoch, offset: at.offset + 1, previous: at.msgId });
  assert.equal((await store.append(accountTarget("a", "new"), message("m"), 0)).position?.offset, 1);
});

test("a server that stands still is answered for within a second or so, and named after the exchange where it is the exchange", async (t) => {
  const server = await startRedis(t);
  const [one, two] = [await openFixture(t, [server.url], { historyOf }), await openFixture(t, [server.url], { historyOf, publish: true })];
  await one.store.append(target, message("m1"), 0);
  await two.store.append(target, message("m1"), 0);
  server.pause();
  const startMs = performance.now();
  const calls = [
    one.store.append(target, message("m2"), 0),
    one.store.claim({ app: "a", key: "k", bodyHash: "h", ttlMs: 1_000 }, "m"),
    one.store.positions([target]),
    one.store.missed(target, { epoch: "e", offset: 0, msgId: "" }, 10),
    one.store.renew(target, "e"),
    one.store.latest(target, undefined, 10),
    one.store.addMembers("a", "r", ["one"]),
    one.store.removeMembers("a", "r", ["one"]),
    one.store.members("a", "r", undefined, 10),
    one.store.roomsOf("a", ["one", "two"]),
    two.store.append(target, message("m2"), 0),
  ];
  const outcomes = await Promise.allSettled(calls);
  const tookMs = performance.now() - startMs;
  server.resume();
  assert.deepEqual(
    outcomes.map((outcome) => outcome.status === "rejected" && outcome.reason.code),
    [...Array(10).fill(ErrorCode.STORE_UNAVAILABLE), ErrorCode.EXCHANGE_UNAVAILABLE],
  );
  assert.ok(tookMs < 1_500, `${tookMs} ms`);
  for (const { store } of [one, two]) await insist(async () => store.append(target, message("m3"), 0));
});

/** Passes everything to a server until told to keep the answers to itself. */
async function startProxy(t: TestContext, port: number) {
  const pairs = new Set<[Socket, Socket]>();
  let mute = false;
  let lost = () => {};
  const proxy = createServer((client) => {
    const server = connect(port, "127.0.0.1");
    const pair: [Socket, Socket] = [client, server];
    pairs.add(pair);
    client.on("data", (data) => server.write(data));
    server.on("data", (data) => (mute ? lost() : client.write(data)));
    for (const [socket, other] of [pair, [server, client] as const])
      socket
        .on("error", () => {})
        .on("close", () => {
          other.destroy();
          pairs.delete(pair);
        });
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const reset = () => {
    for (const pair of pairs) for (const socket of pair) socket.resetAndDestroy();
  };
  t.after(() => {
    reset();
    proxy.close();
  });
  return {
    url: `redis://127.0.0.1:${(proxy.address() as { port: number }).port}`,
    /** Loses the next answers, then cuts the connections, and passes again. */
    async loseAnswers(): Promise<void> {
      mute = true;
      await new Promise<void>((resolve) => {
        lost = resolve;
      });
      reset();
      mute = false;
    },
  };
}

test("answers that are lost never make a message appear twice", async (t) => {
  const server = await startRedis(t);
  const proxy = await startProxy(t, server.port);
  const { store } = await openFixture(t, [proxy.url], { historyOf });
  const start = await positionIn(store, target);
  const expected: string[] = [];
  let duplicates = 0;
  for (let round = 0; round < 20; round++) {
    const names = Array.from({ length: 5 }, (_, i) => `m${round}-${i}`);
    expected.push(...names);
    const appends = names.map((name) => appendAgain(store, name));
    await proxy.loseAnswers();
    for (const { value } of await Promise.all(appends)) if (value.duplicate) duplicates++;
  }
  assert.ok(duplicates >= 10, `${duplicates} answers were lost after the append`);
  const stored = await missedIds(store, target, start);
  assert.deepEqual(stored.toSorted(), expected.toSorted());
});
