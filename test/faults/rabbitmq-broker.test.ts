// RabbitMQ is killed, runs out of memory, or loses its exchange under load, with the streams on Redis or kept nowhere.
import assert from "node:assert/strict";
import { after, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectAmqp } from "amqplib";
import { pushOpen } from "../helpers/client.ts";
import { startRabbitmq } from "../helpers/rabbitmq-server.ts";
import { startRedis } from "../helpers/redis-server.ts";
import { form, LONG } from "./harness/form.ts";
import { type Load, type LoadOptions, startLoad } from "./harness/load.ts";
import { type Nodes, startNodes } from "./harness/nodes.ts";
import { startProxy } from "./harness/proxy.ts";
import { startReceivers } from "./harness/receivers.ts";
import { settle, until } from "./harness/until.ts";
import { describeMs, describeVerdict, FAULTLESS, faultsOf, flowBack, judge, notAsTold, percentile } from "./harness/verdict.ts";

const ACCOUNTS = Array.from({ length: 50 }, (_, i) => `user_${i}`);
const KILLS = form(2, 1);
const PER_SECOND = form(1_000, 400);
const LOAD_MS = 1_500;
const broker = await startRabbitmq({ after });
const redis = await startRedis({ after: (end) => after(() => (end as () => unknown)()) });

/** `via` is a port before the broker's. Each test has an installation of its own on it. */
function config(name: string, store: "redis" | "none", via = broker.port): Record<string, unknown> {
  return {
    log: { level: "info" },
    exchange: { type: "rabbitmq", rabbitmq: `amqp://guest:guest@127.0.0.1:${via}/`, redis: redis.url, exchange_name: name },
    store: { type: store, history: { messages: 100_000, seconds: 3_600 } },
  };
}

/** Nodes with a socket for each account, and a backend that pushes to them. */
async function flow(t: TestContext, count: number, nodeConfig: (nth: number) => Record<string, unknown>, options: Partial<LoadOptions> = {}) {
  const nodes = await startNodes(t, count, { config: nodeConfig });
  const receivers = await startReceivers(t, nodes.urls, ACCOUNTS);
  const load = startLoad(t, { urls: nodes.urls, accounts: ACCOUNTS, perSecond: PER_SECOND, insist: true, ...options });
  await sleep(LOAD_MS);
  return { nodes, receivers, load };
}

const whenUp = (nodes: Nodes, count: number, withinMs: number) =>
  until(`${count} nodes say that the exchange is up`, withinMs, async () => (await nodes.sum("xlvein_exchange_up")) === count).catch(async (error: Error) => {
    throw new Error(`${error.message}: ${await Promise.all(nodes.map((node) => node.ready()))}`);
  });

/** Within 2 s, but for what the machine delays while a broker boots on it. */
function assertAnswersInTime({ answers }: Load): void {
  assert.ok(
    percentile(
      answers.map(({ ms }) => ms),
      0.99,
    ) < 2_000,
    "pushes are answered in time",
  );
  assert.ok(
    answers.every(({ status }) => status !== 0),
    "no push hangs",
  );
}

test(`RabbitMQ is killed ${KILLS === 1 ? "once" : "twice"}, the streams are on Redis: nothing acknowledged is lost, nothing comes twice`, async (t) => {
  const { nodes, receivers, load } = await flow(t, 3, () => config("killed", "redis"));
  const backMs: number[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    await broker.kill();
    await until("the nodes notice", 6_000, async () => (await nodes.sum("xlvein_exchange_up")) === 0);
    const startMs = performance.now();
    await broker.start();
    backMs.push(performance.now());
    t.diagnostic(`RabbitMQ boots in ${(performance.now() - startMs).toFixed(0)} ms`);
    await whenUp(nodes, 3, 5_000);
    await sleep(LOAD_MS);
  }
  await load.stop();
  await settle(load.acknowledged, receivers.arrivals);

  const verdict = judge(load.acknowledged, receivers.arrivals);
  const silences = flowBack(receivers.arrivals, backMs);
  const refused = load.answers.filter(({ status }) => status !== 200);
  t.diagnostic(`${describeVerdict(verdict)}; ${await nodes.sum("xlvein_stream_repaired_messages_total")} repaired`);
  t.diagnostic(`flow back after it listens: ${describeMs(silences)}; answers: ${describeMs(load.answers.map(({ ms }) => ms))}`);
  assert.deepEqual(faultsOf(verdict), FAULTLESS);
  assert.equal(load.acknowledged.length, load.due, "every message was acknowledged in the end");
  assert.ok(refused.length > 0, "an outage is noticed");
  assert.deepEqual(notAsTold(refused), [], "an outage is answered 503 with Retry-After");
  assertAnswersInTime(load);
  assert.ok(Math.max(...silences) < 2_000, "it flows again within 2 s");
  assert.deepEqual(receivers.endings, [], "sockets stay open");
});

