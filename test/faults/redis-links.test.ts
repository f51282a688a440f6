// The link to Redis is half-open, slow, or loses answers: pushes are answered in time, nothing acknowledged is lost, nothing comes twice.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startRedis } from "../helpers/redis-server.ts";
import { form } from "./harness/form.ts";
import { classicBody, type Load, push, pushClassic, startLoad } from "./harness/load.ts";
import { type Node, redisConfig, startNodes } from "./harness/nodes.ts";
import { type Flow, startProxy } from "./harness/proxy.ts";
import { type Receivers, startReceivers } from "./harness/receivers.ts";
import { settle, until } from "./harness/until.ts";
import { describeMs, describeVerdict, FAULTLESS, faultsOf, judge, notAsTold, percentile } from "./harness/verdict.ts";

const ACCOUNTS = Array.from({ length: 30 }, (_, i) => `user_${i}`);
const FAULT_MS = form(5_000, 3_500);
const NOTICED_MS = 3_000;
const ANSWERED_MS = 2_000;
/** What a busy machine may add to a single answer. */
const HANGS_MS = 3_000;
const PER_SECOND = 150;

/** Two nodes on one Redis; the link of the first goes through a proxy. */
async function startPair(t: TestContext) {
  const redis = await startRedis(t);
  const proxy = await startProxy(t, redis.port);
  const nodes = await startNodes(t, 2, { config: (nth) => redisConfig(nth === 0 ? `redis://127.0.0.1:${proxy.port}` : redis.url) });
  const receivers = await startReceivers(t, nodes.urls, ACCOUNTS);
  return { redis, proxy, nodes, first: nodes[0] as Node, receivers };
}

async function finish(t: TestContext, load: Load, receivers: Receivers): Promise<void> {
  await load.stop();
  await settle(load.acknowledged, receivers.arrivals);
  const verdict = judge(load.acknowledged, receivers.arrivals);
  const refused = load.answers.filter(({ status }) => status !== 200);
  t.diagnostic(`${describeVerdict(verdict)}; ${refused.length} answers refused; answers: ${describeMs(load.answers.map(({ ms }) => ms))}`);
  assert.deepEqual(faultsOf(verdict), FAULTLESS);
  assert.deepEqual(notAsTold(refused), [], "an outage is answered 503 with Retry-After");
  const waits = load.answers.map(({ ms }) => ms);
  assert.ok(percentile(waits, 0.99) < ANSWERED_MS && percentile(waits, 1) < HANGS_MS, `pushes are answered in time: ${describeMs(waits)}`);
  assert.deepEqual(receivers.endings, [], "sockets stay open");
}

const halves: readonly [string, { up?: Flow; down?: Flow }][] = [
  ["both ways", { up: "drop", down: "drop" }],
  ["only from Redis", { down: "drop" }],
];

for (const [name, flows] of halves) {
  test(`a link that passes nothing any more, ${name}, is noticed and told, and what it missed is made up`, async (t) => {
    const { proxy, nodes, first, receivers } = await startPair(t);
    const load = startLoad(t, { urls: nodes.urls, accounts: ACCOUNTS, perSecond: PER_SECOND, insist: true });
    await sleep(500);
    proxy.set(flows);
    const startMs = performance.now();
    const downMs = await until("xlvein_exchange_up is 0", NOTICED_MS, async () => (await first.metric("xlvein_exchange_up")) === 0);
    const toldMs = await until("/readyz?verbose tells", NOTICED_MS - downMs, async () => (await first.ready()).includes("[-]exchange: redis"));
    t.diagnostic(`noticed after ${downMs.toFixed(0)} ms, told after ${(downMs + toldMs).toFixed(0)} ms`);
    assert.match(await first.ready(), /readyz check passed/, "a broker's outage takes no node out of service");
    assert.equal(await nodes[1]?.metric("xlvein_exchange_up"), 1, "the other node is not concerned");

    const answer = await push(undefined, first.url, JSON.stringify({ accounts: ["user_0"], data: { publisher: -1, seq: 1 } }));
    assert.deepEqual([answer.status, answer.body.code, answer.retryAfter], [503, 1007, "1"]);
    const classic = await pushClassic(undefined, first.url, JSON.stringify(classicBody("user_0", { publisher: -1, seq: 2 }, crypto.randomUUID())));
    assert.deepEqual([classic.status, classic.body.error, classic.retryAfter], [200, 1007, "1"]);
    for (const { ms } of [answer, classic]) assert.ok(ms < ANSWERED_MS);

    await sleep(Math.max(0, FAULT_MS - (performance.now() - startMs)));
    proxy.heal();
    const upMs = await until("xlvein_exchange_up is 1", NOTICED_MS, async () => (await first.metric("xlvein_exchange_up")) === 1);
    await until("what was missed has come", 5_000, async () => (await first.metric("xlvein_stream_repaired_messages_total")) > 0);
    t.diagnostic(`up ${upMs.toFixed(0)} ms after the link healed; ${await first.metric("xlvein_stream_repaired_messages_total")} messages repaired`);
    await finish(t, load, receivers);
  });
}

