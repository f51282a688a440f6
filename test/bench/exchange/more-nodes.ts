// What a push from one node to another costs the whole cluster as nodes are added that have nothing to do with it.
import { cpuUsOf } from "../harness/cpu.ts";
import { median } from "../harness/figures.ts";
import { interleave, type Measured, type Subject } from "../harness/measure.ts";
import type { Context, Curve, Scenario } from "../harness/scenario.ts";
import { startCluster } from "./cluster.ts";
import { asFastAsAnswered, connectReceivers } from "./drive.ts";
import { type Node, startOurs, startSocketIo } from "./nodes.ts";

const ACCOUNTS = Array.from({ length: 100 }, (_, n) => `user_${n}`);
const IN_FLIGHT = 32;

export const nodes: Scenario = {
  name: "nodes",
  title: "CPU of all nodes for a push to the first with its socket on the second, as nodes are added",
  // What a node costs that is not concerned, a quick run knows from `exchange`.
  fullOnly: true,
  async run(context) {
    const { stage, quick } = context;
    const startNode = (redis: string) => startOurs(stage, { exchange: { type: "redis", redis }, store: { type: "redis" } });
    const counts = quick ? [2, 3] : [2, 3, 4, 6];
    const ours = await Promise.all(counts.map((count) => cluster(context, "ours", count, startNode)));
    const theirs = quick ? [] : await Promise.all(counts.map((count) => cluster(context, "socket.io", count, (redis) => startSocketIo(stage, redis, false))));
    for (const subject of [...ours, ...theirs]) for (let n = 0; n < 3; n++) await subject.measure();
    const measured = await interleave(context, [...ours, ...theirs], { repetitions: quick ? 9 : 15 });
    const [two, three] = ours as [Subject, Subject];
    const [theirTwo, theirThree] = theirs;
    return {
      ratios: [
        measured.ratio("push with 3 nodes / with 2", three, two, { atMost: 1.05, broken: 1.6 }),
        ...(theirTwo && theirThree ? [measured.ratio("socket.io with its Redis adapter: with 3 nodes / with 2", theirThree, theirTwo)] : []),
      ],
      figures: measured.figures,
      ...(quick ? {} : { curves: [curve(measured, counts, ours, theirs)] }),
    };
  },
};

async function cluster({ stage, quick, progress }: Context, name: string, count: number, start: (redisUrl: string) => Promise<Node>): Promise<Subject> {
  progress(`starts ${count} nodes of ${name}`);
  const { redis, nodes: started } = await startCluster(stage, start, count);
  const [first, second] = started as [Node, Node];
  const receivers = await connectReceivers([second], ACCOUNTS);
  const work = Array.from({ length: IN_FLIGHT }, () => ({ node: first, pusher: first.pusher() }));
  const pids = started.map(({ pid }) => pid);
  const pushes = quick ? 1_000 : 4_000;
  let next = 0;
  return {
    name: `${name}, ${count} nodes`,
    pids: [...pids, redis.pid],
    async measure() {
      const from = (next += pushes);
      return (await cpuUsOf(pids, () => asFastAsAnswered(work, receivers, ACCOUNTS, from, pushes))) / pushes;
    },
  };
}

function curve(measured: Measured, counts: readonly number[], ours: readonly Subject[], theirs: readonly Subject[]): Curve {
  const line = (name: string, subjects: readonly Subject[]) => ({
    name,
    points: subjects.map((subject, nth) => [counts[nth] as number, median(measured.of(subject))] as const),
  });
  return {
    name: "nodes",
    title: "CPU of all nodes for a push that concerns two of them",
    x: "nodes",
    y: "µs for each push",
    lines: [line("ours", ours), line("socket.io, Redis adapter", theirs)],
  };
}
