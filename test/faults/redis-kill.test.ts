// Redis is killed, wiped, or put back to an older state under load: what is acknowledged arrives once and in order, or the loss is told.
import assert from "node:assert/strict";
import { cp, rm } from "node:fs/promises";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startSteadyRedis } from "../helpers/steady-redis.ts";
import { form } from "./harness/form.ts";
import { bearableRate, startLoad } from "./harness/load.ts";
import { redisConfig, startNodes } from "./harness/nodes.ts";
import { startReceivers } from "./harness/receivers.ts";
import { timeline } from "./harness/timeline.ts";
import { settle, until } from "./harness/until.ts";
import { describeMs, describeVerdict, FAULTLESS, faultsOf, flowBack, judge, notAsTold, percentile } from "./harness/verdict.ts";

const ACCOUNTS = Array.from({ length: 25 }, (_, i) => `user_${i}`);
/** Two publishers for each account. */
const PUBLISHED = [...ACCOUNTS, ...ACCOUNTS];
const KILLS = form(20, 5);
const PER_SECOND = form(1_000, 300);
const LOAD_MS = 900;
const AWAY_MS = 200;
const FLOW_MS = 1_500;

test(`Redis is killed ${KILLS} times: nothing acknowledged is lost, nothing comes twice, and it flows again at once`, async (t) => {
  const redis = await startSteadyRedis(t);
  const nodes = await startNodes(t, 2, { config: () => redisConfig(redis.url) });
  const receivers = await startReceivers(t, nodes.urls, ACCOUNTS);
  const perSecond = await bearableRate(t, nodes.urls, PER_SECOND);
  const load = startLoad(t, { urls: nodes.urls, accounts: PUBLISHED, perSecond, insist: true });
  const backMs: number[] = [];
  const startMs = performance.now();
  await sleep(LOAD_MS);
  for (let kill = 0; kill < KILLS; kill++) {
    await redis.kill();
    await sleep(AWAY_MS);
    await redis.start();
    const listensMs = performance.now();
    backMs.push(listensMs);
    const flows = until("every account receives again", 10_000, () => ACCOUNTS.every((account) => (receivers.lastMs.get(account) ?? 0) > listensMs));
    await Promise.all([flows, sleep(LOAD_MS)]);
  }
  await load.stop();
  const tookMs = performance.now() - startMs;
  await settle(load.acknowledged, receivers.arrivals);

  const verdict = judge(load.acknowledged, receivers.arrivals);
  const flow = flowBack(receivers.arrivals, backMs);
  const worst = backMs.map((momentMs) => Math.max(...flowBack(receivers.arrivals, [momentMs])).toFixed(0));
  const refused = load.answers.filter(({ status }) => status !== 200);
  t.diagnostic(`${describeVerdict(verdict)}; ${((1_000 * load.acknowledged.length) / tookMs).toFixed(0)} a second, ${refused.length} answers refused`);
  t.diagnostic(`flow back after Redis listens: ${describeMs(flow)}; answers: ${describeMs(load.answers.map(({ ms }) => ms))}`);
  t.diagnostic(`the last account after each kill: ${worst.join(", ")} ms; ${await nodes.sum("xlvein_stream_repaired_messages_total")} messages repaired`);
  assert.equal(await nodes.sum("xlvein_stream_epoch_changes_total"), 0, "Redis had all that it had answered for");
  assert.deepEqual(faultsOf(verdict), FAULTLESS);
  assert.equal(load.acknowledged.length, load.due, "every message was acknowledged in the end");
  assert.ok(refused.length > 0, "an outage is noticed");
  assert.deepEqual(notAsTold(refused), [], "an outage is answered 503 with Retry-After");
  const p99 = percentile(flow, 0.99);
  const slowest = backMs.findIndex((momentMs) => flowBack(receivers.arrivals, [momentMs]).includes(percentile(flow, 1)));
  assert.ok(p99 < FLOW_MS, `p99 ${p99.toFixed(0)} ms; after the slowest return:\n${timeline(nodes, performance.timeOrigin + (backMs[slowest] ?? 0))}`);
  assert.deepEqual(receivers.endings, [], "sockets stay open");
});

test("Redis comes back empty: every stream that was lost is counted and told, and nothing comes twice", async (t) => {
  const redis = await startSteadyRedis(t, ["--appendonly", "no"]);
  const nodes = await startNodes(t, 2, { config: () => redisConfig(redis.url) });
  // One for each account, and the application's on each node.
  const streams = ACCOUNTS.length + nodes.length;
  const receivers = await startReceivers(t, nodes.urls, ACCOUNTS);
  const load = startLoad(t, { urls: nodes.urls, accounts: ACCOUNTS, perSecond: 300, insist: true });
  for (let kill = 1; kill <= 3; kill++) {
    await sleep(LOAD_MS);
    await redis.kill();
    await sleep(AWAY_MS);
    await redis.start();
    await until("each stream is known to be another", 10_000, async () => (await nodes.sum("xlvein_stream_epoch_changes_total")) >= kill * streams);
  }
  await sleep(LOAD_MS);
  await load.stop();
  await settle(load.acknowledged, receivers.arrivals, 1_000);

  const verdict = judge(load.acknowledged, receivers.arrivals);
  const changes = await nodes.sum("xlvein_stream_epoch_changes_total");
  t.diagnostic(`${describeVerdict(verdict)}; ${changes} epoch changes`);
  assert.equal(changes, 3 * streams, "each stream changed once per wipe");
  const told = nodes.flatMap(({ lines }) => lines).filter((line) => line.includes('"event":"stream changed"'));
  assert.equal(told.length, changes);
  assert.equal(verdict.duplicates, 0);
  assert.deepEqual(receivers.endings, []);
  const after = load.acknowledged.filter(({ atMs }) => atMs > performance.now() - LOAD_MS / 2);
  assert.equal(judge(after, receivers.arrivals).lost, 0, "what is sent later arrives");
});

test("an older copy of the data is put back under running nodes: every stream that fell behind is told, and what is new arrives once", async (t) => {
  const redis = await startSteadyRedis(t);
  const nodes = await startNodes(t, 2, { config: () => redisConfig(redis.url) });
  const receivers = await startReceivers(t, nodes.urls, ACCOUNTS);
  const load = startLoad(t, { urls: nodes.urls, accounts: ACCOUNTS, perSecond: 300, insist: true });
  const copy = `${redis.directory}-older`;
  t.after(() => rm(copy, { recursive: true, force: true }));
  await sleep(LOAD_MS);
  await cp(redis.directory, copy, { recursive: true });
  await sleep(LOAD_MS);
  await redis.kill();
  await rm(redis.directory, { recursive: true });
  await cp(copy, redis.directory, { recursive: true });
  await redis.start();
  const backMs = performance.now();
  await until("each stream is known to be another", 10_000, async () => (await nodes.sum("xlvein_stream_epoch_changes_total")) >= ACCOUNTS.length);
  await sleep(LOAD_MS);
  await load.stop();
  await settle(load.acknowledged, receivers.arrivals);

  const verdict = judge(load.acknowledged, receivers.arrivals);
  t.diagnostic(`${describeVerdict(verdict)}; told after ${describeMs(flowBack(receivers.arrivals, [backMs]))}`);
  assert.equal(await nodes.sum("xlvein_stream_epoch_changes_total"), ACCOUNTS.length);
  assert.deepEqual(faultsOf(verdict), FAULTLESS, "clients that were connected all the time have missed nothing");
  assert.deepEqual(receivers.endings, []);
});
