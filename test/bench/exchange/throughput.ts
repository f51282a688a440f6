// Pushes for the CPU of three nodes, and what a node pays that has nothing to do with them; beside socket.io with its Redis adapter.
import { setTimeout as sleep } from "node:timers/promises";
import { startRedis } from "../../helpers/redis-server.ts";
import { asFastAsAnswered, connectReceivers, type Receivers } from "./drive.ts";
import { type Node, startOurs, startSocketIo } from "./nodes.ts";
import type { Pusher } from "./pusher.ts";
import type { Row, Scale } from "./report.ts";
import { cpuMs, createStage, median, round, type Stage } from "./stage.ts";

const EVERYWHERE = Array.from({ length: 300 }, (_, n) => `user_${n}`);
const ON_SECOND = Array.from({ length: 100 }, (_, n) => `second_${n}`);
const IN_FLIGHT = 30;
/** Pushes in a request, where a backend has many. */
const BATCH = 20;

type Work = readonly { readonly node: Node; readonly pusher: Pusher }[];

/** Three nodes of a kind. First layout: pushes to all, sockets on all. Second: pushes to the first, sockets on the second, nothing on the third. */
interface Subject {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly everywhere: Receivers;
  readonly onSecond: Receivers;
  readonly toAll: Work;
  readonly toFirst: Work;
  readonly inBatches: Work;
  /** One for each round: CPU of all nodes, the same for pushes in batches, and of the third, µs per push; pushes a second. */
  readonly all: number[];
  readonly batched: number[];
  readonly uninvolved: number[];
  readonly perSecond: number[];
  next: number;
}

async function createSubject(stage: Stage, name: string, start: (redisUrl: string) => Promise<Node>): Promise<Subject> {
  const redis = await startRedis(stage);
  const nodes: Node[] = [];
  for (let nth = 0; nth < 3; nth++) nodes.push(await start(redis.url));
  const workOn = (some: readonly Node[], kind: "single" | "batch" = "single") =>
    Array.from({ length: IN_FLIGHT }, (_, n) => {
      const node = some[n % some.length] as Node;
      return { node, pusher: node.pusher(kind) };
    });
  return {
    name,
    nodes,
    everywhere: await connectReceivers(nodes, EVERYWHERE),
    onSecond: await connectReceivers(nodes.slice(1, 2), ON_SECOND),
    toAll: workOn(nodes),
    toFirst: workOn(nodes.slice(0, 1)),
    inBatches: workOn(nodes, "batch"),
    all: [],
    batched: [],
    uninvolved: [],
    perSecond: [],
    next: 0,
  };
}

async function measure(subject: Subject, pushes: number): Promise<void> {
  const { nodes, everywhere, onSecond, toAll, toFirst, inBatches, all, batched, uninvolved, perSecond } = subject;
  const first = subject.next;
  subject.next += 2 * pushes;
  let seconds = 0;
  const used = async (run: () => Promise<number>) => {
    const before = await cpus(nodes);
    seconds = await run();
    return ((await cpus(nodes)).reduce((sum, ms, i) => sum + ms - (before[i] as number), 0) * 1_000) / pushes;
  };
  batched.push(await used(() => asFastAsAnswered(inBatches, everywhere, EVERYWHERE, first, pushes, BATCH)));
  all.push(await used(() => asFastAsAnswered(toAll, everywhere, EVERYWHERE, first + pushes, pushes)));
  perSecond.push(pushes / seconds);

  const third = nodes[2] as Node;
  const beforeThird = await cpuMs(third.pid);
  const secondsThird = await asFastAsAnswered(toFirst, onSecond, ON_SECOND, first, pushes);
  const busy = (await cpuMs(third.pid)) - beforeThird;
  const idle = (await idleCpu(third)) * secondsThird;
  uninvolved.push((Math.max(0, busy - idle) * 1_000) / pushes);
}

const cpus = (nodes: readonly Node[]): Promise<number[]> => Promise.all(nodes.map(({ pid }) => cpuMs(pid)));

/** ms of CPU a second with nothing to do. */
async function idleCpu(node: Node): Promise<number> {
  const before = await cpuMs(node.pid);
  await sleep(3_000);
  return ((await cpuMs(node.pid)) - before) / 3;
}

export async function throughput({ pushes, rounds }: Scale): Promise<Row[]> {
  const stage = createStage();
  const ours = (store: "redis" | "none") => (redis: string) => startOurs(stage, { exchange: { type: "redis", redis }, store: { type: store } });
  try {
    const subjects = [
      await createSubject(stage, "socket.io", (redis) => startSocketIo(stage, redis, false)),
      await createSubject(stage, "socket.io, each push with a token", (redis) => startSocketIo(stage, redis, true)),
      await createSubject(stage, "ours, store redis", ours("redis")),
      await createSubject(stage, "ours, store none", ours("none")),
    ];
    for (const { toAll, toFirst, inBatches, everywhere, onSecond } of subjects) {
      await asFastAsAnswered(inBatches, everywhere, EVERYWHERE, 2_000_000, pushes, BATCH);
      await asFastAsAnswered(toAll, everywhere, EVERYWHERE, 1_000_000, pushes);
      await asFastAsAnswered(toFirst, onSecond, ON_SECOND, 1_000_000, pushes);
    }
    for (let round = 0; round < rounds; round++) for (const subject of subjects) await measure(subject, pushes);
    return rows(subjects);
  } finally {
    await stage.close();
  }
}

function rows([theirs, ...others]: readonly Subject[]): Row[] {
  if (!theirs) return [];
  const row = ({ name, all, batched, perSecond, uninvolved }: Subject, goals: readonly [string, string]): Row[] => [
    {
      name: `${name}: CPU of 3 nodes per push`,
      value: `${round(median(all))} µs, ${Math.round(median(perSecond))}/s`,
      ratio: round(median(theirs.all) / median(all)),
      goal: goals[0],
    },
    {
      name: `${name}: the same, ${BATCH} pushes a request`,
      value: `${round(median(batched))} µs`,
      ratio: round(median(theirs.batched) / median(batched)),
      goal: goals[0],
    },
    {
      name: `${name}: CPU of an uninvolved node per push`,
      value: `${round(median(uninvolved))} µs`,
      ratio: round(median(uninvolved) / median(theirs.uninvolved)),
      goal: goals[1],
    },
  ];
  return [...row(theirs, ["", ""]), ...others.flatMap((each) => row(each, each.name.startsWith("ours") ? ["≥ 2", "≤ 0.1"] : ["", ""]))];
}
