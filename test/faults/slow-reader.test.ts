// One reader among 500 stops reading while 16 KiB come for it a thousand times a second: it is closed, it costs little, and the others do not notice.
import assert from "node:assert/strict";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { apiToken, connectUrl, tokenFor } from "../helpers/client.ts";
import { form } from "./harness/form.ts";
import { type Acknowledged, startLoad } from "./harness/load.ts";
import { type Node, startNodes } from "./harness/nodes.ts";
import { type Arrival, startReceivers } from "./harness/receivers.ts";
import { settle, until } from "./harness/until.ts";
import { describeMs, FAULTLESS, faultsOf, identityOf, judge, percentile } from "./harness/verdict.ts";

const OTHERS = Array.from({ length: 499 }, (_, i) => `user_${i}`);
const SLOW = "slow";
const MESSAGE_BYTES = 16_384;
/** Ten at a time, so that the flood itself takes little of the machine that the others share. */
const BATCH = 10;
const PER_SECOND = 1_000;
/** The flood lasts longer than a token does. */
const TOKEN_LIFE_MS = 30_000;
/** Each round the flood is read for as long as it is not. */
const ROUNDS = form(10, 3);
/** The short form shares the machine with other tests, and its flood comes more slowly. */
const [GIVEN_UP_MS, RATIO] = [form(2_000, 10_000), form(1.5, 4)];
const ROUND_MS = form(3_000, 1_200);

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A v2 client whose account is flooded. */
async function connectSlow(t: TestContext, url: string): Promise<WebSocket> {
  const socket = new WebSocket(connectUrl(url, { account: SLOW, token: tokenFor(SLOW) }), ["xlvein.v2.json"], { perMessageDeflate: false });
  socket.on("error", () => {});
  t.after(() => socket.terminate());
  await once(socket, "message");
  return socket;
}

/** Pushes at the rate for as long as the machine answers in time; beyond, as fast as it answers. */
function flood(t: TestContext, url: string): { sent(): number; stop(): Promise<void> } {
  const message = { accounts: [SLOW], data: { pad: "x".repeat(MESSAGE_BYTES) } };
  const body = JSON.stringify({ messages: Array.from({ length: BATCH }, () => message) });
  let token = { text: apiToken(), untilMs: performance.now() + TOKEN_LIFE_MS };
  let stopped = false;
  let sent = 0;
  async function run(): Promise<void> {
    const startMs = performance.now();
    while (!stopped) {
      const dueMs = startMs + (sent * 1_000) / PER_SECOND;
      const earlyMs = dueMs - performance.now();
      if (earlyMs > 0) await sleep(earlyMs);
      if (performance.now() > token.untilMs) token = { text: apiToken(), untilMs: performance.now() + TOKEN_LIFE_MS };
      const headers = { "content-type": "application/json", authorization: `Bearer ${token.text}` };
      const response = await fetch(`${url}/api/v1/messages/batch`, { method: "POST", headers, body });
      await response.arrayBuffer();
      assert.equal(response.status, 200);
      sent += BATCH;
    }
  }
  const running = run();
  const stop = async () => {
    stopped = true;
    await running;
  };
  t.after(stop);
  return { sent: () => sent, stop };
}

function latencies(acknowledged: readonly Acknowledged[], arrivals: readonly Arrival[], spans: readonly Span[]): number[] {
  const arrived = new Map(arrivals.map((arrival) => [identityOf(arrival), arrival.atMs]));
  return acknowledged
    .filter(({ sentMs }) => spans.some(({ fromMs, toMs }) => sentMs >= fromMs && sentMs < toMs))
    .flatMap((sent) => {
      const atMs = arrived.get(identityOf(sent));
      return atMs === undefined ? [] : [atMs - sent.sentMs];
    });
}

