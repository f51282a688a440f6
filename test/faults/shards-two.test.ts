// Two Redis that share the accounts by consistent hash: one dies and only its accounts notice; nodes that do not share alike do not start.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createLog } from "../../server/src/log.ts";
import { accountTarget, targetId } from "../../server/src/protocol/target.ts";
import { createRedisLinks } from "../../server/src/redis/connect.ts";
import { push } from "../helpers/client.ts";
import { startProcess } from "../helpers/process.ts";
import { startRedis } from "../helpers/redis-server.ts";
import { startSteadyRedis } from "../helpers/steady-redis.ts";
import { form } from "./harness/form.ts";
import { startLoad } from "./harness/load.ts";
import { redisConfig, startNodes } from "./harness/nodes.ts";
import { startReceivers } from "./harness/receivers.ts";
import { settle, until } from "./harness/until.ts";
import { describeMs, describeVerdict, FAULTLESS, faultsOf, flowBack, judge } from "./harness/verdict.ts";

const ACCOUNTS = Array.from({ length: 60 }, (_, i) => `user_${i}`);
const PER_SECOND = form(1_000, 300);
const LOAD_MS = 1_000;

/** Which of the addresses has an account. */
function shardsOf(addresses: readonly string[]): (account: string) => number {
  const links = createRedisLinks({ addresses, prefix: "xlvein", log: createLog({ level: "silent" }) });
  return (account) => links.shardOf(targetId(accountTarget("test", account))).index;
}

test("one of two Redis dies: its accounts are refused, the others flow on, and when it is back nothing is missing", async (t) => {
  const redis = [await startSteadyRedis(t), await startSteadyRedis(t)] as const;
  const addresses = redis.map(({ url }) => url);
  const shardOf = shardsOf(addresses);
  const on = (shard: number) => ACCOUNTS.filter((account) => shardOf(account) === shard);
  assert.ok(on(0).length > 10 && on(1).length > 10, "both have accounts");
  const nodes = await startNodes(t, 2, { config: () => redisConfig(addresses) });
  const receivers = await startReceivers(t, nodes.urls, ACCOUNTS);
  const load = startLoad(t, { urls: nodes.urls, accounts: ACCOUNTS, perSecond: PER_SECOND, insist: true });
  await sleep(LOAD_MS);
  await redis[1].kill();
  await until("the nodes notice", 3_000, async () => (await nodes.sum("xlvein_exchange_up")) === 0);
  const url = nodes[0]?.url ?? "";
  const answers = await Promise.all(ACCOUNTS.map(async (account) => ({ account, status: (await push(url, [account], { publisher: -1, seq: 0 })).status })));
  assert.deepEqual(new Set(answers.filter(({ status }) => status === 503).map(({ account }) => account)), new Set(on(1)));
  assert.deepEqual(new Set(answers.filter(({ status }) => status === 200).map(({ account }) => account)), new Set(on(0)));
  const noticedMs = performance.now();
  await sleep(LOAD_MS);
  assert.match((await nodes[0]?.ready()) ?? "", new RegExp(`redis 127\\.0\\.0\\.1:${redis[1].port}`), "the one that is away is named");
  await redis[1].start();
  const backMs = performance.now();
  await until("the nodes are up", 5_000, async () => (await nodes.sum("xlvein_exchange_up")) === 2);
  await sleep(LOAD_MS);
  await load.stop();
  await settle(load.acknowledged, receivers.arrivals);

  const arrivals = receivers.arrivals.filter(({ publisher }) => publisher >= 0);
  const verdict = judge(load.acknowledged, arrivals);
  const away = load.acknowledged.filter(({ atMs }) => atMs > noticedMs && atMs < backMs);
  const silences = flowBack(
    arrivals.filter(({ account }) => shardOf(account) === 1),
    [backMs],
  );
  t.diagnostic(`${describeVerdict(verdict)}; ${away.length} of the others meanwhile; flow back: ${describeMs(silences)}`);
  assert.deepEqual(faultsOf(verdict), FAULTLESS);
  assert.equal(load.acknowledged.length, load.due);
  assert.ok(away.length > 0 && away.every(({ account }) => shardOf(account) === 0));
  assert.ok(Math.max(...silences) < 2_000);
  assert.deepEqual(receivers.endings, []);
});

test("a node with another list of addresses does not start, and says both lists", async (t) => {
  const [first, second, third] = [(await startRedis(t)).url, (await startRedis(t)).url, (await startRedis(t)).url];
  await startProcess(t, { config: redisConfig([first, second]) });
  await startProcess(t, { config: redisConfig([second, first]) });
  for (const other of [[first], [first, third], [first, second, third]]) {
    const started = startProcess(t, { config: redisConfig(other) });
    await assert.rejects(started, (error: Error) => {
      const list = (urls: readonly string[]) =>
        `[${urls
          .map((each) => each.slice("redis://".length))
          .sort()
          .join(" ")}]`;
      assert.ok(error.message.includes(list([first, second])), error.message);
      assert.ok(error.message.includes(list(other)), error.message);
      return true;
    });
  }
});
