// Answers that never arrive: whoever retries as the SDKs do has its message delivered once, and learns the id that its receivers saw.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type Client, createClient, type Message, type Sent } from "../../sdk-browser/src/index.ts";
import { createXlvein } from "../../sdk-node/src/index.ts";
import { tokenFor } from "../helpers/client.ts";
import { startRedis } from "../helpers/redis-server.ts";
import { SECRET } from "../helpers/server.ts";
import { startBalancer } from "./harness/balancer.ts";
import { redisConfig, startNodes } from "./harness/nodes.ts";
import { startProxy, type Proxy as TcpProxy } from "./harness/proxy.ts";

const LOST = 100;

/** The system's time without its chance: retries come at once. */
const eager = {
  now: Date.now,
  random: () => 0,
  after: (ms: number, run: () => void) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

interface Scene {
  /** The way of the sender: what the servers answer there can be lost. Each connection goes to the next node. */
  readonly proxy: TcpProxy;
  readonly url: string;
  /** What the receiver has got, each in its order. */
  readonly received: readonly Message[];
  /** Resolves when the receiver has got so many. */
  reaches(count: number): Promise<void>;
  readonly receiver: Client;
}

async function startScene(t: TestContext, count: number): Promise<Scene> {
  const redis = count > 1 ? await startRedis(t) : undefined;
  const memory = { log: { level: "info" }, store: { type: "memory", history: { messages: 1_000, seconds: 600 } } };
  const nodes = await startNodes(t, count, { config: () => (redis ? redisConfig(redis.url) : memory) });
  const balancer = await startBalancer(t, nodes.urls);
  const proxy = await startProxy(t, balancer.port);
  const receiver = createClient({ url: nodes[0]?.url ?? "", appKey: "test", token: tokenFor("bob") });
  t.after(() => receiver.close());
  const received: Message[] = [];
  let wake = () => {};
  receiver.on("message", (message) => {
    received.push(message);
    wake();
  });
  await receiver.connect();
  async function reaches(wanted: number): Promise<void> {
    while (received.length < wanted)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
  }
  return { proxy, url: `http://127.0.0.1:${proxy.port}`, received, reaches, receiver };
}

/** Lets a request through and loses the answer with the connection, again and again; the answers are those that the retries got. */
async function loseAnswers({ proxy, received, reaches }: Scene, send: (n: number) => Promise<Sent>): Promise<void> {
  for (let n = 0; n < LOST; n++) {
    const answered = new Promise<void>((resolve) => {
      proxy.onAnswer = resolve;
    });
    proxy.set({ down: "drop" });
    const sent = send(n);
    // Accepted, and the answer is on its way no more.
    await Promise.all([reaches(n + 1), answered]);
    proxy.onAnswer = () => {};
    proxy.heal();
    const { msgId, duplicate } = await sent;
    assert.deepEqual([msgId, duplicate], [received[n]?.msgId, true], `message ${n}`);
  }
}

/** Each message was delivered once, in its order, and is in the stream once. */
async function checkReceived({ received, receiver }: Scene): Promise<void> {
  const { messages, position } = await receiver.history({ limit: 1_000 });
  assert.deepEqual([messages.length, position.offset], [LOST, LOST]);
  assert.deepEqual(
    received.map(({ data }) => data["n"]),
    Array.from({ length: LOST }, (_, n) => n),
  );
}

for (const [where, count] of [
  ["one node with a memory of its own", 1],
  ["two nodes with Redis, where the retry comes to the other", 2],
] as const) {
  test(`${LOST} answers to a client are lost with its connection (${where}): its sends are delivered once, and resolve with the ids of the first`, async (t) => {
    const scene = await startScene(t, count);
    const client = createClient({ url: scene.url, appKey: "test", token: tokenFor("alice"), clock: eager });
    t.after(() => client.close());
    await client.connect();
    await loseAnswers(scene, (n) => client.send("bob", { n }));
    await checkReceived(scene);
  });

  test(`${LOST} answers to a backend are lost with its connection (${where}): its pushes are delivered once, and answered with the ids of the first`, async (t) => {
    const scene = await startScene(t, count);
    const xlvein = createXlvein({ url: scene.url, appKey: "test", appSecret: SECRET, wait: async () => {} });
    await loseAnswers(scene, (n) => xlvein.push({ accounts: ["bob"], data: { n } }));
    await checkReceived(scene);
  });
}
