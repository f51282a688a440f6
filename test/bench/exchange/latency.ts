// From push to socket across nodes and within one, in units of what Redis itself takes; interleaved, since only ratios of one run mean anything; medians are those of the calmest round.
import { once } from "node:events";
import { Redis } from "ioredis";
import { startRabbitmq } from "../../helpers/rabbitmq-server.ts";
import { startRedis } from "../../helpers/redis-server.ts";
import { atRate, connectReceivers, oneByOne, type Receivers } from "./drive.ts";
import { type Node, startOurs } from "./nodes.ts";
import type { Pusher } from "./pusher.ts";
import type { Row, Scale } from "./report.ts";
import { createStage, median, quantile, round, type Stage } from "./stage.ts";

const RATE = 1_000;
const ACCOUNTS = Array.from({ length: 20 }, (_, n) => `user_${n}`);

/** A way from a push to a socket. */
interface Way {
  readonly name: string;
  readonly node: Node;
  readonly pushers: readonly Pusher[];
  readonly receivers: Receivers;
  /** Medians with one in flight, one for each round. */
  readonly alone: number[];
  /** p99 at the fixed rate, one for each round. */
  readonly p99: number[];
}

async function createWay(stage: Stage, name: string, nodes: number, config: Record<string, unknown>): Promise<Way> {
  const started = await Promise.all(Array.from({ length: nodes }, () => startOurs(stage, config)));
  const [node, last] = [started[0] as Node, started.at(-1) as Node];
  const receivers = await connectReceivers([last], ACCOUNTS);
  return { name, node, pushers: Array.from({ length: 32 }, () => node.pusher()), receivers, alone: [], p99: [] };
}

/** Answers a function that measures PUBLISH until the message arrives, ms. */
async function rawRoundTrip(stage: Stage, url: string): Promise<() => Promise<number>> {
  const [pub, sub] = [new Redis(url), new Redis(url)];
  stage.after(() => {
    pub.disconnect();
    sub.disconnect();
  });
  await sub.subscribe("raw");
  return async () => {
    const arrived = once(sub, "message");
    const start = performance.now();
    await Promise.all([pub.publish("raw", "x".repeat(200)), arrived]);
    return performance.now() - start;
  };
}

export async function latency({ alone, timed, rounds }: Scale): Promise<Row[]> {
  const stage = createStage();
  try {
    const [redis, rabbitmq] = [await startRedis(stage), await startRabbitmq(stage)];
    const amqp = { type: "rabbitmq", rabbitmq: rabbitmq.url };
    const ways = [
      await createWay(stage, "local", 1, {}),
      await createWay(stage, "redis", 2, { exchange: { type: "redis", redis: redis.url, exchange_name: "a" }, store: { type: "redis" } }),
      await createWay(stage, "redis without a store", 2, { exchange: { type: "redis", redis: redis.url, exchange_name: "b" }, store: { type: "none" } }),
      await createWay(stage, "rabbitmq", 2, { exchange: { ...amqp, exchange_name: "c" }, store: { type: "none" } }),
      await createWay(stage, "rabbitmq, store redis", 2, { exchange: { ...amqp, redis: redis.url, exchange_name: "d" }, store: { type: "redis" } }),
    ];
    const roundTrip = await rawRoundTrip(stage, redis.url);
    const raw: number[] = [];
    let n = 0;
    for (let round = -1; round < rounds; round++) {
      const trips: number[] = [];
      for (let i = 0; i < alone; i++) trips.push(await roundTrip());
      if (round >= 0) raw.push(median(trips));
      for (const way of ways) {
        const times = await oneByOne(way.node, way.pushers[0] as Pusher, way.receivers, ACCOUNTS[0] as string, (n += alone), alone);
        const loaded = await atRate(way.node, way.pushers, way.receivers, ACCOUNTS, (n += timed), timed, RATE);
        // The first round is to warm up.
        if (round < 0) continue;
        way.alone.push(median(times));
        way.p99.push(quantile(loaded, 0.99));
      }
    }
    return rows(ways, raw);
  } finally {
    await stage.close();
  }
}

function rows([local, ...others]: readonly Way[], raw: readonly number[]): Row[] {
  if (!local) return [];
  const unit = Math.min(...raw);
  const base = { alone: Math.min(...local.alone), p99: median(local.p99) };
  return [
    { name: "raw PUBLISH to message", value: `${round(unit)} ms` },
    { name: "local: p50 alone", value: `${round(base.alone)} ms` },
    { name: `local: p99 at ${RATE}/s`, value: `${round(base.p99)} ms` },
    ...others.flatMap(({ name, alone, p99 }) => [
      {
        name: `${name}: p50 alone, above local, in raw round trips`,
        value: `${round(Math.min(...alone))} ms`,
        ratio: round((Math.min(...alone) - base.alone) / unit),
        goal: name.startsWith("redis") ? "≤ 8" : "",
      },
      {
        name: `${name}: p99 at ${RATE}/s, over local`,
        value: `${round(median(p99))} ms`,
        ratio: round(median(p99) / base.p99),
        goal: name.startsWith("redis") ? "≤ 5" : "≤ 10",
      },
    ]),
  ];
}
