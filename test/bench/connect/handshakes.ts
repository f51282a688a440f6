// Clients that connect, wait until the server has let them in, and reset the connection.
import { connect } from "node:net";

/** What a client writes, and how it knows that it is in. */
export interface Client {
  /** The request of the n-th client, whole. */
  request(n: number): string;
  /** What a client writes after the 101; nothing by default. */
  readonly greeting?: Buffer;
  /** What the server has written, headers included, holds this once the client is in. */
  readonly welcome: string;
}

export interface Handshakes extends Client {
  readonly port: number;
  readonly count: number;
  /** Under way at any time. */
  readonly inFlight: number;
}

/** Rejects when a client is refused. */
export async function shakeHands({ port, count, inFlight, request, greeting, welcome }: Handshakes): Promise<void> {
  let next = 0;
  async function lane(): Promise<void> {
    while (next < count) await one(request(next++));
  }

  function one(head: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let said = "";
    let upgraded = false;
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    socket.setEncoding("latin1");
    socket.write(head);
    socket.on("data", (piece: string) => {
      said += piece;
      if (!upgraded && said.includes("\r\n\r\n")) {
        if (!said.startsWith("HTTP/1.1 101 ")) return void socket.destroy(new Error(`refused: ${said}`));
        upgraded = true;
        if (greeting) socket.write(greeting);
      }
      if (!said.includes(welcome)) return;
      resolve();
      socket.resetAndDestroy();
    });
    socket.on("error", reject);
    socket.on("close", () => reject(new Error(`closed after ${JSON.stringify(said)}`)));
    return promise;
  }

  await Promise.all(Array.from({ length: inFlight }, lane));
}

/** A WebSocket handshake, with more headers if there are; each ends with CRLF. */
export function upgradeRequest(path: string, headers = ""): string {
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${headers}\r\n`;
}
