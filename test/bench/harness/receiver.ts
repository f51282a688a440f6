// A WebSocket client as thin as it can be (RFC 6455), so that it is the server that is measured: reads frames, answers pings, sends short texts.
import { once } from "node:events";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Stage } from "./stage.ts";

const [TEXT, CLOSE, PING, PONG] = [1, 8, 9, 10];
const EMPTY: Buffer = Buffer.alloc(0);

export interface Receiver {
  /** Sends a text of less than 64 KiB. */
  send(text: string): void;
  /** Resets the connection, as a network does that fails: no close frame. */
  drop(): void;
}

/** Connects to a `ws://…` or `wss://…` address, offering subprotocols; resolves after the handshake. A connection that ends before the stage does, and was not dropped, is an error that ends the process. */
export async function connectReceiver(
  stage: Pick<Stage, "after">,
  address: string,
  onText: (text: string, receiver: Receiver) => void,
  { offers = [] }: { readonly offers?: readonly string[] } = {},
): Promise<Receiver> {
  const { protocol, hostname, port, host, pathname, search } = new URL(address);
  const socket =
    protocol === "wss:"
      ? connectTls({ host: hostname, port: Number(port || 443), servername: hostname })
      : connect({ host: hostname, port: Number(port || 80) });
  socket.setNoDelay(true);
  let ended = false;
  stage.after(() => {
    ended = true;
    socket.destroy();
  });
  const send = (opcode: number, payload: Buffer) => void socket.write(maskedFrame(opcode, payload));
  const receiver: Receiver = {
    send: (text) => send(TEXT as number, Buffer.from(text)),
    drop() {
      ended = true;
      socket.resetAndDestroy();
    },
  };
  let rest: Buffer = EMPTY;
  let open = false;
  const opened = Promise.withResolvers<void>();
  socket.on("data", (bytes) => {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    if (!open) {
      const end = rest.indexOf("\r\n\r\n");
      if (end === -1) return;
      if (!rest.toString("latin1", 0, 12).endsWith(" 101")) return opened.reject(new Error(`refused: ${rest.toString("latin1", 0, end)}`));
      open = true;
      rest = rest.subarray(end + 4);
      opened.resolve();
    }
    rest = readFrames(rest, (opcode, payload) => {
      if (opcode === TEXT) onText(payload.toString("latin1"), receiver);
      else if (opcode === PING) send(PONG as number, payload);
      else if (opcode === CLOSE) socket.destroy();
    });
  });
  socket.on("close", () => {
    opened.reject(new Error("the server has closed the connection"));
    if (open && !ended) throw new Error("a receiver was disconnected");
  });
  socket.on("error", opened.reject);
  await once(socket, protocol === "wss:" ? "secureConnect" : "connect");
  const head = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg=="];
  if (offers.length > 0) head.push(`Sec-WebSocket-Protocol: ${offers.join(", ")}`);
  socket.write(`GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\n${head.join("\r\n")}\r\n\r\n`);
  await opened.promise;
  return receiver;
}

/** As a client sends it, with a mask of zeros. */
function maskedFrame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const header = length < 126 ? [0x80 | opcode, 0x80 | length] : [0x80 | opcode, 0x80 | 126, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([...header, 0, 0, 0, 0]), payload]);
}

/** Returns the beginning of a frame that is not complete. Frames of a server are not masked; those here are whole messages. */
function readFrames(bytes: Buffer, onFrame: (opcode: number, payload: Buffer) => void): Buffer {
  let at = 0;
  while (bytes.length - at >= 2) {
    const short = (bytes[at + 1] as number) & 0x7f;
    if (short === 127) throw new Error("a frame of more than 64 KiB");
    const from = at + (short === 126 ? 4 : 2);
    if (bytes.length < from) break;
    const end = from + (short === 126 ? bytes.readUInt16BE(at + 2) : short);
    if (bytes.length < end) break;
    onFrame((bytes[at] as number) & 0x0f, bytes.subarray(from, end));
    at = end;
  }
  return at === bytes.length ? EMPTY : bytes.subarray(at);
}
