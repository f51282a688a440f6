// A master of a Redis Cluster dies under load: the accounts in its slots wait for its replica, the others flow on.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { accountTarget } from "../../server/src/protocol/target.ts";
import { channelName } from "../../server/src/redis/names.ts";
import { slotOf } from "../../server/src/redis/slot.ts";
import { push } from "../helpers/client.ts";
import { startRedisCluster } from "../helpers/redis-cluster.ts";
import { form, LONG } from "./harness/form.ts";
import { startLoad } from "./harness/load.ts";
import { redisConfig, startNodes } from "./harness/nodes.ts";
import { startReceivers } from "./harness/receivers.ts";
import { settle, until } from "./harness/until.ts";
import { describeMs, describeVerdict, FAULTLESS, faultsOf, flowBack, judge } from "./harness/verdict.ts";

const ACCOUNTS = Array.from({ length: 60 }, (_, i) => `user_${i}`);
const PER_SECOND = form(1_000, 300);
const LOAD_MS = 1_500;
/** Otherwise no master serves anybody while one is missing. */
const PARTIAL = ["--cluster-require-full-coverage", "no"];
/** A master has a third of the slots, from the first on. */
const FIRST_THIRD = Math.floor(16_384 / 3);
const onFirst = (account: string) => slotOf(channelName("xlvein", accountTarget("test", account))) < FIRST_THIRD;

/** Without keys: a key has a record in a slot of its own, which may be one of those that nobody serves. */
async function assertOthersFlow(url: string): Promise<void> {
  const startMs = performance.now();
  const answers = await Promise.all(ACCOUNTS.map(async (account) => ({ account, status: (await push(url, [account], { publisher: -1, seq: 0 })).status })));
  assert.ok(performance.now() - startMs < 2_000, "all are answered in time");
  for (const { account, status } of answers) assert.equal(status, onFirst(account) ? 503 : 200, account);
}

test("a master dies and its replica takes over: nothing acknowledged is lost, nothing comes twice, and the other masters' accounts flow on", async (t) => {
  const cluster = await startRedisCluster(t, { replicas: 1, args: PARTIAL });
  const nodes = await startNodes(t, 2, { config: () => redisConfig(cluster.url) });
  const receivers = await startReceivers(t, nodes.urls, ACCOUNTS);
  const load = startLoad(t, { urls: nodes.urls, accounts: ACCOUNTS, perSecond: PER_SECOND, insist: true });
  await sleep(LOAD_MS);
  const diedMs = performance.now();
  await cluster.masters[0]?.kill();
  await assertOthersFlow(nodes[0]?.url ?? "");
  await until("the replica owns the slots", 20_000, async () => (await cluster.ownerOf(0)) === cluster.replicas[0]);
  await until("both nodes are up", 20_000, async () => (await nodes.sum("xlvein_exchange_up")) === 2);
  const upMs = performance.now();
  await sleep(LOAD_MS);
  await load.stop();
  await settle(load.acknowledged, receivers.arrivals);

  const arrivals = receivers.arrivals.filter(({ publisher }) => publisher >= 0);
  const verdict = judge(load.acknowledged, arrivals);
  const [mine, others] = [arrivals.filter(({ account }) => onFirst(account)), arrivals.filter(({ account }) => !onFirst(account))];
  t.diagnostic(`${describeVerdict(verdict)}; ${await nodes.sum("xlvein_stream_epoch_changes_total")} streams had fallen behind`);
  t.diagnostic(
    `up again ${(upMs - diedMs).toFixed(0)} ms after the kill; next delivery of its accounts ${describeMs(flowBack(mine, [diedMs]))}, of the others ${describeMs(flowBack(others, [diedMs]))}`,
  );
  assert.deepEqual(faultsOf(verdict), FAULTLESS);
  assert.equal(load.acknowledged.length, load.due, "every message was acknowledged in the end");
  assert.deepEqual(receivers.endings, [], "sockets stay open");
});

if (LONG) {
  test("a master without a replica is killed and comes back three times: its accounts are refused meanwhile and miss nothing", async (t) => {
    const cluster = await startRedisCluster(t, { args: PARTIAL });
    const nodes = await startNodes(t, 2, { config: () => redisConfig(cluster.url) });
    const receivers = await startReceivers(t, nodes.urls, ACCOUNTS);
    const load = startLoad(t, { urls: nodes.urls, accounts: ACCOUNTS, perSecond: PER_SECOND, insist: true });
    const flow: number[] = [];
    for (let kill = 0; kill < 3; kill++) {
      await sleep(LOAD_MS);
      await cluster.masters[0]?.kill();
      await until("the nodes notice", 5_000, async () => (await nodes.sum("xlvein_exchange_up")) === 0);
      await sleep(LOAD_MS);
      await assertOthersFlow(nodes[0]?.url ?? "");
      await cluster.masters[0]?.start();
      flow.push(performance.now());
      await until("both nodes are up", 20_000, async () => (await nodes.sum("xlvein_exchange_up")) === 2);
    }
    await sleep(LOAD_MS);
    await load.stop();
    await settle(load.acknowledged, receivers.arrivals);
    const arrivals = receivers.arrivals.filter(({ publisher }) => publisher >= 0);
    const verdict = judge(load.acknowledged, arrivals);
    t.diagnostic(
      `${describeVerdict(verdict)}; flow back after it listens: ${describeMs(
        flowBack(
          receivers.arrivals.filter(({ account }) => onFirst(account)),
          flow,
        ),
      )}`,
    );
    assert.deepEqual(faultsOf(verdict), FAULTLESS);
    assert.equal(load.acknowledged.length, load.due);
    assert.deepEqual(receivers.endings, []);
  });
}
