// Nodes are killed or restarted one by one under load: the store keeps what was acknowledged, and clients that are back get all that is sent later.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startRedis } from "../helpers/redis-server.ts";
import { awayMs, checkStore, missedWhileConnected } from "./harness/coming-and-going.ts";
import { form } from "./harness/form.ts";
import { bearableRate, startLoad } from "./harness/load.ts";
import { type Node, redisConfig, startNodes } from "./harness/nodes.ts";
import { startReceivers } from "./harness/receivers.ts";
import { until } from "./harness/until.ts";
import { describeMs, describeVerdict, judge } from "./harness/verdict.ts";

const ACCOUNTS = Array.from({ length: 60 }, (_, i) => `user_${i}`);
const KILLS = form(20, 3);

async function startThree(t: TestContext, more: Record<string, unknown> = {}) {
  const redis = await startRedis(t);
  const nodes = await startNodes(t, 3, { config: () => redisConfig(redis.url, more) });
  const receivers = await startReceivers(t, nodes.urls, ACCOUNTS);
  return { redis, nodes, receivers };
}

test(`one of three nodes is killed, ${KILLS} times: the store holds all that was acknowledged, and clients are back on the others`, async (t) => {
  const { redis, nodes, receivers } = await startThree(t);
  const perSecond = await bearableRate(t, nodes.urls, form(1_000, 200));
  const load = startLoad(t, { urls: nodes.urls, accounts: ACCOUNTS, perSecond, insist: true });
  await sleep(1_000);
  for (let kill = 0; kill < KILLS; kill++) {
    const node = nodes[kill % nodes.length] as Node;
    await node.kill();
    await until("all clients are back", 10_000, () => receivers.connected === ACCOUNTS.length);
    await Promise.all([node.start(), sleep(1_000)]);
  }
  await load.stop();
  const verdict = judge(load.acknowledged, receivers.arrivals);
  t.diagnostic(`${describeVerdict(verdict)} (lost: sent while a client was away)`);
  t.diagnostic(`clients were away for ${describeMs(awayMs(receivers))}; answers: ${describeMs(load.answers.map(({ ms }) => ms))}`);
  assert.equal(load.acknowledged.length, load.due);
  await until("what was pushed to connected clients has come", 5_000, () => missedWhileConnected(load, receivers) === 0);
  assert.deepEqual([verdict.duplicates, verdict.inversions], [0, 0]);
  await checkStore(t, redis.url, load);
});

test("three nodes are restarted one after the other: no push is refused or lost, and every client is told and comes back", async (t) => {
  const { redis, nodes, receivers } = await startThree(t, { drain: { window_seconds: 3 } });
  const perSecond = await bearableRate(t, nodes.urls, form(300, 100));
  const load = startLoad(t, { urls: nodes.urls, accounts: ACCOUNTS, perSecond });
  await sleep(500);
  for (const node of nodes) {
    const startMs = performance.now();
    assert.equal(await node.stop(), 0);
    t.diagnostic(`a node was drained in ${(performance.now() - startMs).toFixed(0)} ms`);
    await node.start();
    await until("all clients are back", 5_000, () => receivers.connected === ACCOUNTS.length);
  }
  await sleep(500);
  await load.stop();
  const verdict = judge(load.acknowledged, receivers.arrivals);
  t.diagnostic(`${describeVerdict(verdict)}; ${receivers.endings.length} connections closed, away for ${describeMs(awayMs(receivers))}`);
  assert.deepEqual(
    load.answers.filter(({ status }) => status !== 200),
    [],
    "every push is answered ok at the first try",
  );
  assert.ok(receivers.endings.length >= ACCOUNTS.length);
  assert.deepEqual([...new Set(receivers.endings.map(({ code }) => code))], [1012]);
  assert.deepEqual([verdict.duplicates, verdict.inversions], [0, 0]);
  await until("what was pushed to connected clients has come", 5_000, () => missedWhileConnected(load, receivers) === 0);
  await checkStore(t, redis.url, load);
});
