// A TCP proxy in front of a Redis that can lose what it publishes while it answers everything else, or go silent altogether.
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";

export interface RedisProxy {
  /** `redis://127.0.0.1:port` */
  readonly url: string;
  /** Loses `message` and `smessage` frames; answers and confirmations pass. */
  dropMessages: boolean;
  /** Loses everything, in both directions, and closes nothing: a half-open link. */
  dropAll: boolean;
  /** Connections that it has accepted so far. */
  readonly accepted: number;
}

export async function startRedisProxy(t: Pick<TestContext, "after">, port: number): Promise<RedisProxy> {
  const sockets = new Set<Socket>();
  const state = { url: "", dropMessages: false, dropAll: false, accepted: 0 };
  const server = createServer((near) => {
    state.accepted += 1;
    const far = connect(port, "127.0.0.1");
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    near.on("data", (data) => {
      if (!state.dropAll) far.write(data);
    });
    const frames = createFrames((frame) => {
      const published = frame.subarray(0, 24).includes("message\r\n");
      if (!state.dropAll && !(state.dropMessages && frame[0] === 0x3e && published)) near.write(frame);
    });
    far.on("data", frames);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  state.url = `redis://127.0.0.1:${(server.address() as { port: number }).port}`;
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return state;
}

/** Cuts a stream of RESP3 into its top-level values. */
function createFrames(use: (frame: Buffer) => void): (data: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (data) => {
    rest = rest.length === 0 ? data : Buffer.concat([rest, data]);
    for (let end = endOfValue(rest, 0); end !== -1; end = endOfValue(rest, 0)) {
      use(rest.subarray(0, end));
      rest = rest.subarray(end);
    }
  };
}

/** Where the value that begins at `at` ends; -1 while it is not all there. */
function endOfValue(data: Buffer, at: number): number {
  const line = data.indexOf("\r\n", at);
  if (line === -1) return -1;
  const type = String.fromCharCode(data[at] ?? 0);
  const size = Number(data.toString("latin1", at + 1, line));
  const body = line + 2;
  if ("$=!".includes(type)) return size < 0 ? body : body + size + 2 <= data.length ? body + size + 2 : -1;
  if (!"*>~%".includes(type)) return body;
  let end = body;
  for (let left = type === "%" ? size * 2 : size; left > 0 && end !== -1; left--) end = endOfValue(data, end);
  return end;
}
