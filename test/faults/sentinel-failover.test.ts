// The master behind three Sentinels dies under load: the nodes follow to the new one, and leave the old one when it comes back as its replica.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { type RedisSentinels, startRedisSentinels } from "../helpers/redis-sentinel.ts";
import { form, LONG } from "./harness/form.ts";
import { startLoad } from "./harness/load.ts";
import { redisConfig, startNodes } from "./harness/nodes.ts";
import { startReceivers } from "./harness/receivers.ts";
import { settle, until } from "./harness/until.ts";
import { describeMs, describeVerdict, FAULTLESS, faultsOf, flowBack, judge, notAsTold } from "./harness/verdict.ts";

const ACCOUNTS = Array.from({ length: 50 }, (_, i) => `user_${i}`);
const PER_SECOND = form(1_000, 300);
const LOAD_MS = 1_500;

function connectOld(t: TestContext, { master }: RedisSentinels): Redis {
  const old = new Redis(master.port, "127.0.0.1", { connectionName: "test" });
  old.on("error", () => {});
  t.after(() => old.disconnect());
  return old;
}

/** Who is connected to a server besides the Sentinels, its master or replica, and us. */
async function strangers(redis: Redis): Promise<string[]> {
  const lists = await Promise.all(["normal", "pubsub"].map((type) => redis.call("CLIENT", "LIST", "TYPE", type)));
  return lists.flatMap((list) => String(list).split("\n")).filter((line) => line !== "" && !/ name=(sentinel-|test )/.test(line));
}

test("the master dies, and comes back as a replica: nothing acknowledged is lost that the new master has, and no node writes to the old one", async (t) => {
  const sentinels = await startRedisSentinels(t);
  const nodes = await startNodes(t, 2, { config: () => redisConfig(sentinels.url) });
  const receivers = await startReceivers(t, nodes.urls, ACCOUNTS);
  const load = startLoad(t, { urls: nodes.urls, accounts: ACCOUNTS, perSecond: PER_SECOND, insist: true });
  await sleep(LOAD_MS);
  const diedMs = performance.now();
  await sentinels.master.kill();
  await until("the Sentinels name the replica", 20_000, async () => (await sentinels.masterPort()) === sentinels.replica.port);
  await until("both nodes are up", 10_000, async () => (await nodes.sum("xlvein_exchange_up")) === 2);
  const upMs = performance.now();
  await sleep(LOAD_MS);

  // It starts as a master that nobody told; the Sentinels demote it.
  await sentinels.master.start();
  const old = connectOld(t, sentinels);
  await until("the old master is a replica", 20_000, async () => (await old.info("replication")).includes("role:slave"));
  await sleep(LOAD_MS);
  assert.equal(await nodes.sum("xlvein_exchange_up"), 2);
  assert.deepEqual(await strangers(old), [], "no node is connected to the old master");
  await load.stop();
  await settle(load.acknowledged, receivers.arrivals);

  const verdict = judge(load.acknowledged, receivers.arrivals);
  t.diagnostic(`${describeVerdict(verdict)}; ${await nodes.sum("xlvein_stream_epoch_changes_total")} streams had fallen behind`);
  t.diagnostic(`up again ${(upMs - diedMs).toFixed(0)} ms after the kill; flow back after it: ${describeMs(flowBack(receivers.arrivals, [diedMs]))}`);
  assert.deepEqual(faultsOf(verdict), FAULTLESS);
  assert.equal(load.acknowledged.length, load.due, "every message was acknowledged in the end");
  assert.deepEqual(notAsTold(load.answers), [], "an outage is answered 503 with Retry-After");
  assert.deepEqual(receivers.endings, [], "sockets stay open");
});

if (LONG) {
  test("the master is demoted while it lives: the nodes leave it at once, and nothing is lost", async (t) => {
    const sentinels = await startRedisSentinels(t);
    const nodes = await startNodes(t, 2, { config: () => redisConfig(sentinels.url) });
    const receivers = await startReceivers(t, nodes.urls, ACCOUNTS);
    const load = startLoad(t, { urls: nodes.urls, accounts: ACCOUNTS, perSecond: PER_SECOND, insist: true });
    const old = connectOld(t, sentinels);
    const sentinel = new Redis(Number(/:(\d+)/.exec(sentinels.url)?.[1]), "127.0.0.1");
    sentinel.on("error", () => {});
    t.after(() => sentinel.disconnect());
    await sleep(LOAD_MS);
    await sentinel.call("SENTINEL", "FAILOVER", "mymaster");
    await until("the old master is a replica", 20_000, async () => (await old.info("replication")).includes("role:slave"));
    const demotedMs = performance.now();
    await until("the nodes have left it", 5_000, async () => (await strangers(old)).length === 0);
    t.diagnostic(`left ${(performance.now() - demotedMs).toFixed(0)} ms after it became a replica`);
    await until("both nodes are up", 20_000, async () => (await nodes.sum("xlvein_exchange_up")) === 2);
    await sleep(LOAD_MS);
    await load.stop();
    await settle(load.acknowledged, receivers.arrivals);
    const verdict = judge(load.acknowledged, receivers.arrivals);
    t.diagnostic(`${describeVerdict(verdict)}; ${await nodes.sum("xlvein_stream_epoch_changes_total")} streams had fallen behind`);
    assert.deepEqual(faultsOf(verdict), FAULTLESS);
    assert.equal(load.acknowledged.length, load.due);
    assert.deepEqual(receivers.endings, []);
  });
}
