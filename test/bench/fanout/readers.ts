// Many sockets that read as cheaply as they can and count every message.
import { connect, type Socket } from "node:net";
import { upgradeRequest } from "../connect/handshakes.ts";

/** Shorter frames are pings and greetings of the libraries. */
const SHORTEST_MESSAGE = 64;

export interface Readers {
  /** Counts anew; calls `reached` each time that every socket has got so many messages more. */
  expect(messages: number, reached: () => void): void;
  /** What the sockets have got since: the fewest and the most. */
  counts(): { readonly fewest: number; readonly most: number };
  close(): void;
}

interface Reader {
  /** Messages since the last `expect`. */
  got: number;
  /** Bytes still to come of a frame whose header is known. */
  skip: number;
  /** The beginning of a header that came in two pieces. */
  head: Buffer;
}

/** Opens WebSockets: the handshake, with more headers if there are (each ends with CRLF), then `hello` if there is one. */
export async function openReaders(port: number, count: number, path: string, hello = "", headers = ""): Promise<Readers> {
  let step = 0;
  let reached = () => {};
  /** How many readers have got the k-th step of what is expected. */
  let steps: number[] = [];
  const shared = Buffer.alloc(65_536);
  const sockets: Socket[] = [];

  function message(reader: Reader): void {
    reader.got++;
    if (step === 0 || reader.got % step !== 0) return;
    const index = reader.got / step - 1;
    steps[index] = (steps[index] ?? 0) + 1;
    if (steps[index] === count) reached();
  }

  /** Walks the frames in a piece of the byte stream. */
  function walk(reader: Reader, piece: Buffer): void {
    let bytes = reader.head.length > 0 ? Buffer.concat([reader.head, piece]) : piece;
    reader.head = Buffer.alloc(0);
    for (let at = 0; at < bytes.length; ) {
      if (reader.skip > 0) {
        const part = Math.min(reader.skip, bytes.length - at);
        reader.skip -= part;
        at += part;
        continue;
      }
      const size = headerSize(bytes, at);
      if (size === undefined || at + size > bytes.length) {
        reader.head = Buffer.from(bytes.subarray(at));
        bytes = bytes.subarray(0, at);
        break;
      }
      const length = payload(bytes, at);
      reader.skip = length;
      at += size;
      if (length >= SHORTEST_MESSAGE) message(reader);
    }
  }

  async function open(): Promise<void> {
    const reader: Reader = { got: 0, skip: 0, head: Buffer.alloc(0) };
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let greeting: string | undefined = "";
    const socket = connect({
      port,
      host: "127.0.0.1",
      onread: {
        buffer: shared,
        callback(size, buffer) {
          const piece = (buffer as Buffer).subarray(0, size);
          if (greeting === undefined) walk(reader, piece);
          else {
            greeting += piece.toString("latin1");
            const end = greeting.indexOf("\r\n\r\n");
            if (end < 0) return true;
            const rest = Buffer.from(greeting.slice(end + 4), "latin1");
            greeting = undefined;
            walk(reader, rest);
            resolve();
          }
          return true;
        },
      },
    });
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("a socket was closed")));
    socket.write(upgradeRequest(path, headers));
    sockets.push(socket);
    readers.push(reader);
    await promise;
    if (hello) socket.write(masked(hello));
  }

  const readers: Reader[] = [];
  for (let n = 0; n < count; n += 50) await Promise.all(Array.from({ length: Math.min(50, count - n) }, open));

  return {
    expect(messages, onReached) {
      for (const reader of readers) reader.got = 0;
      steps = [];
      step = messages;
      reached = onReached;
    },
    counts() {
      const got = readers.map((reader) => reader.got);
      return { fewest: Math.min(...got), most: Math.max(...got) };
    },
    close() {
      for (const socket of sockets) socket.removeAllListeners("close").resetAndDestroy();
    },
  };
}

function headerSize(bytes: Buffer, at: number): number | undefined {
  const length = bytes[at + 1];
  if (length === undefined) return undefined;
  return length === 126 ? 4 : length === 127 ? 10 : 2;
}

function payload(bytes: Buffer, at: number): number {
  const length = bytes[at + 1] as number;
  if (length === 126) return bytes.readUInt16BE(at + 2);
  return length === 127 ? Number(bytes.readBigUInt64BE(at + 2)) : length;
}

/** A short text frame as a client sends it, with a mask of zeros. */
function masked(text: string): Buffer {
  return Buffer.concat([Buffer.of(0x81, 0x80 | text.length, 0, 0, 0, 0), Buffer.from(text)]);
}
