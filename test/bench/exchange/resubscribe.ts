// A broker is killed and comes back: how long until a node with many accounts hears all of them again, and what one of them notices.
import { fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { messageEnvelope } from "../../../server/src/protocol/envelope.ts";
import { Event, newMsgId } from "../../../server/src/protocol/message.ts";
import { startRabbitmq } from "../../helpers/rabbitmq-server.ts";
import { startRedis } from "../../helpers/redis-server.ts";
import { type Bus, type BusOptions, createBus } from "./bus.ts";
import { CANARY, type Told } from "./holder.ts";
import type { Row, Scale } from "./report.ts";
import { createStage, quantile, round, type Stage } from "./stage.ts";

const HOLDER = fileURLToPath(new URL("./holder.ts", import.meta.url));
const CANARY_EVERY_MS = 5;
const DOWN_MS = 1_000;

type Kind = Told["kind"];

/** The holder as its parent sees it. */
interface Holder {
  readonly told: readonly Told[];
  /** The first of a kind, past or to come. */
  next<K extends Kind>(kind: K): Promise<Extract<Told, { kind: K }>>;
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
    told,
    async next<K extends Kind>(kind: K) {
      for (let at = 0; ; ) {
        for (; at < told.length; at++) if (told[at]?.kind === kind) return told[at] as Extract<Told, { kind: K }>;
        await Promise.race([once(child, "told"), exited.then(() => Promise.reject(new Error("the holder has ended")))]);
      }
    },
  };
}

/** Sends the canary its numbers until stopped; those that were taken, and when. */
function feedCanary({ store, exchange }: Bus) {
  const taken = new Map<number, number>();
  let running = true;
  const send = async (n: number) => {
    const at = Date.now();
    const message = { event: Event.SYSTEM, data: `{"n":${n}}`, msgId: newMsgId(), sendAt: at };
    const { position, published } = await store.append(CANARY, message, 0);
    if (!published) await exchange.publish([{ target: CANARY, position }], messageEnvelope(message));
    taken.set(n, at);
  };
  const done = (async () => {
    for (let n = 0; running; n++) {
      send(n).catch(() => {});
      await sleep(CANARY_EVERY_MS);
    }
  })();
  return {
    taken,
    async stop() {
      running = false;
      await done;
    },
  };
}

async function measure(kind: "redis" | "rabbitmq", accounts: number): Promise<Row[]> {
  const stage = createStage();
  try {
    const redis = await startRedis(stage);
    const broker = kind === "rabbitmq" ? await startRabbitmq(stage) : redis;
    const options = { redis: redis.url, ...(kind === "rabbitmq" ? { rabbitmq: broker.url } : {}) };
    const holder = startHolder(stage, { ...options, nodeId: "holder", accounts });
    const started = performance.now();
    await holder.next("held");
    const held = performance.now() - started;
    const publisher = createBus({ ...options, nodeId: "publisher" }, () => {});
    stage.after(() => publisher.close());
    await publisher.open(() => {});
    const canary = feedCanary(publisher);
    await sleep(1_000);
    await broker.kill();
    await sleep(DOWN_MS);
    await broker.start();
    const listening = Date.now();
    const resumed = await holder.next("resumed");
    const compared = await holder.next("compared");
    await canary.stop();
    await sleep(1_500);
    return [
      { name: `${kind}: ${accounts} accounts held at first`, value: `${round(held / 1_000)} s` },
      ...rows(kind, holder, canary.taken, { listening, resumed: resumed.at, accounts: resumed.accounts, compared: compared.at }),
    ];
  } finally {
    await stage.close();
  }
}

function rows(
  kind: string,
  { told }: Holder,
  taken: ReadonlyMap<number, number>,
  at: { listening: number; resumed: number; accounts: number; compared: number },
): Row[] {
  const arrivals = new Map<number, number>();
  let twice = 0;
  for (const each of told) {
    if (each.kind !== "canary") continue;
    if (arrivals.has(numberOf(each.data))) twice++;
    arrivals.set(numberOf(each.data), each.at);
  }
  const lost = [...taken.keys()].filter((n) => !arrivals.has(n)).length;
  const after = [...taken].filter(([, sent]) => sent >= at.listening);
  const first = Math.min(...after.map(([n]) => arrivals.get(n) ?? Number.POSITIVE_INFINITY));
  const comparing = after
    .filter(([, sent]) => sent >= at.resumed && sent < at.compared)
    .map(([n, sent]) => (arrivals.get(n) ?? Number.POSITIVE_INFINITY) - sent);
  return [
    { name: `${kind}: ${at.accounts} accounts held again after it listens`, value: `${round((at.resumed - at.listening) / 1_000)} s`, goal: "≤ 2 s" },
    { name: `${kind}: the canary receives again after it listens`, value: `${round((first - at.listening) / 1_000)} s` },
    { name: `${kind}: all compared with the store`, value: `${round((at.compared - at.resumed) / 1_000)} s` },
    {
      name: `${kind}: canary's p99 meanwhile (${comparing.length} messages)`,
      value: `${round(quantile(comparing, 0.99))} ms, ${Math.max(...comparing)} ms at most`,
    },
    { name: `${kind}: canary's ${taken.size} acknowledged messages`, value: `${lost} lost, ${twice} twice` },
  ];
}

export async function resubscribe({ accounts }: Scale): Promise<Row[]> {
  return [...(await measure("redis", accounts)), ...(await measure("rabbitmq", accounts))];
}

function numberOf(data: string): number {
  return (JSON.parse(data) as { n: number }).n;
}
