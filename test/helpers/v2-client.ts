// A client of xlvein.v2.json as thin as can be: raw frames in and out, each held against its schema as it comes.
import { once } from "node:events";
import type { TestContext } from "node:test";
import { WebSocket } from "ws";
import { tokenFor } from "./client.ts";
import { assertServerFrame } from "./schemas.ts";

export const V2 = "xlvein.v2.json";

/** A frame as it came. */
export type RawFrame = Record<string, unknown> & {
  op?: string;
  id?: number | string;
  code?: number;
  reason?: string;
  room?: string;
  data?: Record<string, unknown>;
};

export interface V2Options {
  app?: string;
  account?: string;
  secret?: string;
  /** Claims beside `sub` and `exp`. */
  claims?: object;
  /** Instead of one made for the account. */
  token?: string;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  /** The subprotocols offered; by default ours and the token. */
  offer?: string[];
}

export interface V2Client {
  readonly socket: WebSocket;
  /** Frames that have come and that `next` has not taken. */
  readonly frames: RawFrame[];
  /** The next frame; waits for it. Rejects when the socket has closed instead, or when a frame did not fit its schema. */
  next(): Promise<RawFrame>;
  /** The same as text. */
  nextText(): Promise<string>;
  /** The next frame that fits a question; those before it stay where they are. */
  find(wanted: (frame: RawFrame) => boolean): Promise<RawFrame>;
  /** Sends an object, or a text as it is. */
  send(frame: object | string): void;
  /** Sends an op with an id of its own and waits for the answer, `reply` or `error`; other frames stay for `next`. */
  request(op: object): Promise<RawFrame>;
  readonly closed: Promise<{ code: number; reason: string }>;
}

/** Opens a connection; `hello` is its first frame. Resolves when the server has answered 101. */
export async function openV2(t: Pick<TestContext, "after">, url: string, options: V2Options = {}): Promise<V2Client> {
  const { app = "test", account = "user_1", secret, claims = {}, token = tokenFor(account, secret, claims), query = {}, headers = {} } = options;
  const target = `${url.replace("http", "ws")}/ws/connect?${new URLSearchParams({ app_id: app, ...query })}`;
  const socket = new WebSocket(target, options.offer ?? [V2, `xlvein.token.${token}`], { headers });
  t.after(() => socket.terminate());
  const client = attach(socket);
  await once(socket, "open");
  return client;
}

/** Opens a connection and takes its `hello`. */
export async function connectV2(t: Pick<TestContext, "after">, url: string, options: V2Options = {}): Promise<V2Client & { readonly hello: RawFrame }> {
  const client = await openV2(t, url, options);
  const hello = await client.next();
  if (hello.op !== "hello") throw new Error(`the first frame is ${JSON.stringify(hello)}`);
  return { ...client, hello };
}

function attach(socket: WebSocket): V2Client {
  const texts: string[] = [];
  const frames: RawFrame[] = [];
  let fault: Error | undefined;
  let lastId = 0;

  socket.on("message", (data) => {
    const text = String(data);
    const frame = JSON.parse(text) as RawFrame;
    try {
      assertServerFrame(text);
    } catch (error) {
      fault ??= error as Error;
    }
    texts.push(text);
    frames.push(frame);
    socket.emit("taken");
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.once("close", (code, reason) => {
      resolve({ code, reason: String(reason) });
      socket.emit("taken");
    });
  });

  async function find(wanted: (frame: RawFrame) => boolean): Promise<[RawFrame, string]> {
    for (;;) {
      if (fault) throw fault;
      const at = frames.findIndex(wanted);
      if (at >= 0) return [frames.splice(at, 1)[0] as RawFrame, texts.splice(at, 1)[0] as string];
      if (socket.readyState === WebSocket.CLOSED) throw new Error("the socket closed before another frame came");
      await once(socket, "taken");
    }
  }

  function send(frame: object | string): void {
    socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  return {
    socket,
    frames,
    closed,
    send,
    next: async () => (await find(() => true))[0],
    nextText: async () => (await find(() => true))[1],
    find: async (wanted) => (await find(wanted))[0],
    async request(op) {
      const id = `request-${++lastId}`;
      send({ ...op, id });
      return (await find((frame) => frame.id === id))[0];
    },
  };
}
