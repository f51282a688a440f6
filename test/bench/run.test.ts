// The command itself: its arguments, its exit status, its last line.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { Server } from "socket.io";
import { scenarios } from "./scenarios.ts";

/** Runs `npm run bench -- …args`, without npm. */
function bench(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(import.meta.dirname, "run.ts"), ...args], (error, out, err) => {
      resolve({ status: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

test("a wrong argument ends the command with 2, before anything is measured", async () => {
  const { status, out, err } = await bench("--quick", "--only=fanout,nope");
  assert.deepEqual([status, out], [2, ""]);
  assert.match(err, /^--only: there is no scenario "nope"; there is fanout, /);
  const peer = await bench("--peer=http://127.0.0.1:1");
  assert.deepEqual([peer.status, peer.err], [2, "--peer needs --protocol=xlvein|socketio|pusher|centrifugo\n"]);
});

test("a peer that delivers everything passes; the last line is the total", async (t) => {
  const http = createServer();
  const io = new Server(http);
  io.on("connection", (socket) => socket.on("message", (message) => io.emit("message", message)));
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  t.after(() => io.close());
  const address = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const { status, out } = await bench(`--peer=${address}`, "--protocol=socketio", "--sockets=5", "--messages=10", "--rate=100", `--pid=${process.pid}`);
  assert.match(out, /deliveries +50 of 50, 0 twice/);
  assert.match(out, /server CPU +[\d.]+ µs for each delivery/);
  assert.deepEqual([status, out.trimEnd().split("\n").at(-1)], [0, "1 passed, 0 failed"]);
});

test("a peer that nobody can connect to fails with the reason", async () => {
  const { status, out } = await bench("--peer=http://127.0.0.1:1", "--protocol=socketio");
  assert.match(out, /^FAILED: .*ECONNREFUSED/m);
  assert.deepEqual([status, out.trimEnd().split("\n").at(-1)], [1, "0 passed, 1 failed"]);
});

test("scenarios have different names that the shell leaves alone, and say what they measure", () => {
  assert.equal(new Set(scenarios.map(({ name }) => name)).size, scenarios.length);
  for (const { name, title } of scenarios) assert.match(`${name} ${title}`, /^[a-z]+(-[a-z0-9]+)* [A-Z0-9].{20,}/);
});
