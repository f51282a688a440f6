// The Redis exchange when Redis dies, stops, falls silent or says nonsense, and with very many targets.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { ErrorCode, type XlveinError } from "../../server/src/errors.ts";
import { encodeBody, encodeOnChannel } from "../../server/src/protocol/codec.ts";
import { accountTarget } from "../../server/src/protocol/target.ts";
import { channelName } from "../../server/src/redis/names.ts";
import { createRandom } from "../helpers/random.ts";
import { startRedisProxy } from "../helpers/redis-proxy.ts";
import { type RedisServer, startRedis } from "../helpers/redis-server.ts";
import { numbered, unplaced } from "./contract.ts";
import { createRedisNode, memoryLog, openRedisNode, within } from "./redis-node.ts";

const timeout = 60_000;
const unavailable = (error: XlveinError) => error.code === ErrorCode.EXCHANGE_UNAVAILABLE;
const target = accountTarget("app", "user_1");

async function rejectsWithin(limitMs: number, call: () => Promise<unknown> | undefined): Promise<number> {
  const start = performance.now();
  await assert.rejects(async () => call(), unavailable);
  const took = performance.now() - start;
  assert.ok(took < limitMs, `rejected after ${Math.round(took)} ms, not within ${limitMs}`);
  return took;
}

/** A plain client, closed with the test. */
function client(t: { after(hook: () => void): void }, { port }: Pick<RedisServer, "port">): Redis {
  const redis = new Redis({ port });
  redis.on("error", () => {});
  t.after(() => redis.disconnect());
  return redis;
}

test("a Redis that dies is noticed, and when it is back everything is held again and named as resumed, once", { timeout }, async (t) => {
  const server = await startRedis(t);
  const { exchange, inbox } = await openRedisNode(t, { addresses: [server.url] });
  const others = Array.from({ length: 50 }, (_, n) => accountTarget("app", `other_${n}`));
  await Promise.all([target, ...others].map((each) => exchange.hold(each)));
  exchange.release(others[0] ?? target);

  for (let round = 1; round <= 3; round++) {
    await server.kill();
    await within(500, "down", () => !exchange.state().up);
    await rejectsWithin(1_500, () => exchange.publish(unplaced(target), numbered(0)));
    await rejectsWithin(1_500, () => exchange.hold(accountTarget("app", `new_${round}`)));
    await server.start();
    await inbox.resumedCount(50 * round);
    await within(2_000, "up", () => exchange.state().up);
    assert.equal(inbox.resumptions.length, round);
    assert.deepEqual(new Set(inbox.resumptions.at(-1)?.map(({ name }) => name)), new Set(["user_1", ...others.slice(1).map(({ name }) => name)]));
    await exchange.publish(unplaced(target), numbered(round));
    await inbox.count(round);
  }
  assert.deepEqual(
    inbox.received.map(({ envelope }) => envelope),
    [numbered(1), numbered(2), numbered(3)],
  );
});

test("a hold while Redis is away for a moment is confirmed when it is back", { timeout }, async (t) => {
  const server = await startRedis(t);
  const { exchange, inbox } = await openRedisNode(t, { addresses: [server.url] });
  await server.kill();
  await within(500, "down", () => !exchange.state().up);
  const held = exchange.hold(target);
  await server.start();
  await held;
  await within(2_000, "up", () => exchange.state().up);
  await exchange.publish(unplaced(target), numbered(1));
  await inbox.count(1);
  assert.deepEqual(inbox.resumptions.flat(), [], "it was not held before");
});

