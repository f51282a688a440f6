// The servers that are compared, each a process of its own, and what one repetition is for each.
import { apiToken } from "../../helpers/client.ts";
import { asFastAsAnswered, connectReceivers, PADDING } from "../exchange/drive.ts";
import { type Node, startOurs, startSocketIoInMemory } from "../exchange/nodes.ts";
import { cpuUsOf } from "../harness/cpu.ts";
import type { Subject } from "../harness/measure.ts";
import { startScript } from "../harness/processes.ts";
import { createPusher } from "../harness/pusher.ts";
import type { Stage } from "../harness/stage.ts";

/** Names of one length, so that every answer has the same. */
const ACCOUNTS = Array.from({ length: 300 }, (_, n) => `user_${String(n).padStart(3, "0")}`);
const IN_FLIGHT = 32;
/** Pushes in one request of a batch. */
export const BATCH = 50;

/** µs of a server's CPU for each push; `measure` makes `pushes` of them. */
export interface Pushing extends Subject {
  /** Makes enough of them for the runtime to have compiled what is hot. */
  warmUp(): Promise<void>;
}

/** Pushes that warm up a server. */
const WARM_UP = 12_000;

/** `run` makes so many pushes. */
function pushing(name: string, pid: number, pushes: number, run: (count: number) => Promise<unknown>): Pushing {
  return {
    name,
    pids: [pid],
    measure: async () => (await cpuUsOf([pid], () => run(pushes))) / pushes,
    warmUp: async () => void (await run(WARM_UP)),
  };
}

/** node:http, which answers and does nothing else. */
export async function bareHttp(stage: Stage, pushes: number): Promise<Pushing> {
  const { pid, port } = await startScript(stage, new URL("./bare-http.ts", import.meta.url));
  const pushers = Array.from({ length: IN_FLIGHT }, () =>
    createPusher(stage, `http://127.0.0.1:${port}/api/v1/messages`, () => ({ authorization: `Bearer ${apiToken()}` })),
  );
  let next = 0;
  return pushing("bare node:http", pid, pushes, (count) => {
    const end = next + count;
    return Promise.all(
      pushers.map(async (pusher) => {
        while (next < end) {
          const n = next++;
          const status = await pusher.push(JSON.stringify({ accounts: [ACCOUNTS[n % ACCOUNTS.length]], data: { n, text: PADDING } }));
          if (status !== 200) throw new Error(`answered ${status}`);
        }
      }),
    );
  });
}

/** socket.io with its in-memory adapter. */
export async function socketIo(stage: Stage, pushes: number): Promise<Pushing> {
  const [subject] = await receiving("socket.io, no authentication", pushes, await startSocketIoInMemory(stage));
  return subject;
}

/** Ours on the local exchange and the memory store, every push with a bearer token: one a request, and batches. */
export async function ours(stage: Stage, pushes: number): Promise<readonly [Pushing, Pushing]> {
  return receiving("ours, a token each", pushes, await startOurs(stage, { exchange: { type: "local" }, store: { type: "memory" } }));
}

/** One push a request, and batches. */
async function receiving(name: string, pushes: number, node: Node): Promise<readonly [Pushing, Pushing]> {
  const receivers = await connectReceivers([node], ACCOUNTS);
  let next = 0;
  const subject = (title: string, kind: "single" | "batch", inFlight: number, perRequest: number): Pushing => {
    const work = Array.from({ length: inFlight }, () => ({ node, pusher: node.pusher(kind) }));
    return pushing(title, node.pid, pushes, (count) => {
      next += count;
      return asFastAsAnswered(work, receivers, ACCOUNTS, next - count, count, perRequest);
    });
  };
  return [subject(name, "single", IN_FLIGHT, 1), subject(`${name}, batches of ${BATCH}`, "batch", 4, BATCH)];
}
