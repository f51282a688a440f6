// A push on one node without a broker, beside the same on another checkout's build: what a change has cost.
import { asFastAsAnswered, connectReceivers, oneByOne, type Receivers } from "./drive.ts";
import { type Node, startOurs } from "./nodes.ts";
import type { Pusher } from "./pusher.ts";
import type { Row, Scale } from "./report.ts";
import { cpuMs, createStage, median, round } from "./stage.ts";

const ACCOUNTS = Array.from({ length: 100 }, (_, n) => `user_${n}`);

interface Subject {
  readonly name: string;
  readonly node: Node;
  readonly pushers: readonly Pusher[];
  readonly receivers: Receivers;
  /** µs of the node per push, and medians with one in flight, ms; one for each round. */
  readonly cpu: number[];
  readonly alone: number[];
}

/** `against` is the other checkout's `server/bin/xlvein.js`. */
export async function hotPath({ pushes, alone, rounds, against }: Scale): Promise<Row[]> {
  const stage = createStage();
  try {
    const bins: Record<string, string | undefined> = against === undefined ? { this: undefined } : { other: against, this: undefined };
    const subjects: Subject[] = [];
    for (const [name, bin] of Object.entries(bins)) {
      const node = await startOurs(stage, {}, bin);
      const receivers = await connectReceivers([node], ACCOUNTS);
      subjects.push({ name, node, pushers: Array.from({ length: 24 }, () => node.pusher()), receivers, cpu: [], alone: [] });
    }
    for (let round = -1, n = 0; round < rounds * 2; round++, n += 2 * pushes)
      for (const subject of subjects) await measure(subject, n, pushes, alone, round >= 0);
    return rows(subjects);
  } finally {
    await stage.close();
  }
}

async function measure({ node, pushers, receivers, cpu, alone }: Subject, n: number, pushes: number, singles: number, counts: boolean): Promise<void> {
  const before = await cpuMs(node.pid);
  await asFastAsAnswered(
    pushers.map((pusher) => ({ node, pusher })),
    receivers,
    ACCOUNTS,
    n,
    pushes,
  );
  const used = (await cpuMs(node.pid)) - before;
  const times = await oneByOne(node, pushers[0] as Pusher, receivers, ACCOUNTS[0] as string, n + pushes, Math.min(singles, pushes));
  if (!counts) return;
  cpu.push((used * 1_000) / pushes);
  alone.push(median(times));
}

function rows(subjects: readonly Subject[]): Row[] {
  const [first] = subjects;
  return subjects.flatMap(({ name, cpu, alone }) => {
    const compared = first && first.name !== name;
    return [
      {
        name: `${name} build: CPU per push`,
        value: `${round(median(cpu))} µs, ${round(Math.min(...cpu))} at best`,
        ...(compared ? { ratio: round(Math.min(...cpu) / Math.min(...first.cpu)) } : {}),
      },
      { name: `${name} build: p50 alone`, value: `${round(median(alone))} ms`, ...(compared ? { ratio: round(median(alone) / median(first.alone)) } : {}) },
    ];
  });
}