test("a Redis that stops without closing anything is noticed within 3 s, and a publish meanwhile rejects within 2 s", { timeout }, async (t) => {
  const server = await startRedis(t);
  const { exchange, inbox, links } = await openRedisNode(t, { addresses: [server.url] });
  await exchange.hold(target);
  server.pause();
  const start = performance.now();
  const hold = rejectsWithin(2_000, () => exchange.hold(accountTarget("app", "early")));
  const publishes = [0, 300, 600, 900].map(async (ms) => {
    await sleep(ms);
    await rejectsWithin(2_000, () => exchange.publish(unplaced(target), numbered(0)));
  });
  await within(3_000, "down", () => !exchange.state().up && !(links.shards[0]?.up ?? true));
  t.diagnostic(`noticed after ${Math.round(performance.now() - start)} ms`);
  await Promise.all([hold, ...publishes]);
  await rejectsWithin(1_500, () => exchange.hold(accountTarget("app", "new")));
  server.resume();
  await within(4_000, "up", () => exchange.state().up);
  await inbox.resumedCount(1);
  const before = inbox.received.length;
  await exchange.publish(unplaced(target), numbered(9));
  await within(2_000, "delivered", () => inbox.received.slice(before).some(({ envelope }) => envelope.kind === "message" && envelope.message.sendAt === 9));
});

test("a half-open link is noticed within 3 s, and healed when the network is", { timeout }, async (t) => {
  const server = await startRedis(t);
  const proxy = await startRedisProxy(t, server.port);
  const { exchange, inbox } = await openRedisNode(t, { addresses: [proxy.url] });
  await exchange.hold(target);
  const before = proxy.accepted;
  proxy.dropAll = true;
  t.diagnostic(`noticed after ${Math.round(await within(3_000, "down", () => !exchange.state().up))} ms`);
  await within(3_000, "both connections are given up", () => proxy.accepted >= before + 2);
  proxy.dropAll = false;
  await within(4_000, "up", () => exchange.state().up);
  await inbox.resumedCount(1);
  await exchange.publish(unplaced(target), numbered(1));
  await inbox.count(1);
});

test("a subscription that hears nothing while everything else answers is found within two probes, made anew and named as resumed", { timeout }, async (t) => {
  const server = await startRedis(t);
  const proxy = await startRedisProxy(t, server.port);
  const probeMs = 400;
  const { exchange, inbox } = await openRedisNode(t, { addresses: [proxy.url], probeMs });
  await exchange.hold(target);
  await exchange.publish(unplaced(target), numbered(1));
  await inbox.count(1);
  // Longer than a PING takes: the link itself must be found alive all the while.
  proxy.dropMessages = true;
  const took = await within(2 * probeMs + 200, "down", () => !exchange.state().up);
  t.diagnostic(`found after ${Math.round(took)} ms with a probe every ${probeMs} ms`);
  await exchange.publish(unplaced(target), numbered(2));
  proxy.dropMessages = false;
  await inbox.resumedCount(1);
  await within(3_000, "up", () => exchange.state().up);
  await exchange.publish(unplaced(target), numbered(3));
  await within(2_000, "delivered", () => inbox.received.some(({ envelope }) => envelope.kind === "message" && envelope.message.sendAt === 3));
});

test("a subscriber that Redis itself throws out is back at once, with what it held", { timeout }, async (t) => {
  const server = await startRedis(t);
  const { exchange, inbox } = await openRedisNode(t, { addresses: [server.url] });
  await exchange.hold(target);
  await client(t, server).call("CLIENT", "KILL", "TYPE", "pubsub");
  await inbox.resumedCount(1);
  await exchange.publish(unplaced(target), numbered(1));
  await inbox.count(1);
});

test("what no node can have written is skipped and counted, and the subscription lives", { timeout }, async (t) => {
  const server = await startRedis(t);
  const { exchange, inbox, poison } = await openRedisNode(t, { addresses: [server.url], prefix: "p" });
  await exchange.hold(target);
  const writer = client(t, server);
  const channel = channelName("p", target);
  const wrong = [
    "",
    "\n",
    "1",
    "1\n",
    "1\n{}",
    "99\n{}",
    "1 e 0 -\n{}",
    "hello",
    "1\n[]\n{}",
    '1\n{"kind":"message"}\n{}',
    "[".repeat(100_000),
    "\u0000\ud800",
    '1\n{"kind":"magic"}\n',
  ];
  for (const text of wrong) await writer.publish(channel, text);
  await writer.publish(channel, Buffer.from([0xff, 0xfe, 0x00]));
  await writer.publish(channel, encodeOnChannel({ epoch: "e", offset: 7, previous: "m6" }, encodeBody(numbered(7))));
  await inbox.count(1);
  assert.equal(poison.length, wrong.length + 1);
  assert.deepEqual(inbox.received, [{ target, position: { epoch: "e", offset: 7, previous: "m6" }, envelope: numbered(7) }]);
  await writer.publish(`p:node:${"x"}`, "not a probe");
  assert.equal(exchange.state().up, true);
});