/** Reads nothing of the flood; resolves with how long it took until the server gave it up, ms. */
async function readNothing(t: TestContext, node: Node): Promise<number> {
  const socket = await connectSlow(t, node.url);
  const given = await node.metric("xlvein_messages_dropped_total", { reason: "slow_consumer" });
  const pausedMs = performance.now();
  socket.pause();
  await until("it is given up", 20_000, async () => (await node.metric("xlvein_messages_dropped_total", { reason: "slow_consumer" })) > given);
  const tookMs = performance.now() - pausedMs;
  const closed = once(socket, "close") as Promise<[number]>;
  socket.resume();
  assert.equal((await closed)[0], 4203, "what it reads last says why");
  return tookMs;
}

test("a reader that stops among 500, flooded with 16 KiB a thousand times a second, costs the others nothing", async (t) => {
  const [node] = (await startNodes(t, 1, { config: () => ({ log: { level: "info" }, store: { history: { messages: 10, seconds: 10 } } }) })) as unknown as [
    Node,
  ];
  const others = await startReceivers(t, () => [node.url], OTHERS);
  const load = startLoad(t, { urls: () => [node.url], accounts: OTHERS, perSecond: 300 });
  const flooding = flood(t, node.url);
  const memory = () => node.metric("process_resident_memory_bytes");
  const reading: Span[] = [];
  const paused: Span[] = [];
  const tookMs: number[] = [];
  let calmBytes = 0;
  let peakBytes = 0;
  async function spend(spans: Span[], note: () => Promise<void>, work: () => Promise<unknown>): Promise<void> {
    const fromMs = performance.now();
    const done = work();
    while (performance.now() < fromMs + ROUND_MS) {
      await note();
      await sleep(100);
    }
    await done;
    spans.push({ fromMs, toMs: performance.now() });
  }
  const noteCalm = async () => void (calmBytes = Math.max(calmBytes, await memory()));
  const notePeak = async () => void (peakBytes = Math.max(peakBytes, await memory()));
  // The first round warms everything up.
  for (let round = 0; round <= ROUNDS; round++) {
    const reader = await connectSlow(t, node.url);
    await spend(round === 0 ? [] : reading, noteCalm, async () => {});
    reader.terminate();
    await spend(round === 0 ? [] : paused, notePeak, async () => void tookMs.push(await readNothing(t, node)));
  }
  const sent = flooding.sent();
  await flooding.stop();
  await load.stop();
  await settle(load.acknowledged, others.arrivals);
  const before = latencies(load.acknowledged, others.arrivals, reading);
  const meanwhile = latencies(load.acknowledged, others.arrivals, paused);
  // Round by round, so that what else this machine does in one of them does not decide.
  const ratios = paused.map((span, round) => {
    const p99 = (each: Span) => percentile(latencies(load.acknowledged, others.arrivals, [each]), 0.99);
    return p99(span) / p99(reading[round] as Span);
  });
  const ratio = percentile(ratios, 0.5);
  t.diagnostic(`${sent} messages of 16 KiB; given up after ${tookMs.map((ms) => ms.toFixed(0)).join(", ")} ms`);
  t.diagnostic(`others while it reads: ${describeMs(before)}; while it does not: ${describeMs(meanwhile)}`);
  t.diagnostic(`p99 of each round while it does not read, in parts of that while it does: ${ratios.map((each) => each.toFixed(2)).join(", ")}`);
  t.diagnostic(`resident memory at most ${(calmBytes / 1_048_576).toFixed(0)} and ${(peakBytes / 1_048_576).toFixed(0)} MiB`);
  assert.ok(Math.max(...tookMs.slice(1)) <= GIVEN_UP_MS, `it is closed within ${GIVEN_UP_MS} ms`);
  assert.ok(peakBytes - calmBytes <= 64 * 1_048_576, "it costs 64 MiB at most");
  assert.ok(ratio <= RATIO, `the others' p99 is ${ratio.toFixed(2)} times what it was`);
  assert.deepEqual(faultsOf(judge(load.acknowledged, others.arrivals)), FAULTLESS);
  assert.deepEqual(others.endings, []);
});
