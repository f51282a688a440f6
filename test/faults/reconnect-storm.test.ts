// All clients of a node are dropped at once: they come back spread out, each with one socket, and the node goes on serving.
import assert from "node:assert/strict";
import { test } from "node:test";
import { WebSocket as NodeWebSocket } from "ws";
import { startProcess } from "../helpers/process.ts";
import { form } from "./harness/form.ts";
import { push } from "./harness/load.ts";
import { startResumers } from "./harness/resumers.ts";
import { until } from "./harness/until.ts";
import { describeMs, percentile } from "./harness/verdict.ts";

const CLIENTS = form(3_000, 600);
/** The SDK spreads its first retry over 2 s; the rest is for the handshakes. The short form shares the machine with other tests. */
const BACK_MS = form(3_000, 15_000);
const HANDSHAKE_MS = form(100, 5_000);

/** Sockets that can be cut as a network would cut them, and that time their handshakes. */
function trackedSockets() {
  const open = new Set<NodeWebSocket>();
  const handshakesMs: number[] = [];
  class Tracked extends NodeWebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      const startMs = performance.now();
      this.once("open", () => {
        handshakesMs.push(performance.now() - startMs);
        open.add(this);
      });
      this.once("close", () => open.delete(this));
    }
  }
  return { Tracked, open, handshakesMs };
}

test(`${CLIENTS} clients that are dropped at once come back spread out, each with one socket, and the node goes on serving`, async (t) => {
  const server = await startProcess(t, { config: { log: { level: "info" } } });
  const { Tracked, open, handshakesMs } = trackedSockets();
  const accounts = Array.from({ length: CLIENTS }, (_, nth) => `user_${nth}`);
  const resumers = await startResumers(t, { url: () => server.url, accounts, WebSocket: Tracked as unknown as typeof WebSocket });
  const before = new Set(open);
  handshakesMs.length = 0;

  for (const socket of before) socket.terminate();
  const startMs = performance.now();
  const canaryMs: number[] = [];
  const backMs = await until("all clients are back", 20_000, async () => {
    const sentMs = performance.now();
    const { status } = await push(undefined, server.url, JSON.stringify({ accounts: ["nobody"], data: {} }));
    assert.equal(status, 200, "the node goes on serving");
    canaryMs.push(performance.now() - sentMs);
    return performance.now() - startMs > 100 && resumers.connected === CLIENTS;
  });

  t.diagnostic(`all back after ${backMs.toFixed(0)} ms; handshakes: ${describeMs(handshakesMs)}; pushes meanwhile: ${describeMs(canaryMs)}`);
  assert.equal(open.size, CLIENTS);
  assert.equal(handshakesMs.length, CLIENTS, "one handshake each");
  assert.ok(backMs <= BACK_MS, `all are back within ${BACK_MS} ms`);
  assert.ok(percentile(handshakesMs, 0.99) <= HANDSHAKE_MS, `handshakes take ${HANDSHAKE_MS} ms at most`);
  for (const socket of open) assert.ok(!before.has(socket));
});
