// The servers that are compared, each a process of its own, and what one round of work is for each.

import { apiToken, connectUrl } from "../../helpers/client.ts";
import { asFastAsAnswered, connectReceivers, PADDING } from "../exchange/drive.ts";
import type { Node } from "../exchange/nodes.ts";
import { createPusher } from "../exchange/pusher.ts";
import type { Stage } from "../exchange/stage.ts";
import { cpuNs } from "./cpu.ts";
import { connectReceiver } from "./receiver.ts";
import { startOurs, startScript } from "./start.ts";

/** Names of one length, so that every answer has the same. */
const ACCOUNTS = Array.from({ length: 300 }, (_, n) => `user_${String(n).padStart(3, "0")}`);
const IN_FLIGHT = 32;
/** Pushes in one request of a batch. */
const BATCH = 50;
/** A message of socket.io on the wire: engine.io 4 "message", socket.io "event". */
const EVENT = '42["message"';

export interface Subject {
  readonly name: string;
  /** Of the server. */
  readonly pid: number;
  /** Makes `count` pushes and answers the server's CPU time for each, µs. Rejects when one was refused, lost or delivered twice. */
  measure(count: number): Promise<number>;
}

/** node:http, which answers and does nothing else. */
export async function bareHttp(stage: Stage): Promise<Subject> {
  const { pid, port } = await startScript(stage, "./bare-http.ts");
  const pushers = Array.from({ length: IN_FLIGHT }, () => createPusher(stage, `http://127.0.0.1:${port}/api/v1/messages`, authorization));
  let next = 0;
  return {
    name: "bare node:http",
    pid,
    async measure(count) {
      const end = next + count;
      const before = await cpuNs(pid);
      await Promise.all(
        pushers.map(async (pusher) => {
          while (next < end) {
            const n = next++;
            const status = await pusher.push(pushBody(ACCOUNTS[n % ACCOUNTS.length] as string, { n, text: PADDING }));
            if (status !== 200) throw new Error(`answered ${status}`);
          }
        }),
      );
      return ((await cpuNs(pid)) - before) / 1_000 / count;
    },
  };
}

/** socket.io with its in-memory adapter. */
export async function socketIo(stage: Stage): Promise<Subject> {
  const { pid, port } = await startScript(stage, "./socketio-memory.ts");
  const [subject] = await receiving("socket.io, no authentication", {
    pid,
    pusher: () => createPusher(stage, `http://127.0.0.1:${port}/push`, () => ({})),
    body: (to, data) => JSON.stringify({ to, data }),
    batch: () => {
      throw new Error("socket.io takes no batches here");
    },
    async receive(account, received) {
      const address = `ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket&account=${account}`;
      const ready = Promise.withResolvers<void>();
      await connectReceiver(stage, address, (text, { send }) => {
        if (text.startsWith(EVENT)) received(text);
        else if (text.startsWith("0")) send("40");
        else if (text === "2") send("3");
        else if (text.startsWith('42["ready"')) ready.resolve();
      });
      await ready.promise;
    },
  });
  return subject;
}

/** Ours on the local exchange and the memory store, every push with a bearer token: one a request, and batches. `bin` may be that of another checkout. */
export async function ours(stage: Stage, name: string, bin?: string): Promise<readonly [Subject, Subject]> {
  const { pid, url } = await startOurs(stage, { exchange: { type: "local" }, store: { type: "memory" } }, bin);
  return receiving(name, {
    pid,
    pusher: (kind = "single") => createPusher(stage, `${url}/api/v1/messages${kind === "batch" ? "/batch" : ""}`, authorization),
    body: pushBody,
    batch: (pushes) => JSON.stringify({ messages: pushes.map(({ account, data }) => ({ accounts: [account], data })) }),
    receive: async (account, received) => void (await connectReceiver(stage, connectUrl(url, { account }), received)),
  });
}

const authorization = () => ({ authorization: `Bearer ${apiToken()}` });
const pushBody = (account: string, data: unknown) => JSON.stringify({ accounts: [account], data });

async function receiving(name: string, node: Node): Promise<readonly [Subject, Subject]> {
  const receivers = await connectReceivers([node], ACCOUNTS);
  let next = 0;
  const subject = (title: string, kind: "single" | "batch", inFlight: number, perRequest: number): Subject => {
    const work = Array.from({ length: inFlight }, () => ({ node, pusher: node.pusher(kind) }));
    return {
      name: title,
      pid: node.pid,
      async measure(count) {
        const first = next;
        next += count;
        const before = await cpuNs(node.pid);
        await asFastAsAnswered(work, receivers, ACCOUNTS, first, count, perRequest);
        return ((await cpuNs(node.pid)) - before) / 1_000 / count;
      },
    };
  };
  return [subject(name, "single", IN_FLIGHT, 1), subject(`${name}, batches of ${BATCH}`, "batch", 4, BATCH)];
}
