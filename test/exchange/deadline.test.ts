// Time limits that a busy event loop does not shorten.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { Deadlines } from "../../server/src/deadline.ts";

function stall(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

test("what is not taken back is called back, once, after the time", async () => {
  const deadlines = new Deadlines(20);
  const calls: number[] = [];
  const start = performance.now();
  const { promise, resolve } = Promise.withResolvers<void>();
  const back = [0, 1, 2].map((n) => deadlines.add(() => calls.push(n)));
  back[1]?.();
  deadlines.add(resolve);
  await promise;
  assert.deepEqual(calls, [0, 2]);
  assert.ok(performance.now() - start >= 19);
  for (const cancel of back) cancel();
});

test("when everything is taken back no timer is left", async () => {
  const before = process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const deadlines = new Deadlines(60_000);
  const back = Array.from({ length: 1_000 }, () => deadlines.add(() => assert.fail()));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(process.getActiveResourcesInfo().filter((name) => name === "Timeout").length, before + 1);
  for (const cancel of back) cancel();
  assert.equal(process.getActiveResourcesInfo().filter((name) => name === "Timeout").length, before);
});

test("a burst that takes longer than the time itself does not expire before it has begun to wait", async () => {
  const deadlines = new Deadlines(20);
  let expired = false;
  const cancel = deadlines.add(() => {
    expired = true;
  });
  stall(60);
  // The wait begins here.
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(expired, false);
  cancel();
});

test("an answer that came while the event loop stood still is read before the time is up", async (t) => {
  // Another thread answers while this one stands still.
  const source = `
    const { createServer } = require("node:net");
    const { parentPort } = require("node:worker_threads");
    const server = createServer((socket) => socket.on("data", () => socket.write("answer")));
    server.listen(0, "127.0.0.1", () => parentPort.postMessage(server.address().port));`;
  const worker = new Worker(source, { eval: true });
  t.after(() => worker.terminate());
  const [port] = (await once(worker, "message")) as [number];
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  const deadlines = new Deadlines(20);
  let expired = false;
  const cancel = deadlines.add(() => {
    expired = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  const answered = once(socket, "data").then(() => cancel());
  socket.write("question");
  stall(200);
  await answered;
  assert.equal(expired, false);
  socket.destroy();
});
