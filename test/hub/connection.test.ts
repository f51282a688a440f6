// A connection's liveness and its end: pings, missed pongs, the token's time, and closing.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { TICK_MS } from "../../server/src/hub/wheel.ts";
import { answerOf, createBench, listen, pipe, turn } from "./sockets.ts";

const PING_MS = 25_000;

/** A connection whose clock the test moves: `pass` calls the timer once its delay has passed, as the wheel does. */
function timed(given: Parameters<typeof pipe>[1] = {}, startMs = 1_000_000) {
  let nowMs = startMs;
  const bench = createBench({ now: () => nowMs, pingIntervalMs: PING_MS });
  const piped = pipe(bench, given);
  piped.raw.allowed = 1e6;
  let dueMs = startMs + (bench.wheel.delays.at(-1) ?? 0);
  /** Moves the clock to the next moment that the connection has asked for, if that is within `ms`; else by `ms`. */
  async function pass(ms: number): Promise<void> {
    const endMs = nowMs + ms;
    let asked = bench.wheel.delays.length;
    while (dueMs <= endMs) {
      const stepMs = Math.ceil((dueMs - nowMs) / TICK_MS) * TICK_MS;
      nowMs += stepMs;
      bench.wheel.tick += stepMs / TICK_MS;
      const delayMs = piped.connection.onTimer(nowMs);
      dueMs = delayMs === undefined ? Number.POSITIVE_INFINITY : nowMs + Math.max(1, delayMs);
      await turn();
    }
    bench.wheel.tick += Math.max(0, Math.floor((endMs - nowMs) / TICK_MS));
    nowMs = Math.max(nowMs, endMs);
    if (bench.wheel.delays.length > asked) asked = bench.wheel.delays.length;
  }
  /** After a call that asked the wheel anew. */
  function asked(): void {
    dueMs = nowMs + (bench.wheel.delays.at(-1) ?? 0);
  }
  return { ...piped, bench, pass, asked, now: () => nowMs };
}

test("a classic connection is pinged at the interval, and cut with 4201 when two pings are unanswered and the third is due", async () => {
  const { connection, raw, pass, received } = timed({ protocol: "classic" });
  await pass(PING_MS - TICK_MS);
  assert.deepEqual(await received(), []);
  await pass(TICK_MS);
  assert.deepEqual(await received(), ["ping"]);
  await pass(PING_MS);
  assert.deepEqual(await received(), ["ping", "ping"]);
  assert.equal(connection.closedWith, undefined);
  await pass(PING_MS);
  assert.equal(connection.closedWith, 4201);
  assert.equal(raw.destroyed, true);
});

test("whatever arrives is a sign of life", async () => {
  const { connection, pass, received } = timed({ protocol: "classic" });
  for (let n = 0; n < 10; n++) {
    await pass(PING_MS);
    connection.alive();
  }
  assert.equal(connection.open, true);
  assert.equal((await received()).length, 10);
});

test("an idle v2 connection gets both pings in one write, also when it was greeted a little after it was accepted", async () => {
  const { connection, pass, raw, received } = timed();
  await pass(TICK_MS);
  connection.send(answerOf("hello"));
  await turn();
  await pass(PING_MS + 2 * TICK_MS);
  assert.deepEqual(await received(), ["hello", "ping", '{"op":"ping"}']);
  assert.equal(raw.taken.length, 2);
});

test("the ping that scripts see comes when nothing else was sent for the interval, at most half a second late", async () => {
  const { connection, pass, received } = timed();
  for (let n = 0; n < 6; n++) {
    await pass(10_000);
    connection.alive();
    connection.send(answerOf(`message ${n}`));
    await turn();
  }
  const ops = async () => (await received()).filter((each) => each === '{"op":"ping"}').length;
  assert.equal(await ops(), 0);
  await pass(PING_MS - 1_000);
  connection.alive();
  assert.equal(await ops(), 0);
  await pass(1_500);
  assert.equal(await ops(), 1);
  connection.alive();
  await pass(PING_MS - 1_000);
  assert.equal(await ops(), 1, "it counts as something sent");
});

