// The servers that are compared, each a process of its own, and what one repetition is for each.
import { apiToken } from "../../helpers/client.ts";
import { asFastAsAnswered, PADDING } from "../exchange/drive.ts";
import { cpuUsOf } from "../harness/cpu.ts";
import type { Subject } from "../harness/measure.ts";
import { createPusher } from "../harness/pusher.ts";
import type { Stage } from "../harness/stage.ts";
import { ACCOUNTS, type BareHttp, type Route } from "./routes.ts";

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
export function answering(stage: Stage, { pid, url }: BareHttp, pushes: number): Pushing {
  const pushers = Array.from({ length: IN_FLIGHT }, () => createPusher(stage, url, () => ({ authorization: `Bearer ${apiToken()}` })));
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

/** One push a request. */
export function single(route: Route, pushes: number): Pushing {
  return delivering(route.name, route, pushes, "single", IN_FLIGHT, 1);
}

/** `BATCH` pushes a request. */
export function batches(route: Route, pushes: number): Pushing {
  return delivering(`${route.name}, batches of ${BATCH}`, route, pushes, "batch", 4, BATCH);
}

function delivering(name: string, { node, receivers, take }: Route, pushes: number, kind: "single" | "batch", inFlight: number, perRequest: number): Pushing {
  const work = Array.from({ length: inFlight }, () => ({ node, pusher: node.pusher(kind) }));
  return pushing(name, node.pid, pushes, (count) => asFastAsAnswered(work, receivers, ACCOUNTS, take(count), count, perRequest));
}