test("it opens while Redis is not there yet, says so, and works when it comes", { timeout }, async (t) => {
  const server = await startRedis(t);
  await server.kill();
  const { exchange, inbox } = createRedisNode({ addresses: [`127.0.0.1:${server.port}`] });
  t.after(() => exchange.close());
  const start = performance.now();
  await exchange.open(inbox.deliver, inbox.resumed);
  const took = performance.now() - start;
  assert.ok(took > 1_000 && took < 3_000, `opened after ${Math.round(took)} ms`);
  assert.equal(exchange.state().up, false);
  assert.match(exchange.state().detail, /ECONNREFUSED/);
  await rejectsWithin(1_500, () => exchange.publish(unplaced(target), numbered(1)));
  await server.start();
  await within(2_000, "up", () => exchange.state().up);
  await exchange.hold(target);
  await exchange.publish(unplaced(target), numbered(1));
  await inbox.count(1);
});

test("with two shards, one that is away is named, and the other's targets are served", { timeout }, async (t) => {
  const servers = [await startRedis(t), await startRedis(t)] as const;
  const { exchange, inbox, links } = await openRedisNode(t, { addresses: servers.map(({ url }) => url) });
  const targets = Array.from({ length: 40 }, (_, n) => accountTarget("app", `user_${n}`));
  await Promise.all(targets.map((each) => exchange.hold(each)));
  await servers[1].kill();
  await within(500, "down", () => !exchange.state().up);
  assert.match(exchange.state().detail, new RegExp(`127\\.0\\.0\\.1:${servers[1].port}`));
  const outcomes = await Promise.allSettled(targets.map((each, n) => exchange.publish(unplaced(each), numbered(n))));
  const served = outcomes.filter(({ status }) => status === "fulfilled").length;
  assert.ok(served > 5 && served < 35, `${served} of 40 are on the shard that lives`);
  await inbox.count(served);
  await rejectsWithin(1_500, () => exchange.publish(unplaced(...targets), numbered(99)));
  await servers[1].start();
  await inbox.resumedCount(40 - served);
  assert.equal(links.shards[1]?.up, true);
  await within(2_000, "up", () => exchange.state().up);
  await exchange.publish(unplaced(...targets), numbered(100));
  await inbox.count(served + 40);
});

test("100,000 targets are held in seconds, and again after a kill, while deliveries go on", { timeout }, async (t) => {
  const server = await startRedis(t);
  const { exchange, inbox } = await openRedisNode(t, { addresses: [server.url] });
  const targets = Array.from({ length: 100_000 }, (_, n) => accountTarget("app", `user_${n}`));
  const cpu = process.cpuUsage();
  let start = performance.now();
  await Promise.all(targets.map((each) => exchange.hold(each)));
  const held = performance.now() - start;
  await server.kill();
  await within(500, "down", () => !exchange.state().up);
  await server.start();
  start = performance.now();
  let longest = 0;
  let last = performance.now();
  const ticker = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 1);
  await inbox.resumedCount(100_000);
  const again = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  clearInterval(ticker);
  start = performance.now();
  for (const each of targets) exchange.release(each);
  const redis = client(t, server);
  await within(10_000, "released", async () => ((await redis.pubsub("CHANNELS")) as string[]).length === 1);
  t.diagnostic(
    `held in ${Math.round(held)} ms, again in ${Math.round(again)} ms after the kill (longest stall ${Math.round(longest)} ms), released in ${Math.round(performance.now() - start)} ms`,
  );
  t.diagnostic(`${Math.round((user + system) / 1_000)} ms of our own CPU for both`);
  // Of CPU, so that a busy machine does not fail it.
  assert.ok((user + system) / 1_000 < 10_000);
});

