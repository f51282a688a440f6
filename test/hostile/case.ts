// A hostile case: what an attacker does, and what must come of it.
import { connect as connectTcp, type Socket } from "node:net";
import { tokenFor } from "../helpers/client.ts";
import { SECRET } from "../helpers/server.ts";

export interface Attack {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  readonly port: number;
  /** Opens a TCP connection that is destroyed when the case ends. */
  tcp(): Socket;
}

export interface Case {
  readonly name: string;
  /** Throws when the server answers otherwise than it should. */
  run(attack: Attack): Promise<void>;
}

/** An attack on a server; `end` destroys what it opened. */
export function createAttack(url: string): Attack & { end(): void } {
  const port = Number(new URL(url).port);
  const sockets: Socket[] = [];
  return {
    url,
    port,
    tcp() {
      const socket = connectTcp(port, "127.0.0.1");
      socket.on("error", () => {});
      sockets.push(socket);
      return socket;
    },
    end() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Everything the peer says until it closes. */
export function readAll(socket: Socket): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.once("close", () => resolve(Buffer.concat(chunks)));
  });
}

/** What the peer has said when it matches, or when it closes. */
export function readUntil(socket: Socket, pattern: Pick<RegExp, "test">): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const done = (answer: string) => {
      socket.off("data", onData);
      resolve(answer);
    };
    const onData = (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (pattern.test(text)) done(text);
    };
    socket.on("data", onData);
    socket.once("close", () => done(text));
  });
}

export const STATUS_LINE = /^HTTP\/1\.1 (\d{3}) [^\r]*\r\n/;

/** The status of a raw request's first answer; 0 when the peer closes without one. */
export async function statusOf(socket: Socket): Promise<number> {
  const text = await readUntil(socket, STATUS_LINE);
  return Number(STATUS_LINE.exec(text)?.[1] ?? 0);
}

/** The lines of a handshake; `headers` replaces or (with `undefined`) removes. */
export function handshake(target: string, headers: Record<string, string | undefined> = {}, requestLine = `GET ${target} HTTP/1.1`): string {
  const all: Record<string, string | undefined> = {
    Host: "127.0.0.1",
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  return `${requestLine}\r\n${lines.join("\r\n")}\r\n\r\n`;
}

/** The path and query that `mallory` connects with. */
export function target(token = tokenFor("mallory", SECRET), app = "test"): string {
  return `/ws/connect?${new URLSearchParams({ app_id: app, token })}`;
}

/** A raw socket whose handshake has been accepted. */
export async function opened(attack: Attack): Promise<Socket> {
  const socket = attack.tcp();
  socket.write(handshake(target()));
  const answer = await readUntil(socket, /\r\n\r\n/);
  if (!answer.startsWith("HTTP/1.1 101")) throw new Error(`handshake answered ${answer.slice(0, 40)}`);
  return socket;
}

const CLOSE = 8;

export interface FrameOptions {
  fin?: boolean;
  rsv?: number;
  masked?: boolean;
  /** The length that the header claims. */
  claim?: bigint;
}

/** One client frame (RFC 6455 section 5.2), right or wrong. */
export function frame(opcode: number, payload: string | Buffer = "", { fin = true, rsv = 0, masked = true, claim }: FrameOptions = {}): Buffer {
  const body = Buffer.from(payload);
  const length = claim ?? BigInt(body.length);
  const head = [(fin ? 0x80 : 0) | (rsv << 4) | opcode];
  const mask = masked ? 0x80 : 0;
  if (length < 126n) head.push(mask | Number(length));
  else if (length < 65_536n) head.push(mask | 126, Number(length >> 8n), Number(length & 255n));
  else {
    head.push(mask | 127);
    for (let shift = 56n; shift >= 0n; shift -= 8n) head.push(Number((length >> shift) & 255n));
  }
  if (!masked) return Buffer.concat([Buffer.from(head), body]);
  const key = Buffer.from([0x12, 0x34, 0x56, 0x78]);
  return Buffer.concat([Buffer.from(head), key, body.map((byte, i) => byte ^ (key[i % 4] as number))]);
}

/**
 * The code of the close frame that the peer sends, once it has closed; 1006 when it closes without one.
 * The frame is answered, as RFC 6455 section 5.5.1 wants it: the peer waits for that. `read` is what it has said already.
 */
export async function closeCode(socket: Socket, read: Buffer = Buffer.alloc(0)): Promise<number> {
  let bytes = read;
  let code: number | undefined;
  const look = (): void => {
    if (code !== undefined) return;
    code = closeCodeIn(bytes);
    if (code !== undefined && socket.writable) socket.write(frame(CLOSE));
  };
  look();
  socket.on("data", (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    look();
  });
  if (!socket.closed) await new Promise((resolve) => socket.once("close", resolve));
  return code ?? 1006;
}

/** The code of the close frame among complete server frames; 1005 when it has none, undefined without a close frame. */
function closeCodeIn(bytes: Buffer): number | undefined {
  for (let at = 0; at + 2 <= bytes.length; ) {
    const opcode = (bytes[at] as number) & 15;
    let length = (bytes[at + 1] as number) & 127;
    let start = at + 2;
    if (length === 126) {
      if (bytes.length < start + 2) return undefined;
      length = bytes.readUInt16BE(start);
      start += 2;
    }
    if (bytes.length < start + length) return undefined;
    if (opcode === CLOSE) return length >= 2 ? bytes.readUInt16BE(start) : 1005;
    at = start + length;
  }
  return undefined;
}
