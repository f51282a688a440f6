// A second node is started beside a full one, over real brokers and behind a balancer: both end within the threshold, and nobody misses anything.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { startBalancer } from "../faults/harness/balancer.ts";
import { startLoad } from "../faults/harness/load.ts";
import { type Nodes, redisConfig, startNodes } from "../faults/harness/nodes.ts";
import { startResumers } from "../faults/harness/resumers.ts";
import { settle, until } from "../faults/harness/until.ts";
import { FAULTLESS, faultsOf, judge } from "../faults/harness/verdict.ts";
import { connect } from "../helpers/client.ts";
import { startRabbitmq } from "../helpers/rabbitmq-server.ts";
import { startRedis } from "../helpers/redis-server.ts";

const CLIENTS = 60;
const ACCOUNTS = Array.from({ length: CLIENTS }, (_, nth) => `user_${nth}`);
const MEAN = CLIENTS / 2;
const THRESHOLD = 1.25;

async function rebalanced(t: TestContext, redisUrl: string, exchange: object): Promise<void> {
  const config = () => redisConfig(redisUrl, { exchange, rebalance: { enabled: true, threshold: THRESHOLD, closes_per_second: 20 } });
  const [full] = await startNodes(t, 1, { config });
  assert.ok(full);
  let all: Pick<Nodes, "urls">[] = [{ urls: () => [full.url] }];
  const urls = () => all.flatMap((nodes) => nodes.urls());
  const balancer = await startBalancer(t, urls);
  const resumers = await startResumers(t, { url: () => balancer.url, accounts: ACCOUNTS });
  assert.equal(await full.metric("xlvein_connections"), CLIENTS);
  const load = startLoad(t, { urls, accounts: ACCOUNTS, perSecond: 60, insist: true });

  const added = await startNodes(t, 1, { config });
  all = [...all, added];
  const [empty] = added;
  assert.ok(empty);
  const counts = () => Promise.all([full, empty].map((node) => node.metric("xlvein_connections")));
  const tookMs = await until("both nodes are within the threshold, and all clients back", 60_000, async () => {
    const [a = 0, b = 0] = await counts();
    return a + b === CLIENTS && Math.max(a, b) <= MEAN * THRESHOLD && resumers.connected === CLIENTS;
  });
  await load.stop();
  await settle(load.acknowledged, resumers.arrivals);
  const closed = await full.metric("xlvein_rebalance_closed_total");
  t.diagnostic(`${closed} closes, ${(tookMs / 1000).toFixed(1)} s, then ${await counts()}; ${load.acknowledged.length} messages`);
  assert.deepEqual(faultsOf(judge(load.acknowledged, resumers.arrivals)), FAULTLESS);
  assert.deepEqual(resumers.gaps, []);
  assert.ok(closed >= CLIENTS - MEAN * THRESHOLD);
  assert.equal(await full.metric("xlvein_connections_closed_total", { code: "4205" }), closed);
  assert.equal(await empty.metric("xlvein_rebalance_closed_total"), 0);
  assert.deepEqual(await Promise.all([full, empty].map((node) => node.metric("xlvein_exchange_poison_total"))), [0, 0]);
  assert.deepEqual(await Promise.all([full, empty].map((node) => node.metric("xlvein_exchange_reconnects_total"))), [0, 0]);
}

test("over Redis", async (t) => {
  const redis = await startRedis(t);
  await rebalanced(t, redis.url, {});
});

test("over RabbitMQ", async (t) => {
  const [redis, broker] = [await startRedis(t), await startRabbitmq(t)];
  await rebalanced(t, redis.url, { type: "rabbitmq", rabbitmq: broker.url });
});

test("classic clients are closed with 1012, and nobody where it is off", async (t) => {
  const redis = await startRedis(t);
  const start = async (enabled: boolean) => (await startNodes(t, 1, { config: () => redisConfig(redis.url, { rebalance: { enabled } }) }))[0] ?? assert.fail();
  const [on, off] = [await start(true), await start(false)];
  const open = (url: string) => Promise.all(ACCOUNTS.slice(0, 20).map((account) => connect(t, url, { account })));
  const [here, there] = [await open(on.url), await open(off.url)];
  await start(true);
  assert.deepEqual(await here[0]?.closed, { code: 1012, reason: "server rebalances" });
  await until("all above the mean are gone", 10_000, async () => (await on.metric("xlvein_connections")) === 10);
  assert.equal(there.filter(({ socket }) => socket.readyState !== socket.OPEN).length, 0);
});
