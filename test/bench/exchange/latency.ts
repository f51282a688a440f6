// From push to socket across nodes and within one, in units of what Redis itself takes.
import { once } from "node:events";
import { Redis } from "ioredis";
import { startRabbitmq } from "../../helpers/rabbitmq-server.ts";
import { type RedisServer, startRedis } from "../../helpers/redis-server.ts";
import { median, quantile } from "../harness/figures.ts";
import { interleave, type Subject } from "../harness/measure.ts";
import type { Pusher } from "../harness/pusher.ts";
import type { Context, Ratio, Scenario } from "../harness/scenario.ts";
import type { Stage } from "../harness/stage.ts";
import { cluster } from "./cluster.ts";
import { atRate, connectReceivers, oneByOne, type Receivers } from "./drive.ts";
import { type Node, oursInMemory, startOurs } from "./nodes.ts";

const RATE = 1_000;
const ACCOUNTS = Array.from({ length: 20 }, (_, n) => `cross_${n}`);

/** A way from a push to a socket: its median with one in flight, its p99 at the fixed rate, ms. */
interface Way {
  readonly name: string;
  readonly alone: Subject;
  readonly loaded: Subject;
}

export const crossNode: Scenario = {
  name: "cross-node",
  title: "Time from a push on one node to a socket on another through Redis, over that within one node",
  async run(context) {
    const { redis, nodes } = await cluster(context);
    return compare(context, redis, [redis.pid], {
      redis: async () => nodes,
      ...(context.quick
        ? {}
        : { "redis without a store": pair(context, { exchange: { type: "redis", redis: redis.url, exchange_name: "b" }, store: { type: "none" } }) }),
    });
  },
};

export const crossNodeRabbitmq: Scenario = {
  name: "cross-node-rabbitmq",
  title: "Time from a push on one node to a socket on another through RabbitMQ, over that within one node",
  fullOnly: true,
  async run(context) {
    const { stage } = context;
    const [redis, rabbitmq] = [await startRedis(stage), await startRabbitmq(stage)];
    const amqp = { type: "rabbitmq", rabbitmq: rabbitmq.url };
    return compare(context, redis, [redis.pid, rabbitmq.pid], {
      rabbitmq: pair(context, { exchange: { ...amqp, exchange_name: "c" }, store: { type: "none" } }),
      "rabbitmq, store redis": pair(context, { exchange: { ...amqp, redis: redis.url, exchange_name: "d" }, store: { type: "redis" } }),
    });
  },
};

/** Two nodes, or more: pushes to the first, sockets on the last. */
type Start = () => Promise<readonly Node[]>;

function pair({ stage }: Context, config: Record<string, unknown>): Start {
  return () => Promise.all([startOurs(stage, config), startOurs(stage, config)]);
}

async function compare(context: Context, redis: RedisServer, brokers: readonly number[], starts: Readonly<Record<string, Start>>) {
  const { stage, quick } = context;
  const raw = await rawRoundTrip(stage, redis, quick ? 200 : 1_000);
  const [local, ...ways] = await Promise.all([
    createWay(context, "local", async () => [await oursInMemory(context)], brokers),
    ...Object.entries(starts).map(([name, start]) => createWay(context, name, start, brokers)),
  ]);
  const subjects = [raw, ...[local, ...ways].flatMap(({ alone, loaded }) => [alone, loaded])];
  const measured = await interleave(context, subjects);
  const unit = measured.of(raw);
  const above = (way: Way): Ratio => ({
    name: `${way.name}: p50 with one in flight, above that within one node, in round trips of a raw PUBLISH`,
    values: measured.of(way.alone).map((ms, nth) => (ms - (measured.of(local.alone)[nth] as number)) / (unit[nth] as number)),
    noisy: measured.noisy,
    ...(way.name.startsWith("redis") ? { goal: { atMost: 8, reach: 4 } } : {}),
  });
  const tail = (way: Way): Ratio =>
    measured.ratio(
      `${way.name}: p99 at ${RATE} a second / within one node`,
      way.loaded,
      local.loaded,
      way.name.startsWith("redis") ? { atMost: 5, reach: 2.5 } : { atMost: 10 },
    );
  return {
    ratios: ways.flatMap((way) => [above(way), tail(way)]),
    figures: [...subjects.map((subject) => ({ name: subject.name, value: median(measured.of(subject)), unit: "ms" })), ...measured.figures],
  };
}

async function createWay({ quick }: Context, name: string, start: Start, brokers: readonly number[]): Promise<Way> {
  const nodes = await start();
  const [node, last] = [nodes[0] as Node, nodes.at(-1) as Node];
  const receivers: Receivers = await connectReceivers([last], ACCOUNTS);
  const pushers = Array.from({ length: 32 }, () => node.pusher());
  const pids = [...nodes.map(({ pid }) => pid), ...brokers];
  const [alone, timed] = quick ? [200, 300] : [1_000, 3_000];
  let next = 0;
  const take = (number: number) => (next += number) - number;
  return {
    name,
    alone: {
      name: `${name}: p50 with one in flight`,
      pids,
      measure: async () => median(await oneByOne(node, pushers[0] as Pusher, receivers, ACCOUNTS[0] as string, take(alone), alone)),
    },
    loaded: {
      name: `${name}: p99 at ${RATE} a second`,
      pids,
      measure: async () => quantile(await atRate(node, pushers, receivers, ACCOUNTS, take(timed), timed, RATE), 0.99),
    },
  };
}

/** PUBLISH until the message arrives, ms: the median of `count`. */
async function rawRoundTrip(stage: Stage, { url, pid }: RedisServer, count: number): Promise<Subject> {
  const [pub, sub] = [new Redis(url), new Redis(url)];
  stage.after(() => {
    pub.disconnect();
    sub.disconnect();
  });
  await sub.subscribe("raw");
  return {
    name: "raw PUBLISH to message: p50",
    pids: [pid],
    async measure() {
      const times: number[] = [];
      for (let n = 0; n < count; n++) {
        const arrived = once(sub, "message");
        const start = performance.now();
        await Promise.all([pub.publish("raw", "x".repeat(200)), arrived]);
        times.push(performance.now() - start);
      }
      return median(times);
    },
  };
}