test("pings do not close a connection whose outbox is full", async () => {
  const bench = createBench({ outboxBytes: 70_000 });
  const { connection, raw } = pipe(bench);
  connection.send(answerOf("x".repeat(69_900)));
  await turn();
  bench.wheel.tick += PING_MS / TICK_MS;
  connection.onTimer(PING_MS);
  await turn();
  assert.equal(connection.closedWith, undefined);
  raw.destroy();
});

test("a classic connection is closed with 4202 when its token expires, a v2 connection five seconds later", async () => {
  for (const [protocol, graceMs] of [
    ["classic", 0],
    ["v2", 5_000],
  ] as const) {
    const { connection, pass, received, raw } = timed({ protocol, expiresAtMs: 1_010_000 });
    await pass(10_000 + graceMs - TICK_MS);
    assert.equal(connection.closedWith, undefined, protocol);
    await pass(TICK_MS);
    assert.equal(connection.closedWith, 4202, protocol);
    assert.equal((await received()).at(-1), "close 4202 token expired");
    raw.destroy();
  }
});

test("a token that is renewed moves the end, forth and back", async () => {
  const { connection, pass, asked, bench, raw } = timed({ expiresAtMs: 1_010_000 });
  await pass(9_000);
  connection.expireAt(1_060_000);
  asked();
  assert.equal(bench.wheel.size(), 1, "it waits for one moment");
  await pass(20_000);
  connection.alive();
  assert.equal(connection.closedWith, undefined);
  connection.expireAt(1_032_000);
  asked();
  await pass(7_000);
  assert.equal(connection.closedWith, undefined);
  await pass(2_000);
  assert.equal(connection.closedWith, 4202);
  raw.destroy();
});

test("a token that is renewed by one without an end leaves the connection open", async () => {
  const { connection, pass, asked } = timed({ expiresAtMs: 1_010_000 });
  connection.expireAt(undefined);
  asked();
  for (let n = 0; n < 4; n++) {
    await pass(10_000);
    connection.alive();
  }
  assert.equal(connection.open, true);
});

test("a connection that has gone leaves the wheel: at once when it is told, else at its next moment", async () => {
  const told = timed();
  told.connection.ended();
  assert.equal(told.bench.wheel.size(), 0);
  assert.equal(told.connection.slot, -1);
  told.connection.expireAt(5);
  assert.equal(told.bench.wheel.size(), 0, "it does not come back");
  const untold = timed();
  untold.connection.send(answerOf("x"));
  untold.raw.destroy();
  await once(untold.socket, "close");
  assert.equal(untold.connection.onTimer(untold.now()), undefined);
  assert.equal(untold.bench.outboxes.bytes, 0);
});

test("only the first close counts, and cut leaves its code", async (t) => {
  const bench = createBench();
  const join = await listen(t, bench);
  const one = await join();
  one.connection.send(answerOf("before"));
  one.connection.close(4010, "first");
  one.connection.close(4200, "second");
  assert.deepEqual(await one.closed, { code: 4010, reason: "first" });
  assert.deepEqual(one.texts, ["before"]);
  assert.equal(one.connection.closedWith, 4010);
  const other = await join();
  other.connection.cut(1012);
  assert.equal((await other.closed).code, 1006);
  assert.equal(other.connection.closedWith, 1012);
  assert.equal(other.connection.send(answerOf("late")), false);
  assert.equal(bench.outboxes.bytes, 0);
});

test("a slow reader that never answers the close frame is cut after the time-out of its socket", async (t) => {
  const bench = createBench({ outboxBytes: 200_000 });
  const join = await listen(t, bench);
  const { connection, socket, client } = await join();
  client.pause();
  const text = "x".repeat(16_000);
  let sent = 0;
  while (connection.send(answerOf(text))) {
    if (++sent % 10 === 0) await turn();
    assert.ok(sent < 5_000);
  }
  assert.equal(connection.closedWith, 4203);
  assert.equal(connection.open, false);
  const [code] = await once(socket, "close");
  assert.equal(code, 1006, "it never answered");
});

test("a connection knows when it was made, and by which clock", () => {
  assert.equal(timed().connection.connectedAtMs, 1_000_000);
  assert.equal(timed({}, 1_795_412_345_678).connection.connectedAtMs, 1_795_412_345_678);
});