test("a Redis whose answers take half a second is waited for, and one that takes three is not: no push hangs, none is acknowledged and lost", async (t) => {
  const { proxy, nodes, receivers } = await startPair(t);
  const load = startLoad(t, { urls: nodes.urls, accounts: ACCOUNTS, perSecond: 60, insist: true });
  await sleep(500);
  proxy.delayMs = 250;
  await sleep(FAULT_MS);
  const refusedWhileSlow = load.answers.filter(({ status }) => status !== 200).length;
  proxy.delayMs = 1_500;
  await sleep(FAULT_MS);
  const refused = load.answers.filter(({ status }) => status !== 200).length - refusedWhileSlow;
  t.diagnostic(`refused at 0.5 s: ${refusedWhileSlow}, at 3 s: ${refused}`);
  assert.ok(refused > 0, "three seconds are too long");
  proxy.heal();
  await until("the nodes are up", 5_000, async () => (await nodes.sum("xlvein_exchange_up")) === 2);
  await finish(t, load, receivers);
});

test("answers of Redis that are lost never make a push arrive twice, and its key names the same message for ever", async (t) => {
  const { proxy, nodes, first, receivers } = await startPair(t);
  const rounds = form(20, 8);
  const parallel = 5;
  const send = (seq: number) =>
    push(undefined, first.url, JSON.stringify({ accounts: ["user_0"], data: { publisher: 0, seq }, idempotency_key: `lost-${seq}` }));
  const insist = async (seq: number) => {
    for (let tries = 1; ; tries++) {
      const answer = await send(seq);
      if (answer.status === 200) return { ...answer, tries };
      assert.equal(answer.status, 503);
      await sleep(25);
    }
  };
  const acknowledged: { account: string; publisher: number; seq: number }[] = [];
  let found = 0;
  let tries = 0;
  for (let round = 0; round < rounds; round++) {
    await until("the node is up", 5_000, async () => (await first.metric("xlvein_exchange_up")) === 1);
    // In turn the answers to the keys' claims are lost, or those to the appends.
    if (round % 2 === 0) proxy.set({ down: "drop" });
    else proxy.onAnswer = () => proxy.set({ down: "drop" });
    const seqs = Array.from({ length: parallel }, (_, i) => round * parallel + i + 1);
    const pushes = seqs.map(insist);
    await sleep(200);
    proxy.onAnswer = () => {};
    proxy.reset();
    proxy.heal();
    for (const [i, answer] of (await Promise.all(pushes)).entries()) {
      tries += answer.tries;
      if (answer.body.duplicate) found++;
      acknowledged.push({ account: "user_0", publisher: 0, seq: seqs[i] as number });
      const again = await send(seqs[i] as number);
      assert.deepEqual([again.status, again.body.msg_id, again.body.duplicate], [200, answer.body.msg_id, true]);
    }
  }
  const all = () => judge(acknowledged, receivers.arrivals).lost === 0;
  await until("everything has arrived", 5_000, all);
  const { lost, duplicates } = judge(acknowledged, receivers.arrivals);
  t.diagnostic(`${acknowledged.length} pushes in ${tries} tries; ${found} were found done or begun when they were tried again`);
  assert.ok(found >= rounds, "answers were lost after Redis had done its work");
  assert.deepEqual([lost, duplicates], [0, 0]);
  assert.deepEqual(nodes.length, 2);
  assert.deepEqual(receivers.endings, []);
});
