// Nodes are raised to version 2 of the envelopes under load, one after the other: some that write 1 run beside some that write 2.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectAmqp } from "amqplib";
import { Redis } from "ioredis";
import { startRabbitmq } from "../helpers/rabbitmq-server.ts";
import { startRedis } from "../helpers/redis-server.ts";
import { awayMs, checkStore, missedWhileConnected } from "./harness/coming-and-going.ts";
import { form, LONG } from "./harness/form.ts";
import { bearableRate, startLoad } from "./harness/load.ts";
import { redisConfig, startNodes } from "./harness/nodes.ts";
import { startReceivers } from "./harness/receivers.ts";
import { until } from "./harness/until.ts";
import { describeMs, describeVerdict, judge } from "./harness/verdict.ts";

const ACCOUNTS = Array.from({ length: 60 }, (_, i) => `user_${i}`);
const BUCKETS = 1_024;

interface Bus {
  /** Where the streams are. */
  readonly redisUrl: string;
  /** The configuration of a node that writes a version. */
  config(version: number): Record<string, unknown>;
  /** Calls back with the version of every envelope that is written from now on. */
  watch(written: (version: string) => void): Promise<void>;
}

async function redisBus(t: TestContext): Promise<Bus> {
  const redis = await startRedis(t);
  return {
    redisUrl: redis.url,
    config: (version) => redisConfig(redis.url, { exchange: { wire_version: version }, drain: { window_seconds: 3 } }),
    async watch(written) {
      const subscriber = new Redis(redis.url);
      t.after(() => subscriber.disconnect());
      subscriber.on("pmessage", (_pattern, _channel, text: string) => written(text.slice(0, 1)));
      await subscriber.psubscribe("xlvein:*:c");
    },
  };
}

async function rabbitmqBus(t: TestContext): Promise<Bus> {
  const [redis, broker] = [await startRedis(t), await startRabbitmq(t)];
  const exchange = { type: "rabbitmq", rabbitmq: broker.url, buckets: BUCKETS };
  return {
    redisUrl: redis.url,
    config: (version) => redisConfig(redis.url, { exchange: { ...exchange, wire_version: version }, drain: { window_seconds: 3 } }),
    async watch(written) {
      const connection = await connectAmqp(broker.url);
      // The broker may be gone before it.
      connection.on("error", () => {});
      t.after(() => void connection.close().catch(() => {}));
      const channel = await connection.createChannel();
      const { queue } = await channel.assertQueue("", { exclusive: true });
      for (let bucket = 0; bucket < BUCKETS; bucket++) await channel.bindQueue(queue, "xlvein.direct", `b${bucket}`);
      await channel.consume(queue, (message) => written(String(message?.content).slice(0, 1)), { noAck: true });
    },
  };
}

/** The versions that are written while `run` runs. */
async function during(versions: Set<string>, run: () => Promise<unknown>): Promise<string[]> {
  versions.clear();
  await run();
  return [...versions].sort();
}

async function raise(t: TestContext, bus: Bus): Promise<void> {
  const versionOf = [1, 1, 1];
  const nodes = await startNodes(t, 3, { config: (nth) => bus.config(versionOf[nth] ?? 0) });
  const receivers = await startReceivers(t, nodes.urls, ACCOUNTS);
  const perSecond = await bearableRate(t, nodes.urls, form(300, 100));
  const versions = new Set<string>();
  await bus.watch((version) => versions.add(version));
  const load = startLoad(t, { urls: nodes.urls, accounts: ACCOUNTS, perSecond });
  assert.deepEqual(await during(versions, () => sleep(500)), ["1"]);
  for (const [nth, node] of nodes.entries()) {
    assert.equal(await node.stop(), 0);
    versionOf[nth] = 2;
    await node.start();
    await until("all clients are back", 5_000, () => receivers.connected === ACCOUNTS.length);
    assert.deepEqual(await during(versions, () => sleep(1_000)), nth === 2 ? ["2"] : ["1", "2"]);
  }
  await load.stop();
  await until("what was pushed to connected clients has come", 5_000, () => missedWhileConnected(load, receivers) === 0);
  const verdict = judge(load.acknowledged, receivers.arrivals);
  t.diagnostic(`${describeVerdict(verdict)} (lost: sent while a client was away); clients were away for ${describeMs(awayMs(receivers))}`);
  assert.deepEqual(
    load.answers.filter(({ status }) => status !== 200),
    [],
    "every push is answered ok at the first try",
  );
  assert.deepEqual([...new Set(receivers.endings.map(({ code }) => code))], [1012]);
  assert.deepEqual([verdict.duplicates, verdict.inversions], [0, 0]);
  await checkStore(t, bus.redisUrl, load);
  assert.equal(await nodes.sum("xlvein_exchange_poison_total"), 0);
}

test("on Redis three nodes are raised to version 2 one after the other: no push is refused or lost, and none comes twice", async (t) =>
  raise(t, await redisBus(t)));

if (LONG)
  test("on RabbitMQ three nodes are raised to version 2 one after the other: no push is refused or lost, and none comes twice", async (t) =>
    raise(t, await rabbitmqBus(t)));
