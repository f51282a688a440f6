// A TCP proxy that can do to a connection what networks do: lose bytes, hold them, delay them, cut it, or refuse it.
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { createMessageFilter } from "./resp.ts";

/** `pass` · `drop`: bytes are lost, nobody is told · `hold`: nothing is read any more, so that the sender's buffers fill. */
export type Flow = "pass" | "drop" | "hold";

export interface Proxy {
  readonly port: number;
  /** Connections that are open now. */
  readonly connections: number;
  /** Bytes taken from the server, in all. */
  readonly bytesDown: number;
  /** What happens to what the client sends, and to what the server answers. While a way does not pass, the end of a connection does not get through either. */
  set(flows: { up?: Flow; down?: Flow }): void;
  /** How much later everything arrives, ms, each way; the order stays. */
  delayMs: number;
  /** Accepts and cuts at once. */
  refuse: boolean;
  /** Loses what subscribers are told, and nothing else. Only for a proxy that reads along. */
  muted: boolean;
  /** Called when something that came from the server has been dealt with; what comes next meets the flows that it sets. */
  onAnswer: () => void;
  /** Cuts every connection with RST. */
  reset(): void;
  /** All passes from now on. What was held arrives; a connection that has lost bytes is cut. */
  heal(): void;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  lostBytes: boolean;
}

/** Runs things in the order in which they came, each `delayMs` later, and not before what came earlier. Timers of different lengths would not keep the order. */
function createQueue(delayMs: () => number): (run: () => void) => void {
  const waiting: { dueMs: number; run: () => void }[] = [];
  const goOn = () => {
    while (waiting[0] !== undefined && waiting[0].dueMs <= performance.now()) waiting.shift()?.run();
    if (waiting[0] !== undefined) setTimeout(goOn, Math.max(1, waiting[0].dueMs - performance.now()));
  };
  return (run) => {
    const wait = delayMs();
    if (wait === 0 && waiting.length === 0) return run();
    waiting.push({ dueMs: performance.now() + wait, run });
    if (waiting.length === 1) setTimeout(goOn, wait);
  };
}

/** Listens on a port of its own before 127.0.0.1:`to`. `reads` lets it understand what a Redis server says. */
export async function startProxy(t: Pick<TestContext, "after">, to: number, { reads = false } = {}): Promise<Proxy> {
  const pairs = new Set<Pair>();
  const flows = { up: "pass" as Flow, down: "pass" as Flow };
  let bytesDown = 0;

  function cut(pair: Pair): void {
    pairs.delete(pair);
    for (const socket of [pair.client, pair.server]) socket.resetAndDestroy();
  }
  function join(pair: Pair, from: Socket, to: Socket, way: "up" | "down"): void {
    const filter = reads && way === "down" ? createMessageFilter() : undefined;
    const later = createQueue(() => proxy.delayMs);
    const write = (bytes: Buffer) => {
      if (to.destroyed || bytes.length === 0) return;
      if (to.write(bytes)) return;
      from.pause();
      to.once("drain", () => applyFlow(from, way));
    };
    from.on("data", (bytes) => {
      if (way === "down") bytesDown += bytes.length;
      const rest = filter ? filter(bytes) : { all: bytes, withoutMessages: bytes };
      if (flows[way] === "drop") pair.lostBytes = true;
      else if (flows[way] === "pass") later(() => write(proxy.muted ? rest.withoutMessages : rest.all));
      if (way === "down") proxy.onAnswer();
    });
    from.on("error", () => {});
    from.on("close", () => {
      if (flows[way] !== "pass") pair.lostBytes = true;
      else
        later(() => {
          pairs.delete(pair);
          to.destroySoon();
        });
    });
  }
  function applyFlow(socket: Socket, way: "up" | "down"): void {
    if (flows[way] === "hold") socket.pause();
    else socket.resume();
  }

  const listener = createServer({ noDelay: true }, (client) => {
    if (proxy.refuse) return void client.resetAndDestroy();
    const server = connect({ port: to, host: "127.0.0.1", noDelay: true });
    const pair: Pair = { client, server, lostBytes: false };
    pairs.add(pair);
    join(pair, client, server, "up");
    join(pair, server, client, "down");
    applyFlow(client, "up");
    applyFlow(server, "down");
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");

  const proxy: Proxy = {
    port: (listener.address() as { port: number }).port,
    get connections() {
      return pairs.size;
    },
    get bytesDown() {
      return bytesDown;
    },
    set({ up = flows.up, down = flows.down }) {
      Object.assign(flows, { up, down });
      for (const { client, server } of pairs) {
        applyFlow(client, "up");
        applyFlow(server, "down");
      }
    },
    delayMs: 0,
    refuse: false,
    muted: false,
    onAnswer: () => {},
    reset() {
      for (const pair of [...pairs]) cut(pair);
    },
    heal() {
      Object.assign(proxy, { delayMs: 0, refuse: false, muted: false });
      for (const pair of [...pairs]) if (pair.lostBytes) cut(pair);
      proxy.set({ up: "pass", down: "pass" });
    },
  };
  t.after(() => {
    listener.close();
    proxy.reset();
  });
  return proxy;
}
