// The servers that are measured: ours, and socket.io doing the same work, each in a process of its own.
import { apiToken, connectUrl } from "../../helpers/client.ts";
import { SECRET } from "../../helpers/server.ts";
import { onceARun } from "../harness/once-a-run.ts";
import { startOurs as startProcess, startScript } from "../harness/processes.ts";
import { createPusher, type Pusher } from "../harness/pusher.ts";
import { connectReceiver } from "../harness/receiver.ts";
import type { Stage } from "../harness/stage.ts";

/** A message of socket.io on the wire: engine.io 4 "message", socket.io "event". */
const EVENT = '42["message"';

/** A server that takes pushes to an account and delivers them to its sockets, wherever they are connected. */
export interface Node {
  readonly pid: number;
  readonly url: string;
  /** One keep-alive connection for requests of one push each, or of many; one in flight. */
  pusher(kind?: "single" | "batch"): Pusher;
  /** The body of a request with one push. */
  body(account: string, data: unknown): string;
  /** The body of a request with many. */
  batch(pushes: readonly { account: string; data: unknown }[]): string;
  /** Connects a socket of the account; `received` is given the text that holds the data. */
  receive(account: string, received: (text: string) => void): Promise<void>;
}

/** Starts `xlvein start`. */
export async function startOurs(stage: Stage, config: Record<string, unknown>): Promise<Node> {
  return nodeOf(stage, await startProcess(stage, config));
}

/** A server of ours as one of its applications sees it. */
export function nodeOf(stage: Stage, { pid, url }: { readonly pid: number; readonly url: string }, app = "test", secret = SECRET): Node {
  return {
    pid,
    url,
    pusher: (kind = "single") =>
      createPusher(stage, `${url}/api/v1/messages${kind === "batch" ? "/batch" : ""}`, () => ({ authorization: `Bearer ${apiToken(app, secret)}` })),
    body: (account, data) => JSON.stringify({ accounts: [account], data }),
    batch: (pushes) => JSON.stringify({ messages: pushes.map(({ account, data }) => ({ accounts: [account], data })) }),
    receive: async (account, received) => void (await connectReceiver(stage, connectUrl(url, { app, account, secret }), received)),
  };
}

/** Ours with every check, on the local exchange and the memory store. */
export const oursInMemory = onceARun((stage) => startOurs(stage, { exchange: { type: "local" }, store: { type: "memory" } }));

/** Starts a socket.io server on that Redis: a room per account, pushes over HTTP, each with a token to verify or all without. */
export async function startSocketIo(stage: Stage, redisUrl: string, withToken: boolean): Promise<Node> {
  const { pid, port } = await startScript(stage, new URL("./socketio-node.ts", import.meta.url), { args: [redisUrl, ...(withToken ? [SECRET] : [])] });
  const url = `http://127.0.0.1:${port}`;
  return {
    pid,
    url,
    pusher: () => createPusher(stage, `${url}/push`, () => (withToken ? { authorization: `Bearer ${apiToken()}` } : {})),
    body: (account, data) => JSON.stringify([{ to: account, data }]),
    batch: (pushes) => JSON.stringify(pushes.map(({ account, data }) => ({ to: account, data }))),
    receive: (account, received) => receiveFromSocketIo(stage, port, account, received),
  };
}

/** socket.io with its in-memory adapter: a room per account, pushes over HTTP without authentication. */
export const socketIoInMemory = onceARun(async (stage): Promise<Node> => {
  const { pid, port } = await startScript(stage, new URL("../push/socketio-memory.ts", import.meta.url));
  const url = `http://127.0.0.1:${port}`;
  return {
    pid,
    url,
    pusher: () => createPusher(stage, `${url}/push`, () => ({})),
    body: (to, data) => JSON.stringify({ to, data }),
    batch: () => {
      throw new Error("socket.io takes no batches here");
    },
    receive: (account, received) => receiveFromSocketIo(stage, port, account, received),
  };
});

async function receiveFromSocketIo(stage: Stage, port: number, account: string, received: (text: string) => void): Promise<void> {
  const ready = Promise.withResolvers<void>();
  await connectReceiver(stage, `ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket&account=${account}`, (text, { send }) => {
    if (text.startsWith(EVENT)) received(text);
    else if (text.startsWith("0")) send("40");
    else if (text === "2") send("3");
    else if (text.startsWith('42["ready"')) ready.resolve();
  });
  await ready.promise;
}
