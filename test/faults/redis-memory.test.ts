// Redis is full, or a node has little memory: pushes are refused in time, nothing acknowledged is lost, and it goes on when there is room.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { startRedis } from "../helpers/redis-server.ts";
import { startLoad } from "./harness/load.ts";
import { type Node, redisConfig, startNodes } from "./harness/nodes.ts";
import { startReceivers } from "./harness/receivers.ts";
import { settle, until } from "./harness/until.ts";
import { describeMs, describeVerdict, FAULTLESS, faultsOf, judge } from "./harness/verdict.ts";

const ACCOUNTS = Array.from({ length: 20 }, (_, i) => `user_${i}`);
const ASLEEP = ["asleep_1", "asleep_2", "asleep_3"];
/** Several publishers for each who sleeps: more than any socket buffer of the system takes. */
const FLOODED = Array.from({ length: 8 }, () => ASLEEP).flat();

test("a Redis without memory refuses pushes with 503, keeps what it has, and takes them again when there is room", async (t) => {
  const redis = await startRedis(t, ["--maxmemory", "20mb", "--maxmemory-policy", "noeviction"]);
  const nodes = await startNodes(t, 2, { config: () => redisConfig(redis.url) });
  const receivers = await startReceivers(t, nodes.urls, ACCOUNTS);
  const load = startLoad(t, { urls: nodes.urls, accounts: ACCOUNTS, perSecond: 200, padding: 32_768, insist: true });
  const refused = () => load.answers.filter(({ status }) => status !== 200);
  await until("pushes are refused", 20_000, () => refused().length > 50);
  const fullAt = load.acknowledged.length;
  const admin = new Redis(redis.port, "127.0.0.1");
  admin.on("error", () => {});
  t.after(() => admin.disconnect());
  await admin.config("SET", "maxmemory", "400mb");
  await until("pushes are taken", 5_000, () => load.acknowledged.length > fullAt + 100);
  await load.stop();
  await settle(load.acknowledged, receivers.arrivals);
  const verdict = judge(load.acknowledged, receivers.arrivals);
  t.diagnostic(`full after ${fullAt} messages; ${refused().length} refused: ${describeMs(refused().map(({ ms }) => ms))}; ${describeVerdict(verdict)}`);
  assert.ok(refused().every(({ status, retryAfter }) => status === 503 && retryAfter === "1"));
  assert.deepEqual(faultsOf(verdict), FAULTLESS);
  assert.deepEqual(receivers.endings, []);
  for (const { lines } of nodes) assert.ok(!lines.some((line) => line.includes("xxxx")), "no body in the log");
});

test("a node with a heap of 128 MB survives a flood of large messages, with clients that read and clients that do not", async (t) => {
  const redis = await startRedis(t);
  const nodes = await startNodes(t, 2, {
    config: () => redisConfig(redis.url, { store: { history: { messages: 50, seconds: 60 } } }),
    env: (nth) => (nth === 0 ? { NODE_OPTIONS: "--max-old-space-size=128" } : ({} as Record<string, string>)),
  });
  const first = nodes[0] as Node;
  const readers = await startReceivers(t, () => [first.url], ACCOUNTS);
  const sleepers = await startReceivers(t, () => [first.url], ASLEEP);
  for (const socket of sleepers.sockets.values()) socket.pause();
  const load = startLoad(t, { urls: nodes.urls, accounts: [...ACCOUNTS, ...FLOODED], perSecond: 400, padding: 60_000 });
  await sleep(5_000);
  await load.stop();
  const awake = load.acknowledged.filter(({ account }) => !ASLEEP.includes(account));
  await settle(awake, readers.arrivals);
  const verdict = judge(awake, readers.arrivals);
  const rss = (await first.metric("process_resident_memory_bytes")) / 1_048_576;
  const cut = await first.metric("xlvein_connections_closed_total", { code: "1013" });
  t.diagnostic(
    `${describeVerdict(verdict)}; ${rss.toFixed(0)} MiB resident, ${cut} slow clients cut off; answers: ${describeMs(load.answers.map(({ ms }) => ms))}`,
  );
  assert.ok(cut >= 1 || (await first.metric("xlvein_messages_dropped_total", { reason: "slow_consumer" })) >= 1);
  assert.equal((await fetch(`${first.internalUrl}/livez`)).status, 200);
  assert.deepEqual(faultsOf(verdict), FAULTLESS);
  assert.deepEqual(readers.endings, []);
  assert.ok(load.answers.every(({ status }) => status === 200 || status === 503));
});
