// Many clients that lose their connections at once, and come back as fast as they can.
import { connect, type Socket } from "node:net";
import { upgradeRequest } from "../connect/handshakes.ts";

export interface Clients {
  /** Resets every connection at once and connects again, `inFlight` at a time; answers ms until 99 % were back. Rejects when one is refused. */
  dropAll(): Promise<number>;
  close(): void;
}

export interface ClientOptions {
  readonly port: number;
  readonly count: number;
  readonly inFlight: number;
  /** Path and query of the n-th client. */
  readonly path: (n: number) => string;
}

/** Resolves when all are connected. */
export async function openClients({ port, count, inFlight, path }: ClientOptions): Promise<Clients> {
  let sockets: Socket[] = [];
  let closed = 0;
  await connectAll(() => {});
  return {
    async dropAll() {
      const gone = sockets;
      sockets = [];
      const start = performance.now();
      for (const socket of gone) socket.removeAllListeners("close").resetAndDestroy();
      let [back, ms] = [0, 0];
      await connectAll(() => {
        if (++back === Math.ceil(count * 0.99)) ms = performance.now() - start;
      });
      if (closed > 0) throw new Error(`the server has closed ${closed} connections`);
      return ms;
    },
    close() {
      for (const socket of sockets) socket.removeAllListeners("close").resetAndDestroy();
    },
  };

  async function connectAll(onOpen: () => void): Promise<void> {
    let next = 0;
    const lane = async () => {
      while (next < count) {
        sockets.push(await open(next++));
        onOpen();
      }
    };
    await Promise.all(Array.from({ length: inFlight }, lane));
  }

  function open(n: number): Promise<Socket> {
    const { promise, resolve, reject } = Promise.withResolvers<Socket>();
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    let said = "";
    const onData = (piece: Buffer) => {
      said += piece.toString("latin1");
      if (!said.includes("\r\n\r\n")) return;
      if (!said.startsWith("HTTP/1.1 101 ")) return void socket.destroy(new Error(`refused: ${said}`));
      // What comes later is nobody's concern, yet it has to be read.
      socket.off("data", onData).resume();
      socket.removeAllListeners("close").on("close", () => closed++);
      resolve(socket);
    };
    socket.on("data", onData).on("error", reject);
    socket.on("close", () => reject(new Error(`closed after ${JSON.stringify(said.slice(0, 200))}`)));
    socket.write(upgradeRequest(path(n)));
    return promise;
  }
}
