// Ways from a push to a socket whose time is measured, in one process with one clock.
import { connectReceivers, type Receivers } from "../exchange/drive.ts";
import { type Node, startOurs as startNode, startSocketIoInMemory } from "../exchange/nodes.ts";
import { startScript } from "../harness/processes.ts";
import { createPusher, type Pusher } from "../harness/pusher.ts";
import type { Stage } from "../harness/stage.ts";

export const ACCOUNTS: readonly string[] = Array.from({ length: 100 }, (_, n) => `user_${String(n).padStart(3, "0")}`);

/** A server, those who push to it, those who receive. */
export interface Route {
  readonly name: string;
  readonly node: Node;
  readonly pushers: readonly Pusher[];
  readonly receivers: Receivers;
}

/** Ours with every check, on the local exchange and the memory store. */
export async function ours(stage: Stage): Promise<Route> {
  return route("push", await startNode(stage, {}));
}

/** socket.io with its in-memory adapter, pushed to over HTTP without authentication. */
export async function socketIo(stage: Stage): Promise<Route> {
  return route("socket.io", await startSocketIoInMemory(stage));
}

async function route(name: string, node: Node): Promise<Route> {
  return { name, node, pushers: Array.from({ length: 64 }, () => node.pusher()), receivers: await connectReceivers([node], ACCOUNTS) };
}

/** node:http, which answers and does nothing else. */
export async function bareHttp(stage: Stage): Promise<{ pid: number; pusher: Pusher }> {
  const { pid, port } = await startScript(stage, new URL("../push/bare-http.ts", import.meta.url));
  return { pid, pusher: createPusher(stage, `http://127.0.0.1:${port}/api/v1/messages`, () => ({})) };
}
