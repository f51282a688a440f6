// The subscription goes silent, is kicked, or brings what it should not: gaps are found and made up, and nothing forged or repeated gets through.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { encodeBody, encodeOnChannel } from "../../server/src/protocol/codec.ts";
import { messageEnvelope } from "../../server/src/protocol/envelope.ts";
import { Event } from "../../server/src/protocol/message.ts";
import { accountTarget } from "../../server/src/protocol/target.ts";
import { channelName } from "../../server/src/redis/names.ts";
import { startRedis } from "../helpers/redis-server.ts";
import { push, startLoad } from "./harness/load.ts";
import { type Node, redisConfig, startNodes } from "./harness/nodes.ts";
import { startProxy } from "./harness/proxy.ts";
import { startReceivers } from "./harness/receivers.ts";
import { settle, until } from "./harness/until.ts";
import { describeMs, describeVerdict, FAULTLESS, faultsOf, judge } from "./harness/verdict.ts";

const ACCOUNTS = Array.from({ length: 20 }, (_, i) => `user_${i}`);
const PROBE_MS = 1_000;

/** A plain connection, for what no node would do. */
function connectPlain(t: TestContext, port: number): Redis {
  const redis = new Redis(port, "127.0.0.1");
  redis.on("error", () => {});
  t.after(() => redis.disconnect());
  return redis;
}

test("a subscription that hears nothing although its connection answers is found by the probe, and the gap is made up", async (t) => {
  const redis = await startRedis(t);
  const proxy = await startProxy(t, redis.port, { reads: true });
  const config = (nth: number) => redisConfig(nth === 0 ? `redis://127.0.0.1:${proxy.port}` : redis.url, { exchange: { probe_seconds: PROBE_MS / 1_000 } });
  const nodes = await startNodes(t, 2, { config });
  const first = nodes[0] as Node;
  const receivers = await startReceivers(t, nodes.urls, ACCOUNTS);
  const load = startLoad(t, { urls: nodes.urls, accounts: ACCOUNTS, perSecond: 200 });
  await sleep(1_000);
  proxy.muted = true;
  // A probe that passed just before is followed by one an interval later, which has as long to arrive.
  const foundMs = await until("the silence is found", 2 * PROBE_MS + 250, () => first.lines.some((line) => line.includes("redis subscription lost")));
  assert.equal(await first.metric("xlvein_exchange_up"), 0);
  assert.match(await first.ready(), /\[-\]exchange: redis .*subscription/);
  await sleep(PROBE_MS);
  proxy.heal();
  const upMs = await until("the subscription is up", 2 * PROBE_MS + 1_000, async () => (await first.metric("xlvein_exchange_up")) === 1);
  await sleep(300);
  await load.stop();
  await settle(load.acknowledged, receivers.arrivals);
  const verdict = judge(load.acknowledged, receivers.arrivals);
  t.diagnostic(`found after ${foundMs.toFixed(0)} ms, up ${upMs.toFixed(0)} ms after it could hear again; ${describeVerdict(verdict)}`);
  t.diagnostic(`${await first.metric("xlvein_stream_repaired_messages_total")} messages repaired; answers: ${describeMs(load.answers.map(({ ms }) => ms))}`);
  assert.deepEqual(faultsOf(verdict), FAULTLESS);
  assert.deepEqual(receivers.endings, []);
});

test("a node that Redis cuts off because it does not read fast enough makes up what it missed", async (t) => {
  const redis = await startRedis(t, ["--client-output-buffer-limit", "pubsub", "1mb", "0", "0"]);
  const proxy = await startProxy(t, redis.port);
  const nodes = await startNodes(t, 2, { config: (nth) => redisConfig(nth === 0 ? `redis://127.0.0.1:${proxy.port}` : redis.url) });
  const [first, second] = nodes as unknown as [Node, Node];
  const receivers = await startReceivers(t, () => [first.url], ACCOUNTS);
  const plain = connectPlain(t, redis.port);
  const subscribers = async () => String(await plain.call("CLIENT", "LIST", "TYPE", "pubsub")).match(/^id=/gm)?.length ?? 0;
  assert.equal(await subscribers(), nodes.length);
  proxy.set({ down: "hold" });
  const load = startLoad(t, { urls: () => [second.url], accounts: ACCOUNTS, perSecond: 400, padding: 32_768, insist: true });
  const kickedMs = await until("Redis cuts the node off", 10_000, async () => (await subscribers()) < nodes.length);
  proxy.heal();
  await until("the node is up", 5_000, async () => (await first.metric("xlvein_exchange_up")) === 1);
  await load.stop();
  await settle(load.acknowledged, receivers.arrivals, 10_000);
  const verdict = judge(load.acknowledged, receivers.arrivals);
  t.diagnostic(`cut off after ${kickedMs.toFixed(0)} ms; ${describeVerdict(verdict)}; ${await first.metric("xlvein_stream_repaired_messages_total")} repaired`);
  assert.deepEqual(faultsOf(verdict), FAULTLESS);
  assert.deepEqual(receivers.endings, []);
});