test("whatever is held and released in any order, Redis knows exactly what is held", { timeout }, async (t) => {
  const server = await startRedis(t);
  const { exchange, inbox } = await openRedisNode(t, { addresses: [server.url], prefix: "p" });
  const redis = client(t, server);
  const targets = Array.from({ length: 30 }, (_, n) => accountTarget("app", `user_${n}`));
  const channels = targets.map((each) => channelName("p", each));
  const wanted = new Set<number>();
  const seed = Math.floor(Math.random() * 2 ** 31);
  t.diagnostic(`seed ${seed}`);
  const random = createRandom(seed);
  let expected = 0;
  for (let round = 0; round < 60; round++) {
    const holds: Promise<unknown>[] = [];
    for (let step = 0; step < 40; step++) {
      const n = Math.floor(random() * targets.length);
      const each = targets[n] ?? target;
      if (random() < 0.5) {
        wanted.add(n);
        // One that is released before it is confirmed rejects.
        holds.push(Promise.resolve(exchange.hold(each)).catch(() => {}));
      } else {
        wanted.delete(n);
        exchange.release(each);
      }
      if (random() < 0.3) await new Promise((resolve) => setImmediate(resolve));
    }
    if (round % 20 === 19) await redis.call("CLIENT", "KILL", "TYPE", "pubsub");
    await Promise.all(holds);
    const numbers = async () => ((await redis.pubsub("NUMSUB", ...channels)) as (string | number)[]).filter((_, i) => i % 2 === 1).map(Number);
    const right = targets.map((_, n) => (wanted.has(n) ? 1 : 0));
    await within(3_000, `round ${round}: exactly what is held`, async () => (await numbers()).join() === right.join());
    await exchange.publish(unplaced(...targets), numbered(round));
    expected += wanted.size;
    await inbox.count(expected);
  }
  assert.equal(inbox.received.length, expected);
});

test("a user who may not subscribe is refused when it opens", { timeout }, async (t) => {
  const server = await startRedis(t);
  const rights = "on >hunter2 ~xlvein:* resetchannels &other:* +@all";
  await client(t, server).call("ACL", "SETUSER", "xlvein", ...rights.split(" "));
  const { exchange, inbox } = createRedisNode({ addresses: [`redis://xlvein:hunter2@127.0.0.1:${server.port}`] });
  await assert.rejects(
    exchange.open(inbox.deliver, inbox.resumed),
    (error: Error) => /may not subscribe to xlvein:node:.* \(NOPERM\)/.test(error.message) && !/hunter2/.test(error.message),
  );
  assert.equal(exchange.state().up, false);
});

test("no log line, state or error ever holds the password or a body", { timeout }, async (t) => {
  const server = await startRedis(t, ["--requirepass", "hunter2-pass"]);
  const { log, lines } = memoryLog();
  const { exchange } = await openRedisNode(t, { addresses: [`redis://:hunter2-pass@127.0.0.1:${server.port}`], log });
  await exchange.hold(target);
  server.pause();
  const error = await exchange.publish(unplaced(target), numbered(12345)).then(
    () => assert.fail("published"),
    (reason: Error) => reason,
  );
  log.error({ err: error });
  await within(3_000, "down", () => !exchange.state().up);
  server.resume();
  await within(4_000, "up", () => exchange.state().up);
  await server.kill();
  await within(1_000, "down", () => !exchange.state().up);
  const said = lines.join("") + exchange.state().detail;
  assert.match(said, /redis lost/);
  assert.doesNotMatch(said, /hunter2|12345678901234567890/);
});