test("RabbitMQ runs out of memory: pushes are refused in time, sockets stay open, and all flows when it recovers", async (t) => {
  const { nodes, receivers, load } = await flow(t, 2, () => config("alarm", "redis"), { perSecond: 200 });
  const url = nodes[0]?.url ?? "";
  await broker.ctl("set_vm_memory_high_watermark", "0.0001");
  try {
    await until("the nodes notice", 3_000, async () => (await nodes.sum("xlvein_exchange_up")) === 0);
    const startMs = performance.now();
    const classic = await pushOpen(url, ACCOUNTS[0] as string, { text: "classic" });
    assert.equal(classic.error, 1007);
    assert.ok(performance.now() - startMs < 2_000, "the classic path answers in time, too");
    assert.match((await nodes[0]?.ready()) ?? "", /blocked by the broker/);
    await sleep(LOAD_MS);
  } finally {
    await broker.ctl("set_vm_memory_high_watermark", "0.6");
  }
  await whenUp(nodes, 2, 5_000);
  await load.stop();
  await settle(load.acknowledged, receivers.arrivals);

  const verdict = judge(
    load.acknowledged,
    receivers.arrivals.filter(({ publisher }) => !Number.isNaN(publisher)),
  );
  const refused = load.answers.filter(({ status }) => status !== 200);
  t.diagnostic(`${describeVerdict(verdict)}; ${refused.length} refused; answers: ${describeMs(load.answers.map(({ ms }) => ms))}`);
  assert.deepEqual(faultsOf(verdict), FAULTLESS);
  assert.equal(load.acknowledged.length, load.due);
  assert.ok(refused.length > 0, "an outage is noticed");
  assert.deepEqual(notAsTold(refused), []);
  assertAnswersInTime(load);
  assert.deepEqual(receivers.endings, []);
});

if (LONG) {
  for (const [flows, what] of [
    [{ up: "drop", down: "drop" }, "both ways"],
    [{ down: "drop" }, "down"],
  ] as const) {
    test(`the link to RabbitMQ is half-open (${what}) for 10 s: noticed within 6 s, and made up for`, async (t) => {
      const proxy = await startProxy(t, broker.port);
      // The first node is beside the fault, the second behind it.
      const { nodes, receivers, load } = await flow(t, 2, (nth) => config(`half-${what.slice(0, 4)}`, "redis", nth === 1 ? proxy.port : broker.port), {
        perSecond: 200,
      });
      proxy.set(flows);
      const startMs = performance.now();
      await until("the node notices", 6_000, async () => (await nodes[1]?.metric("xlvein_exchange_up")) === 0);
      t.diagnostic(`noticed after ${(performance.now() - startMs).toFixed(0)} ms`);
      await sleep(10_000 - (performance.now() - startMs));
      proxy.heal();
      await whenUp(nodes, 2, 5_000);
      await sleep(LOAD_MS);
      await load.stop();
      await settle(load.acknowledged, receivers.arrivals);
      const verdict = judge(load.acknowledged, receivers.arrivals);
      t.diagnostic(`${describeVerdict(verdict)}; answers: ${describeMs(load.answers.map(({ ms }) => ms))}`);
      assert.deepEqual(faultsOf(verdict), FAULTLESS);
      assert.equal(load.acknowledged.length, load.due);
      assertAnswersInTime(load);
      assert.deepEqual(receivers.endings, []);
    });
  }

  test("somebody deletes the exchange: its channels are made anew and nothing is lost", async (t) => {
    const { nodes, receivers, load } = await flow(t, 2, () => config("deleted", "redis"), { perSecond: 200 });
    const connection = await connectAmqp(broker.url);
    t.after(() => connection.close());
    const channel = await connection.createChannel();
    for (let time = 1; time <= 3; time++) {
      await channel.deleteExchange("deleted.direct");
      await until(
        "both have come back",
        15_000,
        async () => (await nodes.sum("xlvein_exchange_reconnects_total")) >= 2 * time && (await nodes.sum("xlvein_exchange_up")) === 2,
      );
      await sleep(LOAD_MS);
    }
    await load.stop();
    await settle(load.acknowledged, receivers.arrivals);
    const verdict = judge(load.acknowledged, receivers.arrivals);
    t.diagnostic(describeVerdict(verdict));
    assert.deepEqual(faultsOf(verdict), FAULTLESS);
    assert.equal(load.acknowledged.length, load.due);
    assert.deepEqual(receivers.endings, []);
  });

  test("RabbitMQ is killed and nothing keeps streams: what is lost was acknowledged around the outage only, and nothing comes twice", async (t) => {
    const { nodes, receivers, load } = await flow(t, 2, () => config("bare", "none"), { insist: false });
    const downMs = performance.now();
    await broker.kill();
    await sleep(500);
    await broker.start();
    await whenUp(nodes, 2, 5_000);
    // Looked at later than it was.
    const upMs = performance.now();
    await sleep(LOAD_MS);
    await load.stop();
    await settle(load.acknowledged, receivers.arrivals, 2_000);
    const arrived = new Set(receivers.arrivals.map(({ msgId }) => msgId));
    const lost = load.acknowledged.filter(({ msgId }) => !arrived.has(msgId));
    const verdict = judge(load.acknowledged, receivers.arrivals);
    t.diagnostic(`${describeVerdict(verdict)}; the outage took ${(upMs - downMs).toFixed(0)} ms`);
    assert.ok(
      lost.every(({ atMs }) => atMs > downMs - 1_000 && atMs < upMs),
      "a message was lost outside the outage",
    );
    assert.deepEqual([verdict.duplicates, verdict.inversions], [0, 0]);
    assert.equal(new Set(receivers.arrivals.map(({ publisher, seq }) => `${publisher} ${seq}`)).size, receivers.arrivals.length, "a push came twice");
    const told = nodes.filter(({ lines }) => lines.some((line) => line.includes('"event":"exchange resumed"')));
    assert.equal(told.length, 2, "each node says that it was away");
    assert.deepEqual(receivers.endings, []);
  });
}
