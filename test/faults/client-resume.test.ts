// Nodes that die or are restarted under clients of the SDK: they resume on another node and miss nothing.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startRedis } from "../helpers/redis-server.ts";
import { startBalancer } from "./harness/balancer.ts";
import { form } from "./harness/form.ts";
import { bearableRate, startLoad } from "./harness/load.ts";
import { type Node, type Nodes, redisConfig, startNodes } from "./harness/nodes.ts";
import { type Resumers, startResumers } from "./harness/resumers.ts";
import { settle, until } from "./harness/until.ts";
import { describeMs, describeVerdict, FAULTLESS, faultsOf, judge, percentile } from "./harness/verdict.ts";

const CLIENTS = form(300, 60);
const KILLS = form(20, 3);
/** The short form shares the machine with other tests. */
const BACK_MS = form(3_000, 10_000);
const ACCOUNTS = Array.from({ length: CLIENTS }, (_, nth) => `user_${nth}`);

async function startAll(t: TestContext, more: Record<string, unknown> = {}) {
  const redis = await startRedis(t);
  const nodes = await startNodes(t, 3, { config: () => redisConfig(redis.url, more) });
  const balancer = await startBalancer(t, nodes.urls);
  const resumers = await startResumers(t, { url: () => balancer.url, accounts: ACCOUNTS });
  return { nodes, resumers };
}

/** How long each client was without a connection, ms. */
function awayMs({ changes }: Resumers): number[] {
  return [...Map.groupBy(changes, ({ account }) => account).values()].flatMap((all) => {
    const lost = all.filter(({ state }) => state === "disconnected");
    return lost.flatMap(({ atMs }) => {
      const back = all.find((change) => change.state === "connected" && change.atMs > atMs);
      return back ? [back.atMs - atMs] : [];
    });
  });
}

/** What the client that was away longest went through. */
function slowest({ changes }: Resumers): string[] {
  const away = new Map<string, number>();
  let worst = { account: "", ms: 0, fromMs: 0 };
  for (const { account, state, atMs } of changes) {
    if (state === "disconnected" && !away.has(account)) away.set(account, atMs);
    if (state !== "connected") continue;
    const fromMs = away.get(account) ?? atMs;
    if (atMs - fromMs > worst.ms) worst = { account, ms: atMs - fromMs, fromMs };
    away.delete(account);
  }
  return changes
    .filter(({ account, atMs }) => account === worst.account && atMs >= worst.fromMs && atMs <= worst.fromMs + worst.ms)
    .map(({ state, reason, atMs }) => `${(atMs - worst.fromMs).toFixed(0)} ms: ${state} ${reason}`);
}

async function underLoad(t: TestContext, nodes: Nodes, resumers: Resumers, wished: number, disturb: () => Promise<void>): Promise<void> {
  const perSecond = await bearableRate(t, nodes.urls, wished);
  const load = startLoad(t, { urls: nodes.urls, accounts: ACCOUNTS, perSecond, insist: true });
  await sleep(500);
  await disturb();
  await load.stop();
  await settle(load.acknowledged, resumers.arrivals);
  const verdict = judge(load.acknowledged, resumers.arrivals);
  const away = awayMs(resumers);
  t.diagnostic(`${describeVerdict(verdict)}; clients were away for ${describeMs(away)}`);
  assert.equal(load.acknowledged.length, load.due);
  assert.deepEqual(faultsOf(verdict), FAULTLESS);
  assert.deepEqual(resumers.gaps, []);
  for (const line of slowest(resumers)) t.diagnostic(line);
  assert.ok(percentile(away, 0.99) < BACK_MS, `clients are back within ${BACK_MS} ms`);
}

test(`one of three nodes is killed, ${KILLS} times: its clients resume on the others and get all that was acknowledged, once and in order`, async (t) => {
  const { nodes, resumers } = await startAll(t);
  await underLoad(t, nodes, resumers, form(1_000, 200), async () => {
    for (let kill = 0; kill < KILLS; kill++) {
      const node = nodes[kill % nodes.length] as Node;
      await node.kill();
      await until("all clients are back", 10_000, () => resumers.connected === CLIENTS);
      await Promise.all([node.start(), sleep(500)]);
    }
  });
});

test("three nodes are restarted one after the other: every client moves and misses nothing", async (t) => {
  const { nodes, resumers } = await startAll(t, { drain: { window_seconds: 3 } });
  await underLoad(t, nodes, resumers, form(300, 100), async () => {
    for (const node of nodes) {
      assert.equal(await node.stop(), 0);
      await node.start();
      await until("all clients are back", 10_000, () => resumers.connected === CLIENTS);
    }
  });
});
