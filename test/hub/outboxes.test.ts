// All outboxes of a node together: the sum of what waits, and who goes when it is too much.
import assert from "node:assert/strict";
import { test } from "node:test";
import { roomTarget } from "../../server/src/protocol/target.ts";
import { createDraw } from "../helpers/random.ts";
import { answerOf, createBench, messageOf, pipe, turn } from "./sockets.ts";

const text = (length: number) => "x".repeat(length);

test("the sum is what all connections hold, through sending, draining, closing and breaking", async () => {
  const bench = createBench({ outboxBytes: 300_000 });
  const draw = createDraw(5);
  const pipes = Array.from({ length: 12 }, () => pipe(bench));
  const held = () =>
    pipes.filter(({ connection }) => connection.open && connection.closedWith === undefined).reduce((sum, { connection }) => sum + connection.bufferedBytes, 0);
  for (let step = 0; step < 3_000; step++) {
    const { connection, raw } = pipes[draw(pipes.length)] as (typeof pipes)[number];
    const what = draw(300);
    if (what === 0) connection.close(4010);
    else if (what === 1) raw.destroy();
    else if (what < 60) raw.let(draw(4));
    else if (what < 70) await turn();
    else connection.send(answerOf(text(draw(5_000))));
    assert.ok(bench.outboxes.bytes >= 0);
    if (step % 50 > 0) continue;
    await turn();
    assert.equal(bench.outboxes.measure(), held(), `step ${step}`);
  }
  for (const { connection, raw } of pipes) {
    raw.destroy();
    connection.ended();
  }
  assert.equal(bench.outboxes.bytes, 0);
  assert.equal(bench.outboxes.holders, 0);
});

test("beyond what the node may hold, the fullest are closed until a sixteenth is free, and the others stay", async () => {
  const bench = createBench({ capBytes: 1_000_000 });
  const stream = { target: roomTarget("app", "r"), slow: "close" as const };
  const pipes = Array.from({ length: 10 }, (_, n) => pipe(bench, { protocol: n % 2 === 0 ? "v2" : "classic" }));
  // 70, 80 … 160 KB: 1,150 KB.
  for (const [n, { connection }] of pipes.entries()) {
    for (let i = 0; i < 7 + n; i++) connection.send(messageOf(stream, i, text(10_000)));
    await turn();
  }
  const closed = pipes.map(({ connection }) => connection.closedWith);
  assert.deepEqual(closed.slice(0, 8), Array(8).fill(undefined));
  assert.ok(bench.outboxes.measure() <= 1_000_000);
  const last = pipes.findIndex(({ connection }) => connection.closedWith !== undefined);
  assert.ok(last >= 0);
  for (const [n, { connection }] of pipes.entries()) if (connection.closedWith !== undefined) assert.equal(connection.closedWith, n % 2 === 0 ? 4203 : 1013);
  assert.ok(bench.droppedFor("slow_consumer") > 0);
  for (const { raw } of pipes) raw.destroy();
});

test("a burst that the sockets take is no reason to close any", async () => {
  const bench = createBench({ capBytes: 300_000 });
  const pipes = Array.from({ length: 20 }, () => pipe(bench));
  for (const { raw } of pipes) raw.allowed = 1e6;
  for (let n = 0; n < 10; n++) for (const { connection } of pipes) assert.equal(connection.send(answerOf(text(10_000))), true);
  await turn();
  assert.equal(bench.outboxes.bytes, 0);
  assert.ok(pipes.every(({ connection }) => connection.open));
});

test("what TCP sockets have taken meanwhile, unasked, does not count against the node", async () => {
  const bench = createBench({ capBytes: 400_000 });
  const pipes = Array.from({ length: 10 }, () => pipe(bench));
  for (const { connection } of pipes) connection.send(answerOf(text(39_000)));
  await turn();
  assert.equal(bench.outboxes.holders, 10);
  for (const { raw } of pipes) {
    raw.allowed = 10;
    raw.let(1);
  }
  for (const { connection } of pipes) connection.send(answerOf(text(39_000)));
  await turn();
  assert.ok(
    pipes.every(({ connection }) => connection.open),
    "nobody is closed",
  );
  assert.equal(bench.outboxes.measure(), 0);
});

test("one flush a turn serves all, and outboxes given something while it runs have theirs in the next", async () => {
  let flushes = 0;
  const bench = createBench({
    atEndOfTurn: (flush) => {
      flushes++;
      process.nextTick(flush);
    },
  });
  const pipes = Array.from({ length: 5 }, () => pipe(bench));
  for (const { raw } of pipes) raw.allowed = 10;
  for (let n = 0; n < 3; n++) for (const { connection } of pipes) connection.send(answerOf("x"));
  await turn();
  assert.equal(flushes, 1);
  for (const { connection } of pipes) connection.send(answerOf("x"));
  await turn();
  assert.equal(flushes, 2);
  for (const { received } of pipes) assert.equal((await received()).length, 4);
});
