// One client reads nothing while many others on both nodes receive: it is cut off, and the others do not notice.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startRedis } from "../helpers/redis-server.ts";
import { form } from "./harness/form.ts";
import { type Acknowledged, startLoad } from "./harness/load.ts";
import { type Node, redisConfig, startNodes } from "./harness/nodes.ts";
import { type Arrival, startReceivers } from "./harness/receivers.ts";
import { settle, until } from "./harness/until.ts";
import { describeMs, describeVerdict, FAULTLESS, faultsOf, identityOf, judge } from "./harness/verdict.ts";

const OTHERS = Array.from({ length: form(200, 50) }, (_, i) => `user_${i}`);

/** From the push to the arrival, ms. */
function latencies(acknowledged: readonly Acknowledged[], arrivals: readonly Arrival[], fromMs: number, toMs: number): number[] {
  const arrived = new Map(arrivals.map((arrival) => [identityOf(arrival), arrival.atMs]));
  return acknowledged
    .filter(({ sentMs }) => sentMs >= fromMs && sentMs < toMs)
    .flatMap((sent) => {
      const atMs = arrived.get(identityOf(sent));
      return atMs === undefined ? [] : [atMs - sent.sentMs];
    });
}

test("a client that stops reading is closed with 1013, at a bounded cost, and the others on its node and elsewhere lose nothing", async (t) => {
  const redis = await startRedis(t);
  const nodes = await startNodes(t, 2, { config: () => redisConfig(redis.url, { store: { history: { messages: 20, seconds: 60 } } }) });
  const first = nodes[0] as Node;
  const others = await startReceivers(t, nodes.urls, OTHERS);
  const slow = await startReceivers(t, () => [first.url], ["slow"]);
  const load = startLoad(t, { urls: nodes.urls, accounts: OTHERS, perSecond: 200 });
  await sleep(2_000);
  const pausedMs = performance.now();
  const before = await first.metric("process_resident_memory_bytes");
  const [socket] = slow.sockets.values();
  socket?.pause();
  const flood = startLoad(t, { urls: () => [nodes[1]?.url ?? ""], accounts: Array.from({ length: 8 }, () => "slow"), perSecond: 200, padding: 60_000 });
  let buffered = 0;
  const cut = async () => {
    buffered = Math.max(buffered, await first.metric("xlvein_send_buffer_bytes"));
    return (
      (await first.metric("xlvein_connections_closed_total", { code: "1013" })) >= 1 ||
      (await first.metric("xlvein_messages_dropped_total", { reason: "slow_consumer" })) >= 1
    );
  };
  const cutMs = await until("it is cut off", 20_000, cut);
  socket?.resume();
  await until("it is told", 20_000, () => slow.endings.length > 0);
  assert.equal(slow.endings[0]?.code, 1013);
  await until("it is back", 5_000, () => slow.connected === 1);
  await flood.stop();
  await load.stop();
  const endMs = performance.now();
  await settle(load.acknowledged, others.arrivals);
  const after = await first.metric("process_resident_memory_bytes");
  const verdict = judge(load.acknowledged, others.arrivals);
  t.diagnostic(
    `cut off after ${cutMs.toFixed(0)} ms and ${flood.acknowledged.length} messages of 60 kB; at most ${(buffered / 1_024).toFixed(0)} KiB in outboxes`,
  );
  t.diagnostic(`${describeVerdict(verdict)}; resident memory ${((after - before) / 1_048_576).toFixed(0)} MiB more`);
  t.diagnostic(`others before: ${describeMs(latencies(load.acknowledged, others.arrivals, 0, pausedMs))}`);
  t.diagnostic(`others meanwhile: ${describeMs(latencies(load.acknowledged, others.arrivals, pausedMs, endMs))}`);
  assert.ok(buffered <= 1_048_576, "the outbox is bounded");
  assert.deepEqual(faultsOf(verdict), FAULTLESS);
  assert.deepEqual(others.endings, []);
});
