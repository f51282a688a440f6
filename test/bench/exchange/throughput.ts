// Pushes for the CPU of three nodes, and what a node pays that has nothing to do with them; beside socket.io with its Redis adapter.
import { setTimeout as sleep } from "node:timers/promises";
import { cpuMs, cpuUsOf } from "../harness/cpu.ts";
import { median } from "../harness/figures.ts";
import { interleave, type Subject } from "../harness/measure.ts";
import type { Context, Figure, Scenario } from "../harness/scenario.ts";
import { type Cluster, cluster, NODES, startCluster } from "./cluster.ts";
import { asFastAsAnswered, connectReceivers } from "./drive.ts";
import { type Node, startOurs, startSocketIo } from "./nodes.ts";

const EVERYWHERE = Array.from({ length: 300 }, (_, n) => `user_${n}`);
const ON_SECOND = Array.from({ length: 100 }, (_, n) => `second_${n}`);
const IN_FLIGHT = 30;
/** Pushes in a request, where a backend has many. */
const BATCH = 20;

/** Three nodes of a kind, measured in three ways; each answers µs of CPU for a push. */
interface System {
  /** Of all nodes: pushes to all, sockets on all. */
  readonly all: Subject;
  /** The same, many pushes a request. */
  readonly batched: Subject;
  /** Of the third node: pushes to the first, sockets on the second. */
  readonly uninvolved: Subject;
}

export const exchange: Scenario = {
  name: "exchange",
  title: "Three nodes on one Redis: their CPU for a push, and that of a node which has nothing to do with it, beside socket.io with its Redis adapter",
  async run(context) {
    const { stage, quick } = context;
    const peerOn = (withToken: boolean) => startCluster(stage, (redis) => startSocketIo(stage, redis, withToken));
    const withoutStore = (redis: string) => startOurs(stage, { exchange: { type: "redis", redis }, store: { type: "none" } });
    const [peer, kept] = await Promise.all([createSystem(context, "socket.io", peerOn(false)), createSystem(context, "ours, store redis", cluster(context))]);
    // What else can be compared is left to a full run.
    const peerWithToken = quick ? undefined : await createSystem(context, "socket.io with a token", peerOn(true));
    const unkept = quick ? undefined : await createSystem(context, "ours, store none", startCluster(stage, withoutStore));
    const systems = [peer, kept, peerWithToken, unkept].filter((system) => system !== undefined);
    const subjects = systems.flatMap(({ all, batched, uninvolved }) => [all, batched, uninvolved]);
    // A server that has just started runs code that is not compiled yet.
    for (let n = 0; n < 5; n++) await Promise.all(systems.map(({ all }) => all.measure()));
    for (const { batched, uninvolved } of systems) for (const each of [batched, uninvolved]) await each.measure();
    const measured = await interleave(context, subjects, { repetitions: quick ? 3 : 7, warmUp: false });
    const ratios = ({ all, batched, uninvolved }: System, name: string) => [
      measured.ratio(`${name}: pushes for the CPU of three nodes / socket.io, no authentication`, all, peer.all, { atLeast: 2, broken: 0.3 }, "inverse"),
      measured.ratio(`${name}: the same, ${BATCH} pushes a request`, batched, peer.batched, { atLeast: 2, broken: 0.3 }, "inverse"),
      measured.ratio(`${name}: CPU of a node that is not concerned / socket.io`, uninvolved, peer.uninvolved, { atMost: 0.1, reach: 0.03, broken: 1 }),
    ];
    return {
      ratios: [
        ...ratios(kept, "store redis"),
        ...(unkept ? ratios(unkept, "store none") : []),
        ...(peerWithToken ? [measured.ratio("store redis: pushes / socket.io with a token for each", kept.all, peerWithToken.all, undefined, "inverse")] : []),
      ],
      figures: [
        ...subjects.map((subject): Figure => ({ name: subject.name, value: median(measured.of(subject)), unit: "µs for each push" })),
        ...measured.figures,
      ],
    };
  },
};

async function createSystem({ quick, progress }: Context, name: string, starting: Promise<Cluster>): Promise<System> {
  progress(`starts ${name}`);
  const { redis, nodes } = await starting;
  const pids = [...nodes.map(({ pid }) => pid), redis.pid];
  const work = (some: readonly Node[], kind: "single" | "batch" = "single") =>
    Array.from({ length: IN_FLIGHT }, (_, n) => {
      const node = some[n % some.length] as Node;
      return { node, pusher: node.pusher(kind) };
    });
  const [everywhere, onSecond] = [await connectReceivers(nodes, EVERYWHERE), await connectReceivers(nodes.slice(1, 2), ON_SECOND)];
  const [toAll, inBatches, toFirst] = [work(nodes), work(nodes, "batch"), work(nodes.slice(0, 1))];
  const third = (nodes[NODES - 1] as Node).pid;
  const pushes = quick ? 800 : 6_000;
  let next = 0;
  let idleMs: Promise<number> | undefined;
  const subject = (
    what: string,
    measured: readonly number[],
    run: (first: number) => Promise<number>,
    idle: () => Promise<number> = async () => 0,
  ): Subject => ({
    name: `${name}: ${what}`,
    pids,
    async measure() {
      const first = (next += pushes);
      let seconds = 0;
      const us = await cpuUsOf(measured, async () => (seconds = await run(first)));
      return Math.max(0, us - (await idle()) * 1_000 * seconds) / pushes;
    },
  });
  const nodePids = nodes.map(({ pid }) => pid);
  return {
    all: subject("three nodes", nodePids, (first) => asFastAsAnswered(toAll, everywhere, EVERYWHERE, first, pushes)),
    batched: subject(`three nodes, ${BATCH} a request`, nodePids, (first) => asFastAsAnswered(inBatches, everywhere, EVERYWHERE, first, pushes, BATCH)),
    uninvolved: subject(
      "a node not concerned",
      [third],
      (first) => asFastAsAnswered(toFirst, onSecond, ON_SECOND, first, pushes),
      // Asked for after the first round of work, which is no longer that of a process that has just started.
      () => (idleMs ??= idleCpu(third, quick)),
    ),
  };
}

/** ms of CPU a second with nothing to do. */
async function idleCpu(pid: number, quick: boolean): Promise<number> {
  const seconds = quick ? 0.5 : 3;
  const before = await cpuMs(pid);
  await sleep(seconds * 1_000);
  return ((await cpuMs(pid)) - before) / seconds;
}
