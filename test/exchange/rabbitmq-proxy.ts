// A TCP proxy before a broker that can stop forwarding without closing anything, or leave deliveries out.
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";

/** `pass` · `drop`: nothing goes either way · `dropDown`: nothing comes from the broker · `dropDeliveries`: everything but consumed messages comes · `refuse`: who connects is reset. */
export type Mode = "pass" | "drop" | "dropDown" | "dropDeliveries" | "refuse";

export interface Proxy {
  readonly port: number;
  mode: Mode;
  /** From now on it accepts connections. */
  listen(): Promise<void>;
  /** Passes again; what was connected is reset. */
  heal(): void;
  /** Resets what is connected, and whoever connects from now on. */
  cut(): void;
}

/** On a port of its own, or on `port`. */
export function createProxy(t: Pick<TestContext, "after">, port: number, to: number): Proxy {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (client) => {
    if (proxy.mode === "refuse") return void client.resetAndDestroy();
    const broker = connect(to, "127.0.0.1");
    broker.setNoDelay(true);
    const withoutDeliveries = frameFilter();
    client.on("data", (bytes) => {
      if (proxy.mode !== "drop") broker.write(bytes);
    });
    broker.on("data", (bytes) => {
      // The filter reads along all the time, to know where frames begin.
      const rest = withoutDeliveries(bytes);
      if (proxy.mode === "pass") client.write(bytes);
      else if (proxy.mode === "dropDeliveries") client.write(rest);
    });
    for (const [socket, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  });
  function become(mode: Mode): void {
    proxy.mode = mode;
    for (const socket of sockets) socket.resetAndDestroy();
  }
  const proxy: Proxy = {
    port,
    mode: "pass",
    async listen() {
      server.listen(port, "127.0.0.1");
      await once(server, "listening");
    },
    heal: () => become("pass"),
    cut: () => become("refuse"),
  };
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return proxy;
}

/** Leaves basic.deliver and the content frames behind it out of what a broker sends. */
function frameFilter(): (bytes: Buffer) => Buffer {
  let rest = Buffer.alloc(0);
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    const kept: Buffer[] = [];
    while (rest.length >= 7 && rest.length >= 8 + rest.readUInt32BE(3)) {
      const frame = rest.subarray(0, 8 + rest.readUInt32BE(3));
      rest = rest.subarray(frame.length);
      const content = frame[0] === 2 || frame[0] === 3;
      const delivery = frame[0] === 1 && frame.readUInt32BE(7) === 0x003c003c;
      if (!content && !delivery) kept.push(frame);
    }
    return Buffer.concat(kept);
  };
}
