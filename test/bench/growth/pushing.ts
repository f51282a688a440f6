// Pushes to the accounts of one server, as a subject: µs of the server's CPU for each.
import { asFastAsAnswered, type Receivers } from "../exchange/drive.ts";
import type { Node } from "../exchange/nodes.ts";
import { cpuUsOf } from "../harness/cpu.ts";
import type { Subject } from "../harness/measure.ts";
import type { Pusher } from "../harness/pusher.ts";

const IN_FLIGHT = 32;
/** Of each server's numbers, so that a message never has the number of another. */
let next = 0;

export interface Pushing {
  readonly node: Node;
  readonly receivers: Receivers;
  /** The n-th push goes to `accounts[n % accounts.length]`. */
  readonly accounts: readonly string[];
  /** Pushes in a repetition. */
  readonly pushes: number;
  /** By default as many as are in flight. */
  readonly pushers?: readonly Pusher[];
}

/** Answers µs for each push; less is better. */
export function pushing(name: string, { node, receivers, accounts, pushes, pushers }: Pushing): Subject {
  const work = (pushers ?? Array.from({ length: IN_FLIGHT }, () => node.pusher())).map((pusher) => ({ node, pusher }));
  return {
    name,
    pids: [node.pid],
    async measure() {
      const first = next;
      next += pushes;
      return (await cpuUsOf([node.pid], () => asFastAsAnswered(work, receivers, accounts, first, pushes))) / pushes;
    },
  };
}

/** `user_0` and so on. */
export function accountNames(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `user_${n}`);
}
