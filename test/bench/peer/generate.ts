// The load: many clients of one channel, messages to all of them at a fixed rate, every delivery counted.
import { setTimeout as sleep } from "node:timers/promises";
import { cpuUsOf } from "../harness/cpu.ts";
import { median, quantile } from "../harness/figures.ts";
import type { PeerProtocol } from "./protocol.ts";

export interface Load {
  readonly sockets: number;
  readonly messages: number;
  /** A second. */
  readonly rate: number;
  /** Of the server, where it runs on this machine. */
  readonly pid: number | undefined;
  /** How long the last deliveries may take, ms. */
  readonly arriveMs?: number;
}

export interface Outcome {
  /** Deliveries that had to come; that did not; that came again. */
  readonly expected: number;
  readonly lost: number;
  readonly twice: number;
  /** From when a message was due to its arrival at a client, ms. */
  readonly p50: number;
  readonly p99: number;
  /** Deliveries a second, from the first message to the last delivery. */
  readonly perSecond: number;
  /** µs of the server's CPU for each delivery; without a `pid` none. */
  readonly cpuUs: number | undefined;
}

const CONNECT_AT_ONCE = 50;
const ARRIVE_MS = 10_000;
/** A share of the messages that comes first and is not measured. */
const WARM_UP = 0.2;
const PADDING = "x".repeat(100);

/** Rejects when a client cannot connect or a message is not taken. */
export async function generate(protocol: PeerProtocol, { sockets, messages, rate, pid, arriveMs = ARRIVE_MS }: Load): Promise<Outcome> {
  let round = createRound(sockets, 0, 0, { rate, arriveMs });
  const received = (client: number) => (text: string) => round.arrived(client, Number(/\bn\\?":(\d+)/.exec(text)?.[1]));
  for (let from = 0; from < sockets; from += CONNECT_AT_ONCE) {
    const some = Array.from({ length: Math.min(CONNECT_AT_ONCE, sockets - from) }, (_, nth) => from + nth);
    await Promise.all(some.map((n) => protocol.connect(n, received(n))));
  }
  const warmUp = Math.ceil(messages * WARM_UP);
  round = createRound(sockets, 0, warmUp, { rate, arriveMs });
  await round.run(protocol);
  round = createRound(sockets, warmUp, messages, { rate, arriveMs });
  let cpuUs: number | undefined;
  if (pid === undefined) await round.run(protocol);
  else cpuUs = (await cpuUsOf([pid], () => round.run(protocol))) / (sockets * messages);
  return { ...round.outcome(), cpuUs };
}

/** Messages `first` to `first + messages - 1`. */
function createRound(sockets: number, first: number, messages: number, { rate, arriveMs }: { rate: number; arriveMs: number }) {
  const expected = sockets * messages;
  /** Whether a client has had a message: a byte for each pair. */
  const had = new Uint8Array(expected);
  const times: number[] = [];
  let [start, end, twice] = [0, 0, 0];
  const due = (nth: number) => start + (nth * 1_000) / rate;
  return {
    arrived(client: number, n: number): void {
      const nth = n - first;
      // What is late of an earlier round belongs to nobody.
      if (!(nth >= 0 && nth < messages)) return;
      if (had[client * messages + nth] === 1) return void twice++;
      had[client * messages + nth] = 1;
      end = performance.now();
      times.push(end - due(nth));
    },
    async run({ publish }: PeerProtocol): Promise<void> {
      start = performance.now() + 10;
      const taken: Promise<unknown>[] = [];
      const failures: unknown[] = [];
      for (let sent = 0; sent < messages; await sleep(1))
        for (; sent < messages && performance.now() >= due(sent); sent++)
          taken.push(publish({ n: first + sent, text: PADDING }).catch((failure: unknown) => failures.push(failure)));
      await Promise.all(taken);
      if (failures.length > 0) throw failures[0];
      const deadline = performance.now() + arriveMs;
      while (times.length < expected && performance.now() < deadline) await sleep(5);
      // What came twice would be under way.
      await sleep(50);
    },
    outcome(): Omit<Outcome, "cpuUs"> {
      const perSecond = (times.length * 1_000) / (end - start);
      return { expected, lost: expected - times.length, twice, p50: median(times), p99: quantile(times, 0.99), perSecond };
    },
  };
}
