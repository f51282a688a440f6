// A broker is killed and comes back: how long until a node with very many accounts hears all of them again, and whether one of them has missed anything.
import { fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { startRabbitmq } from "../../helpers/rabbitmq-server.ts";
import { startRedis } from "../../helpers/redis-server.ts";
import { median } from "../harness/figures.ts";
import { NOISY_CORES, repetitionsOf, watchEffort } from "../harness/measure.ts";
import type { Context, Result, Scenario } from "../harness/scenario.ts";
import type { Stage } from "../harness/stage.ts";
import { type BusOptions, createBus } from "./bus.ts";
import { canaryLosses, feedCanary } from "./canary.ts";
import type { Told } from "./holder.ts";

const HOLDER = fileURLToPath(new URL("./holder.ts", import.meta.url));
const DOWN_MS = 500;
const ARRIVE_MS = 5_000;
/** Channels in one SUBSCRIBE of the reference. */
const AT_ONCE = 1_000;

export const resubscribe: Scenario = {
  name: "resubscribe",
  title:
    "Time until a node hears all of its accounts again after Redis was killed, over that of bare SUBSCRIBEs to as many channels; none of the messages may be missing",
  async run(context) {
    const redis = await startRedis(context.stage);
    const accounts = context.quick ? 5_000 : 100_000;
    const { ms, result } = await measure(context, redis, { redis: redis.url }, accounts, () => subscribeAll(redis.url, accounts));
    const raw = ms.map(({ reference }) => reference);
    return {
      ...result,
      ratios: [
        {
          name: `${accounts} accounts held again / ${accounts} channels subscribed to by a bare client`,
          values: ms.map(({ resumed }, nth) => resumed / (raw[nth] as number)),
          noisy: ms.filter(({ foreign }) => foreign > NOISY_CORES).length,
          goal: { atMost: 4, reach: 2 },
        },
      ],
      figures: [...(result.figures ?? []), { name: `bare client: ${accounts} channels`, value: median(raw) / 1_000, unit: "s" }],
    };
  },
};

export const resubscribeRabbitmq: Scenario = {
  name: "resubscribe-rabbitmq",
  title: "Time until a node hears all of its accounts again after RabbitMQ was killed; none of the messages may be missing",
  fullOnly: true,
  async run(context) {
    const [redis, rabbitmq] = [await startRedis(context.stage), await startRabbitmq(context.stage)];
    const options = { redis: redis.url, rabbitmq: rabbitmq.url };
    return (await measure({ ...context, quick: true }, rabbitmq, options, context.quick ? 10_000 : 100_000, async () => Number.NaN)).result;
  },
};

interface Broker {
  readonly pid: number;
  kill(): Promise<void>;
  start(): Promise<void>;
}

interface Cycle {
  readonly resumed: number;
  readonly compared: number;
  readonly reference: number;
  /** Cores that others used meanwhile. */
  readonly foreign: number;
}

async function measure(
  context: Context,
  broker: Broker,
  options: Omit<BusOptions, "nodeId">,
  accounts: number,
  reference: () => Promise<number>,
): Promise<{ ms: readonly Cycle[]; result: Result }> {
  const { stage, progress } = context;
  progress(`${accounts} accounts are held`);
  const holder = startHolder(stage, { ...options, nodeId: "holder", accounts });
  const started = performance.now();
  await holder.nth("held", 1);
  const held = performance.now() - started;
  const publisher = createBus({ ...options, nodeId: "publisher" }, () => {});
  stage.after(() => publisher.close());
  await publisher.open(() => {});
  const canary = feedCanary(publisher);
  const ms: Cycle[] = [];
  for (let nth = 1; nth <= repetitionsOf(context); nth++) {
    progress(`the broker is killed, ${nth}`);
    await broker.kill();
    await sleep(DOWN_MS);
    await broker.start();
    const effort = await watchEffort([holder.pid, broker.pid]);
    const listening = Date.now();
    const [resumed, compared] = [await holder.nth("resumed", nth), await holder.nth("compared", nth)];
    ms.push({ resumed: resumed.at - listening, compared: compared.at - listening, reference: await reference(), foreign: (await effort()).foreign });
  }
  await canary.stop();
  await allArrived(holder, canary.taken);
  const figure = (name: string, values: readonly number[]) => ({ name, value: median(values) / 1_000, unit: "s" });
  const figures = [
    figure(`${accounts} accounts held at first`, [held]),
    figure(
      "held again after the broker listens",
      ms.map(({ resumed }) => resumed),
    ),
    figure(
      "all compared with the store after the broker listens",
      ms.map(({ compared }) => compared),
    ),
    { name: "messages to one of the accounts meanwhile, every one received once", value: canary.taken.size, unit: "messages" },
  ];
  return { ms, result: { ratios: [], figures } };
}

async function allArrived({ told }: Holder, taken: ReadonlyMap<number, number>): Promise<void> {
  const deadline = performance.now() + ARRIVE_MS;
  while (canaryLosses(told, taken).lost > 0 && performance.now() < deadline) await sleep(20);
  const { lost, twice } = canaryLosses(told, taken);
  if (lost > 0 || twice > 0) throw new Error(`of ${taken.size} acknowledged messages ${lost} were lost and ${twice} came twice`);
}

type Kind = Told["kind"];

/** The holder as its parent sees it. */
interface Holder {
  readonly pid: number;
  readonly told: readonly Told[];
  /** The n-th of a kind, past or to come, counted from 1. */
  nth<K extends Kind>(kind: K, nth: number): Promise<Extract<Told, { kind: K }>>;
}

function startHolder(stage: Stage, options: BusOptions & { accounts: number }): Holder {
  const child = fork(HOLDER, [JSON.stringify(options)]);
  const exited = once(child, "exit");
  stage.after(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  const told: Told[] = [];
  child.on("message", (message: Told) => {
    told.push(message);
    child.emit("told");
  });
  return {
    pid: child.pid ?? 0,
    told,
    async nth<K extends Kind>(kind: K, nth: number) {
      for (;;) {
        const found = told.filter((each) => each.kind === kind)[nth - 1];
        if (found) return found as Extract<Told, { kind: K }>;
        await Promise.race([once(child, "told"), exited.then(() => Promise.reject(new Error("the holder has ended")))]);
      }
    },
  };
}

/** A client without anything of ours subscribes to as many channels; ms. */
async function subscribeAll(url: string, channels: number): Promise<number> {
  const client = new Redis(url, { enableAutoPipelining: true });
  await once(client, "ready");
  const start = performance.now();
  const batches = Array.from({ length: channels / AT_ONCE }, (_, batch) => Array.from({ length: AT_ONCE }, (_, n) => `raw:user_${batch * AT_ONCE + n}`));
  await Promise.all(batches.map((names) => client.subscribe(...names)));
  const ms = performance.now() - start;
  client.disconnect();
  return ms;
}