test("messages that come again, in another order or from nobody are not delivered, and what is no message is counted", async (t) => {
  const redis = await startRedis(t);
  const nodes = await startNodes(t, 2, { config: () => redisConfig(redis.url) });
  const first = nodes[0] as Node;
  const receivers = await startReceivers(t, nodes.urls, ["user_0"]);
  const plain = connectPlain(t, redis.port);
  const ear = connectPlain(t, redis.port);
  const channel = channelName("xlvein", accountTarget("test", "user_0"));
  const heard: string[] = [];
  ear.on("message", (_channel, text) => heard.push(text));
  await ear.subscribe(channel);

  let seq = 0;
  const seqs = () => receivers.arrivals.map((arrival) => arrival.seq);
  const send = async () => {
    const answer = await push(undefined, first.url, JSON.stringify({ accounts: ["user_0"], data: { publisher: 0, seq: ++seq } }));
    assert.equal(answer.status, 200);
    await until("it has arrived", 2_000, () => seqs().at(-1) === seq);
  };
  for (let i = 0; i < 3; i++) await send();
  await until("it was heard", 1_000, () => heard.length === 3);
  const [one = "", two = "", three = ""] = heard.splice(0);
  for (const text of [three, one, two, two, one, three, one]) await plain.publish(channel, text);
  await send();
  assert.deepEqual(seqs(), [1, 2, 3, 4], "what was delivered is known again");

  const [, epoch = "", offset] = (heard.at(-1) ?? "").split("\n", 1)[0]?.split(" ") ?? [];
  const forged = (at: object) =>
    encodeOnChannel(
      { epoch, offset: Number(offset) + 1, previous: "", ...at },
      encodeBody(messageEnvelope({ msgId: crypto.randomUUID(), event: Event.SYSTEM, sendAt: Date.now(), data: '{"publisher":0,"seq":99}' })),
    );
  for (const at of [{}, { offset: Number(offset) + 7 }, { offset: 1 }, { epoch: "another" }, { previous: "nobody" }]) await plain.publish(channel, forged(at));
  await send();
  assert.deepEqual(seqs(), [1, 2, 3, 4, 5], "a message with a place where the store has none is not delivered");

  const members = '{"kind":"message","msg_id":"m","event":2,"send_at":1}';
  const poison = [
    "",
    "\n",
    "x",
    "1",
    "1\n",
    "1\n{}",
    "0\n{}\n{}",
    `3\n${members}\n{}`,
    `99 e 1 -\n${members}\n{}`,
    "1\nnull\n{}",
    "1\n[1]\n{}",
    '1\n{"kind":"other"}\n{}',
    '1\n{"kind":"message"}\n{}',
    `1\n${members}\n[]`,
    `1\n${members}`,
    `1 e 0 -\n${members}\n{}`,
    `1 e -1 -\n${members}\n{}`,
    `1 e 1.5 -\n${members}\n{}`,
    `1 e x -\n${members}\n{}`,
    `1  1 -\n${members}\n{}`,
    "1 e 1 -",
    `1 e 1 -\n${"[".repeat(100_000)}\n{}`,
    "x".repeat(1_000_000),
    "\u0000\u0001\uffff",
    '1\n{"__proto__":{}}\n{}',
  ];
  const before = await first.metric("xlvein_exchange_poison_total");
  for (const text of poison) await plain.publish(channel, text);
  await plain.publish(channel, Buffer.from([0xff, 0xfe, 0x00, 0x80]));
  await send();
  t.diagnostic(`${(await first.metric("xlvein_exchange_poison_total")) - before} poisonous messages counted of ${poison.length + 1}`);
  assert.equal((await first.metric("xlvein_exchange_poison_total")) - before, poison.length + 1);
  assert.deepEqual(seqs(), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(receivers.endings, []);
  assert.equal(await first.metric("xlvein_exchange_up"), 1);
});
