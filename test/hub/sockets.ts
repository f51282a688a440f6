// Connections of the hub on sockets: real ones, and ones that take exactly as many writes as the test lets them.
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { Duplex } from "node:stream";
import type { TestContext } from "node:test";
import * as ws from "ws";
import { Connection, type ConnectionIdentity, type ConnectionSettings } from "../../server/src/hub/connection.ts";
import { type DropReason, Outboxes, type OutboxesOptions } from "../../server/src/hub/outboxes.ts";
import type { Outgoing, Stream, StreamEntry } from "../../server/src/hub/outgoing.ts";
import type { Wheel } from "../../server/src/hub/wheel.ts";
import { textFrame } from "../../server/src/protocol/ws-frame.ts";

/** ws exports it; its types do not say so. */
const { Receiver } = ws as unknown as { Receiver: new (options: object) => NodeJS.WritableStream };

export interface Drop {
  readonly app: string;
  readonly reason: DropReason;
  readonly count: number;
}

export interface Bench {
  readonly settings: ConnectionSettings;
  readonly outboxes: Outboxes;
  /** What was dropped, as it was reported. */
  readonly drops: Drop[];
  droppedFor(reason: DropReason): number;
}

/** A wheel that turns when the test says so. */
export interface HandWheel extends Wheel {
  tick: number;
  /** Delays asked for, the last one last. */
  readonly delays: number[];
  size(): number;
}

export function handWheel(): HandWheel {
  let items: object[] = [];
  const delays: number[] = [];
  return {
    tick: 0,
    delays,
    size: () => items.length,
    add(item, delayMs) {
      item.slot = 0;
      items.push(item);
      delays.push(delayMs);
    },
    remove(item) {
      item.slot = -1;
      items = items.filter((each) => each !== item);
    },
    close() {},
  };
}

export function createBench(options: Partial<ConnectionSettings> & Partial<OutboxesOptions> = {}): Bench & { readonly wheel: HandWheel } {
  const drops: Drop[] = [];
  const wheel = handWheel();
  const onDropped = (app: string, reason: DropReason, count: number) => void drops.push({ app, reason, count });
  const outboxes = new Outboxes({ capBytes: 1e9, onDropped, ...options });
  const settings = { outboxBytes: 1_048_576, pingIntervalMs: 25_000, missedPings: 2, now: () => 0, wheel, outboxes, ...options };
  const droppedFor = (reason: DropReason) => drops.filter((drop) => drop.reason === reason).reduce((sum, { count }) => sum + count, 0);
  return { settings, outboxes, drops, droppedFor, wheel };
}

const acceptor = new ws.WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false, closeTimeout: 300 } as ws.ServerOptions);
let ids = 0;

function identity(given: Partial<ConnectionIdentity>): ConnectionIdentity {
  return { id: `c${++ids}`, app: "app", account: "user", deviceId: undefined, protocol: "v2", deflates: false, expiresAtMs: undefined, ...given };
}

/** Stands for a TCP socket whose system takes a write only when it is let. */
export class Valve extends Duplex {
  /** Writes that are taken at once; the others wait for `let`. */
  allowed = 0;
  #waiting: (() => void) | undefined;
  /** What the system has taken. */
  readonly taken: Buffer[] = [];

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const take = () => {
      this.taken.push(chunk);
      this.#waiting = undefined;
      done();
    };
    if (this.allowed > 0) {
      this.allowed--;
      take();
    } else this.#waiting = take;
  }

  /** Takes so many writes more. */
  let(writes: number): void {
    for (let n = 0; n < writes && this.#waiting; n++) this.#waiting();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#waiting = undefined;
    done(error);
  }
}

export interface Piped {
  readonly connection: Connection;
  readonly socket: ws.WebSocket;
  readonly raw: Valve;
  /** What the peer has received, in order: texts, `ping`, `pong`, `close 1000 reason`. Rejects what is not WebSocket. */
  received(): Promise<string[]>;
}

/** A connection whose socket takes what the test lets it. */
export function pipe(bench: Bench, given: Partial<ConnectionIdentity> = {}): Piped {
  const raw = new Valve();
  raw.allowed = 1;
  const headers = { upgrade: "websocket", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==", "sec-websocket-version": "13" };
  let socket: ws.WebSocket | undefined;
  acceptor.handleUpgrade({ method: "GET", headers, socket: raw } as unknown as IncomingMessage, raw, Buffer.alloc(0), (opened) => {
    socket = opened;
  });
  if (!socket) throw new Error("the handshake failed");
  socket.on("error", () => {});
  raw.taken.length = 0;
  const connection = new Connection(socket, raw, identity(given), bench.settings);
  return { connection, socket, raw, received: () => readFrames(raw.taken) };
}

/** Reads a byte stream of a server as a client does. */
async function readFrames(pieces: readonly Buffer[]): Promise<string[]> {
  const seen: string[] = [];
  const receiver = new Receiver({ isServer: false, allowSynchronousEvents: true });
  receiver.on("message", (data: Buffer) => seen.push(String(data)));
  receiver.on("ping", (data: Buffer) => seen.push(`ping ${data}`.trim()));
  receiver.on("pong", (data: Buffer) => seen.push(`pong ${data}`.trim()));
  receiver.on("conclude", (code: number, reason: Buffer) => seen.push(`close ${code} ${reason}`.trim()));
  const finished = once(receiver, "finish");
  for (const piece of pieces) receiver.write(piece);
  receiver.end();
  await finished;
  return seen;
}

export interface Joined {
  readonly connection: Connection;
  /** The server's end. */
  readonly socket: ws.WebSocket;
  readonly client: ws.WebSocket;
  /** What the client has received, texts in order. */
  readonly texts: string[];
  readonly closed: Promise<{ code: number; reason: string }>;
}

/** Accepts real connections; `join` opens one. */
export async function listen(
  t: Pick<TestContext, "after">,
  bench: Bench,
): Promise<(given?: Partial<ConnectionIdentity>, options?: ws.ClientOptions) => Promise<Joined>> {
  const http = createServer();
  const opened: ((end: { socket: ws.WebSocket; raw: Duplex }) => void)[] = [];
  http.on("upgrade", (request, raw, head) => acceptor.handleUpgrade(request, raw, head, (socket) => opened.shift()?.({ socket, raw })));
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  t.after(() => http.close());
  return async (given = {}, options = {}) => {
    const { promise, resolve } = Promise.withResolvers<{ socket: ws.WebSocket; raw: Duplex }>();
    opened.push(resolve);
    const client = new ws.WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`, { perMessageDeflate: false, ...options });
    t.after(() => client.terminate());
    const texts: string[] = [];
    client.on("message", (data) => void texts.push(String(data)));
    client.on("error", () => {});
    const closed = new Promise<{ code: number; reason: string }>((done) => client.once("close", (code, reason) => done({ code, reason: String(reason) })));
    const [{ socket, raw }] = await Promise.all([promise, once(client, "open")]);
    socket.on("error", () => {});
    t.after(() => socket.terminate());
    return { connection: new Connection(socket, raw, identity(given), bench.settings), socket, client, texts, closed };
  };
}

export function answerOf(text: string): Outgoing {
  return { frame: textFrame(text) };
}

export function messageOf(stream: Stream, offset: number, text: string, key?: string): Outgoing & { readonly entry: StreamEntry } {
  return { frame: textFrame(text), entry: { stream, position: { epoch: "e", offset, previous: "" }, key } };
}

/** Resolves when what was sent in this turn has been written. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
