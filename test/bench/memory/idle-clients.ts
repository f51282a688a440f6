// Clients that connect and then do nothing but answer pings.
import { connect, type Socket } from "node:net";
import type { Client } from "../connect/handshakes.ts";
import type { Stage } from "../harness/stage.ts";

interface IdleClients extends Client {
  readonly port: number;
  readonly count: number;
}

/** Connected at the same time. */
const TOGETHER = 100;
/** A WebSocket ping without data, and the answer to it. */
const PING = Buffer.of(0x89, 0);
const PONG = Buffer.of(0x8a, 0x80, 0, 0, 0, 0);

export interface Connected {
  /** Pings answered. */
  readonly pings: number;
  close(): void;
}

/** Resolves when all have been let in. One that is closed before the stage does rejects, or throws when it comes later. */
export async function connectIdle(stage: Stage, { port, count, request, greeting, welcome }: IdleClients): Promise<Connected> {
  const sockets: Socket[] = [];
  const shared = Buffer.alloc(4_096);
  let [pings, closed] = [0, false];

  function open(n: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let said: string | undefined = "";
    let greeted = false;
    const onread = {
      buffer: shared,
      callback(size: number, buffer: Uint8Array): boolean {
        const piece = (buffer as Buffer).subarray(0, size);
        if (said === undefined) {
          for (let at = piece.indexOf(PING); at >= 0; at = piece.indexOf(PING, at + 2)) {
            pings++;
            socket.write(PONG);
          }
          return true;
        }
        said += piece.toString("latin1");
        if (!greeted && greeting && said.includes("\r\n\r\n")) {
          greeted = true;
          socket.write(greeting);
        }
        if (said.includes(welcome)) {
          said = undefined;
          resolve();
        }
        return true;
      },
    };
    const socket: Socket = connect({ port, host: "127.0.0.1", onread });
    sockets.push(socket);
    socket.on("error", reject);
    socket.on("close", () => {
      reject(new Error(`closed after ${JSON.stringify(said)}`));
      if (said === undefined && !closed) throw new Error("an idle client was disconnected");
    });
    socket.write(request(n));
    return promise;
  }

  function close(): void {
    closed = true;
    for (const socket of sockets.splice(0)) socket.resetAndDestroy();
  }

  stage.after(close);
  for (let n = 0; n < count; n += TOGETHER) await Promise.all(Array.from({ length: Math.min(TOGETHER, count - n) }, (_, i) => open(n + i)));
  return {
    get pings() {
      return pings;
    },
    close,
  };
}
