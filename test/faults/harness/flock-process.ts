// A process of SDK clients that its parent starts, cuts and asks: what the clients cost is then no part of what the parent measures.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { WebSocket } from "ws";
import { type Client, createClient } from "../../../sdk-browser/src/index.ts";
import type { FlockOrder, FlockReport } from "./flock.ts";

const clients: Client[] = [];
/** Sockets from their making to their end, by the subprotocol that carries the account's token. */
const live = new Map<string, number>();
const open = new Set<WebSocket>();
const lagMs = monitorEventLoopDelay({ resolution: 1 });
let before = new Set<WebSocket>();
let handshakesMs: number[] = [];
let mostAtOnce = 0;
/** When all were cut, on this process's clock; 0 before. */
let cutAtMs = 0;

/** Sockets that can be cut as a network would cut them, and that are counted and timed. */
class Tracked extends WebSocket {
  constructor(url: string, protocols: string[]) {
    super(url, protocols);
    const startMs = performance.now();
    const owner = protocols[1] as string;
    const mine = (live.get(owner) ?? 0) + 1;
    live.set(owner, mine);
    mostAtOnce = Math.max(mostAtOnce, mine);
    this.once("open", () => {
      handshakesMs.push(performance.now() - startMs);
      open.add(this);
    });
    this.once("close", () => {
      open.delete(this);
      live.set(owner, (live.get(owner) as number) - 1);
    });
  }
}

function tell(report: FlockReport): void {
  process.send?.(report);
}

async function start(url: string, tokens: readonly string[]): Promise<void> {
  for (const token of tokens) {
    const client = createClient({ url, appKey: "test", token, WebSocket: Tracked as never });
    client.on("state", ({ state }) => {
      if (state !== "connected" || cutAtMs === 0) return;
      if (clients.every((each) => each.state === "connected")) tell({ kind: "back", afterMs: performance.now() - cutAtMs });
    });
    clients.push(client);
  }
  await Promise.all(clients.map((client) => client.connect()));
  tell({ kind: "started" });
}

function cut(): void {
  before = new Set(open);
  handshakesMs = [];
  lagMs.enable();
  lagMs.reset();
  for (const socket of before) socket.terminate();
  cutAtMs = performance.now();
}

process.on("message", (order: FlockOrder) => {
  if (order.kind === "start") void start(order.url, order.tokens);
  else if (order.kind === "cut") cut();
  else
    tell({ kind: "figures", handshakesMs, mostAtOnce, open: open.size, old: [...open].filter((socket) => before.has(socket)).length, lagMs: lagMs.max / 1e6 });
});
process.on("disconnect", () => process.exit());
