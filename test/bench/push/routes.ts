// Servers with those who receive what is pushed to them: the same for every scenario that pushes within one node.
import { connectReceivers, type Receivers } from "../exchange/drive.ts";
import { type Node, oursInMemory, socketIoInMemory } from "../exchange/nodes.ts";
import { onceARun } from "../harness/once-a-run.ts";
import { startScript } from "../harness/processes.ts";
import type { Context } from "../harness/scenario.ts";

/** Names of one length, so that every answer has the same. */
export const ACCOUNTS: readonly string[] = Array.from({ length: 300 }, (_, n) => `user_${String(n).padStart(3, "0")}`);

/** From a push to a socket of each account. */
export interface Route {
  readonly name: string;
  readonly node: Node;
  readonly receivers: Receivers;
  /** So many numbers that no message had; answers the first. */
  take(count: number): number;
}

/** node:http, which answers and does nothing else; `url` is where it is pushed to. */
export interface BareHttp {
  readonly pid: number;
  readonly url: string;
}

/** Ours on the local exchange and the memory store, every push with a bearer token. */
export const ours = onceARun((runStage) => route("ours, a token each", oursInMemory({ runStage })));

/** socket.io with its in-memory adapter. */
export const socketIo = onceARun((runStage) => route("socket.io, no authentication", socketIoInMemory({ runStage })));

export const bareHttp: (context: Pick<Context, "runStage">) => Promise<BareHttp> = onceARun(async (stage) => {
  const { pid, port } = await startScript(stage, new URL("./bare-http.ts", import.meta.url));
  return { pid, url: `http://127.0.0.1:${port}/api/v1/messages` };
});

async function route(name: string, starting: Promise<Node>): Promise<Route> {
  const node = await starting;
  const receivers = await connectReceivers([node], ACCOUNTS);
  let next = 0;
  return { name, node, receivers, take: (count) => (next += count) - count };
}
