// Drives nodes with pushes, and counts what arrives: nothing may be lost or come twice, whatever the speed.
import { setTimeout as sleep } from "node:timers/promises";
import type { Pusher } from "../harness/pusher.ts";
import type { Node } from "./nodes.ts";

/** Digits, so that the receiver finds them without parsing. */
const NUMBER = /"n":(\d+)/;
const ARRIVE_MS = 10_000;

/** Sockets, and what has arrived at them. */
export interface Receivers {
  /** `performance.now()` of the arrival of each number. */
  readonly arrived: Map<number, number>;
  twice: number;
  /** Called at every arrival. */
  onArrival: () => void;
}

/** `accounts[i]` connects to `nodes[i % nodes.length]`; `receivers` are those they join. */
export async function connectReceivers(
  nodes: readonly Node[],
  accounts: readonly string[],
  receivers: Receivers = { arrived: new Map(), twice: 0, onArrival() {} },
): Promise<Receivers> {
  const received = (text: string) => {
    const n = Number(NUMBER.exec(text)?.[1]);
    if (receivers.arrived.has(n)) receivers.twice++;
    receivers.arrived.set(n, performance.now());
    receivers.onArrival();
  };
  for (let from = 0; from < accounts.length; from += 50) {
    await Promise.all(accounts.slice(from, from + 50).map((account, i) => (nodes[(from + i) % nodes.length] as Node).receive(account, received)));
  }
  return receivers;
}

export const PADDING = "x".repeat(120);

/** Pushes one, waits until it has arrived and is answered, pushes the next. Answers the time from push to arrival of each, ms. */
export async function oneByOne(node: Node, pusher: Pusher, receivers: Receivers, account: string, first: number, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let n = first; n < first + count; n++) {
    const arrived = Promise.withResolvers<void>();
    receivers.onArrival = () => arrived.resolve();
    const body = node.body(account, { n, text: PADDING });
    const start = performance.now();
    const answer = pusher.push(body);
    await arrived.promise;
    times.push((receivers.arrived.get(n) ?? Number.NaN) - start);
    demand((await answer) === 200, `push ${n} was refused`);
  }
  receivers.onArrival = () => {};
  await allArrived(receivers, first, count);
  return times;
}

/** Pushes at a fixed rate, whatever the answers; answers the time from when each was due to its arrival, ms. */
export async function atRate(
  node: Node,
  pushers: readonly Pusher[],
  receivers: Receivers,
  accounts: readonly string[],
  first: number,
  count: number,
  perSecond: number,
): Promise<number[]> {
  const idle = [...pushers];
  const due = new Map<number, number>();
  const queue: number[] = [];
  const answers: Promise<void>[] = [];
  const start = performance.now() + 20;
  const dispatch = () => {
    while (idle.length > 0 && queue.length > 0) answers.push(run(idle.pop() as Pusher, queue.shift() as number));
  };
  const run = async (pusher: Pusher, n: number) => {
    const status = await pusher.push(node.body(accounts[n % accounts.length] as string, { n, text: PADDING }));
    demand(status === 200, `push ${n} was answered ${status}`);
    idle.push(pusher);
    dispatch();
  };
  for (let sent = 0; sent < count; ) {
    const until = Math.min(count, Math.floor(((performance.now() - start) * perSecond) / 1_000));
    for (; sent < until; sent++) {
      due.set(first + sent, start + (sent * 1_000) / perSecond);
      queue.push(first + sent);
    }
    dispatch();
    await sleep(1);
  }
  // Each answer takes the next from the queue.
  for (let answered = 0; answered < count; answered++) await answers[answered];
  await allArrived(receivers, first, count);
  return [...due].map(([n, at]) => (receivers.arrived.get(n) ?? Number.NaN) - at);
}

/** Pushes as fast as they are answered, each pusher one request at a time; answers the seconds until all had arrived. */
export async function asFastAsAnswered(
  work: readonly { node: Node; pusher: Pusher }[],
  receivers: Receivers,
  accounts: readonly string[],
  first: number,
  count: number,
  perRequest = 1,
): Promise<number> {
  let next = first;
  const start = performance.now();
  const take = () => {
    const n = next++;
    return { account: accounts[n % accounts.length] as string, data: { n, text: PADDING } };
  };
  await Promise.all(
    work.map(async ({ node, pusher }) => {
      while (next < first + count) {
        const pushes = Array.from({ length: Math.min(perRequest, first + count - next) }, take);
        const [{ account, data }] = pushes as [(typeof pushes)[0]];
        const status = await pusher.push(perRequest === 1 ? node.body(account, data) : node.batch(pushes));
        demand(status === 200, `pushes were answered ${status}`);
      }
    }),
  );
  await allArrived(receivers, first, count);
  return (performance.now() - start) / 1_000;
}

/** Resolves when `count` messages from `first` on have arrived; rejects when one is missing for long, or came twice. */
export async function allArrived(receivers: Receivers, first: number, count: number): Promise<void> {
  const deadline = performance.now() + ARRIVE_MS;
  let missing = count;
  while (missing > 0 && performance.now() < deadline) {
    missing = 0;
    for (let n = first; n < first + count; n++) if (!receivers.arrived.has(n)) missing++;
    if (missing > 0) await sleep(5);
  }
  demand(missing === 0, `${missing} of ${count} messages have not arrived`);
  demand(receivers.twice === 0, `${receivers.twice} messages have arrived twice`);
}

function demand(fact: boolean, otherwise: string): void {
  if (!fact) throw new Error(otherwise);
}
