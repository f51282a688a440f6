// The way out of a connection: one write a turn, whole frames, exact bytes, and what slow readers get instead.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import type { SlowPolicy } from "../../server/src/apps/app.ts";
import type { Outgoing, Stream } from "../../server/src/hub/outgoing.ts";
import { accountTarget, roomTarget } from "../../server/src/protocol/target.ts";
import { createDraw } from "../helpers/random.ts";
import { answerOf, createBench, listen, messageOf, type Piped, pipe, turn } from "./sockets.ts";

function streamOf(name: string, slow: SlowPolicy): Stream {
  return { target: roomTarget("app", name), slow };
}

const text = (length: number) => "x".repeat(length);

test("what is sent in one turn is written at its end, in one write, as it was framed", async () => {
  const piped = pipe(createBench());
  piped.raw.allowed = 10;
  const frames = ["one", text(126), text(70_000), "four"].map(answerOf);
  for (const out of frames) assert.equal(piped.connection.send(out), true);
  assert.deepEqual(piped.raw.taken, [], "not before the end of the turn");
  assert.equal(
    piped.connection.bufferedBytes,
    frames.reduce((sum, { frame }) => sum + frame.length, 0),
  );
  await Promise.resolve().then(() => new Promise(process.nextTick));
  assert.equal(piped.connection.bufferedBytes, 0);
  assert.deepEqual(Buffer.concat(piped.raw.taken), Buffer.concat(frames.map(({ frame }) => frame)));
  assert.deepEqual(await piped.received(), ["one", text(126), text(70_000), "four"]);
});

test("small frames of one turn are one write, a lone frame is written as it is, and equal groups share their bytes", async () => {
  const bench = createBench();
  const [one, two, alone] = [pipe(bench), pipe(bench), pipe(bench)];
  const outs = [answerOf("a"), answerOf("b"), answerOf("c")];
  for (const { connection, raw } of [one, two]) {
    raw.allowed = 2;
    for (const out of outs) connection.send(out);
  }
  alone.raw.allowed = 2;
  alone.connection.send(outs[0] as Outgoing);
  await turn();
  assert.equal(one.raw.taken.length, 1);
  assert.equal(one.raw.taken[0], two.raw.taken[0], "the same Buffer");
  assert.equal(alone.raw.taken[0], outs[0]?.frame, "the very frame");
  assert.deepEqual(await two.received(), ["a", "b", "c"]);
});

test("outboxes that get some of the same frames get their own, in their order", async () => {
  const bench = createBench();
  const draw = createDraw(7);
  const pipes = Array.from({ length: 8 }, () => pipe(bench));
  const expected = pipes.map((): string[] => []);
  for (let round = 0; round < 50; round++) {
    for (let n = draw(6); n >= 0; n--) {
      const name = `message ${round} ${n}`;
      const out = answerOf(name);
      for (const [i, { connection }] of pipes.entries()) {
        if (draw(3) === 0) continue;
        connection.send(out);
        expected[i]?.push(name);
      }
    }
    for (const { raw } of pipes) raw.allowed = 5;
    await turn();
  }
  for (const [i, piped] of pipes.entries()) assert.deepEqual(await piped.received(), expected[i]);
});

test("nothing more is handed to a TCP socket that holds 64 KiB; the rest follows when it drains", async () => {
  const bench = createBench();
  const { connection, raw, received } = pipe(bench);
  const sent: string[] = [];
  for (let n = 0; n < 60; n++) {
    sent.push(`${n} ${text(4_000)}`);
    connection.send(answerOf(sent.at(-1) as string));
    if (n % 7 === 0) await turn();
    assert.ok(raw.writableLength <= 65_536 + 4_010, `${raw.writableLength}`);
  }
  await turn();
  assert.ok(connection.bufferedBytes > 200_000);
  assert.equal(bench.outboxes.bytes, connection.bufferedBytes);
  assert.equal(bench.outboxes.holders, 1);
  assert.equal(raw.listenerCount("drain"), 1);
  while (connection.bufferedBytes > 0) {
    raw.let(1);
    await turn();
    assert.ok(raw.writableLength <= 65_536 + 4_010);
  }
  assert.deepEqual(await received(), sent);
  assert.equal(bench.outboxes.measure(), 0);
  assert.equal(bench.outboxes.holders, 0);
  assert.equal(raw.listenerCount("drain"), 0, "an idle connection listens to nothing more");
});

test("pongs, pings and frames of ws fall between ours", async (t) => {
  const join = await listen(t, createBench());
  const { connection, socket, client, texts } = await join();
  const draw = createDraw(3);
  let pongs = 0;
  client.on("pong", () => pongs++);
  const sent: string[] = [];
  for (let n = 0; n < 2_000; n++) {
    sent.push(`${n} ${text(draw(8) === 0 ? 40_000 : draw(300))}`);
    connection.send(answerOf(sent.at(-1) as string));
    if (draw(5) === 0) client.ping(String(n));
    if (draw(7) === 0) socket.ping();
    if (draw(3) === 0) await turn();
  }
  assert.equal(await connection.drained(0), true);
  const done = once(client, "pong");
  client.ping("last");
  await done;
  while (texts.length < sent.length) await once(client, "message");
  assert.deepEqual(texts, sent);
  assert.ok(pongs > 100);
});

test("close writes what waits, then the close frame, also where the TCP socket is full", async () => {
  for (const full of [false, true]) {
    const bench = createBench();
    const { connection, raw, received } = pipe(bench);
    const sent = Array.from({ length: full ? 50 : 3 }, (_, n) => `${n} ${text(full ? 4_000 : 10)}`);
    for (const each of sent) connection.send(answerOf(each));
    if (full) await turn();
    connection.send(answerOf("last"));
    connection.close(4010, "because");
    assert.equal(connection.send(answerOf("after")), false);
    assert.equal(connection.closedWith, 4010);
    assert.equal(bench.outboxes.bytes, 0, "a closing connection counts no more");
    raw.allowed = 100;
    raw.let(1);
    await turn();
    assert.deepEqual(await received(), [...sent, "last", "close 4010 because"]);
    assert.equal(raw.listenerCount("drain"), 0);
    assert.equal(bench.drops.length, 0);
    raw.destroy();
  }
});

test("what waits when the client closes is not written after ws has answered with its close frame", async (t) => {
  const bench = createBench();
  const join = await listen(t, bench);
  const { connection, socket, client, texts, closed } = await join();
  socket.on("message", () => {
    connection.send(answerOf("in the same turn"));
    socket.close(1000);
  });
  client.send("go");
  assert.equal((await closed).code, 1000);
  assert.deepEqual(texts, []);
  await once(socket, "close");
  assert.equal(connection.send(answerOf("late")), false);
  assert.equal(bench.outboxes.bytes, 0);
});

test("a connection that breaks gives back what it held, and nobody waits for it", async () => {
  const bench = createBench();
  const { connection, raw } = pipe(bench);
  for (let n = 0; n < 50; n++) connection.send(answerOf(text(4_000)));
  await turn();
  const waiting = connection.drained(1_000);
  raw.destroy();
  assert.equal(await waiting, false);
  assert.equal(bench.outboxes.bytes, 0);
  assert.equal(bench.outboxes.holders, 0);
  assert.equal(await connection.drained(1e9), false);
});

test("drained resolves as soon as no more than that waits", async () => {
  const { connection, raw } = pipe(createBench());
  assert.equal(await connection.drained(0), true);
  for (let n = 0; n < 60; n++) connection.send(answerOf(text(4_000)));
  const resolved: number[] = [];
  const asked = [0, 1_000, 30_000, 100_000].map((bytes) =>
    connection.drained(bytes).then((yes) => {
      assert.equal(yes, true);
      assert.ok(connection.bufferedBytes <= bytes, `${connection.bufferedBytes} of ${bytes}`);
      resolved.push(bytes);
    }),
  );
  for (let n = 0; n < 200 && resolved.length < asked.length; n++) {
    const before = connection.bufferedBytes;
    raw.let(1);
    await turn();
    assert.ok(connection.bufferedBytes <= before);
  }
  await Promise.all(asked);
  assert.equal(resolved[0], 100_000);
});

test("drained resolves false when the connection is closed, and when it breaks while nothing waits but in the TCP socket", async () => {
  const closing = pipe(createBench());
  closing.connection.send(answerOf(text(10_000)));
  const waiting = closing.connection.drained(0);
  closing.connection.close(4010);
  closing.raw.allowed = 10;
  closing.raw.let(5);
  assert.equal(await waiting, false);
  closing.raw.destroy();
  const breaking = pipe(createBench());
  breaking.connection.send(answerOf(text(10_000)));
  const broken = breaking.connection.drained(0);
  breaking.raw.destroy();
  assert.equal(await broken, false);
});

test("over its bytes a classic connection is closed with 1013, and what waited is dropped and counted", async () => {
  const bench = createBench({ outboxBytes: 100_000 });
  const { connection, raw, received } = pipe(bench, { protocol: "classic" });
  const stream: Stream = { target: accountTarget("app", "user"), slow: "drop_oldest" };
  let sent = 0;
  while (connection.send(messageOf(stream, sent + 1, text(5_000)))) {
    sent++;
    if (sent === 10) await turn();
    assert.ok(connection.bufferedBytes <= 100_000);
    assert.ok(sent < 100);
  }
  assert.equal(connection.closedWith, 1013);
  const handed = Math.ceil(65_536 / 5_004) - 1;
  assert.equal(sent, Math.floor(100_000 / 5_004));
  assert.equal(bench.droppedFor("slow_consumer"), bench.drops[0]?.count);
  assert.ok(bench.droppedFor("slow_consumer") >= sent - handed - 1 && bench.droppedFor("slow_consumer") <= sent - 10);
  assert.equal(bench.outboxes.bytes, 0);
  raw.allowed = 100;
  raw.let(10);
  await turn();
  const seen = await received();
  assert.equal(seen.at(-1), "close 1013 too slow");
  assert.equal(seen.length - 1, sent - bench.droppedFor("slow_consumer"), "what was handed over arrives");
  raw.destroy();
});

test("what comes in one turn is not slowness while the socket takes it", async (t) => {
  const bench = createBench({ outboxBytes: 100_000 });
  const join = await listen(t, bench);
  const { connection, client, texts } = await join({ protocol: "classic" });
  for (let n = 0; n < 60; n++) assert.equal(connection.send(answerOf(`${n} ${text(5_000)}`)), true, `${n}`);
  while (texts.length < 60) await once(client, "message");
  assert.equal(connection.open, true);
});

test("one frame larger than the outbox goes to a socket that has nothing else", async () => {
  const bench = createBench({ outboxBytes: 10_000 });
  const { connection, raw, received } = pipe(bench);
  assert.equal(connection.send(answerOf(text(50_000))), true);
  assert.equal(connection.send(answerOf(text(50_000))), false);
  assert.equal(connection.closedWith, 4203);
  raw.allowed = 10;
  raw.let(1);
  await turn();
  assert.deepEqual(
    (await received()).map((each) => each.slice(0, 20)),
    [text(20), "close 4203 too slow"],
  );
  raw.destroy();
});

for (const [name, entry] of [
  ["a stream whose policy is close", messageOf(streamOf("r", "close"), 1, text(5_000))],
  ["conflate without a key", messageOf(streamOf("r", "conflate"), 1, text(5_000))],
  ["answers", answerOf(text(5_000))],
] as const) {
  test(`a v2 connection that ${name} overfills is closed with 4203`, async () => {
    const bench = createBench({ outboxBytes: 100_000 });
    const { connection, raw } = pipe(bench);
    for (let n = 0; n < 100 && connection.send(entry); n++) if (n % 4 === 0) await turn();
    assert.equal(connection.closedWith, 4203);
    assert.equal(bench.droppedFor("slow_consumer") > 0, "entry" in entry, "answers are no messages");
    assert.equal(bench.outboxes.bytes, 0);
    raw.destroy();
  });
}

test("a message without a key is not helped by those that have one", async () => {
  const bench = createBench({ outboxBytes: 100_000 });
  const { connection, raw } = pipe(bench);
  const stream = streamOf("r", "conflate");
  for (let n = 1; n <= 30; n++) {
    assert.equal(connection.send(messageOf(stream, n, text(5_000), "key")), true);
    await turn();
  }
  assert.ok(bench.droppedFor("conflated") > 0);
  assert.equal(connection.send(messageOf(stream, 31, text(8_000))), false);
  assert.equal(connection.closedWith, 4203);
  raw.destroy();
});

test("an answer makes room among messages that may be dropped", async () => {
  const bench = createBench({ outboxBytes: 100_000 });
  const { connection, raw, received } = pipe(bench);
  const stream = streamOf("r", "drop_oldest");
  for (let n = 1; n <= 40; n++) {
    assert.equal(connection.send(messageOf(stream, n, text(5_000))), true);
    await turn();
  }
  const before = bench.droppedFor("dropped");
  assert.equal(connection.send(answerOf(text(6_000))), true);
  assert.ok(bench.droppedFor("dropped") > before);
  raw.allowed = 1_000;
  raw.let(1);
  await turn();
  assert.equal((await received()).at(-1), text(6_000));
});

interface Sent {
  readonly streams: readonly Stream[];
  readonly offsets: number[];
  readonly keys: Map<Stream, string[]>;
  answers: string[];
}

/** Checks what a client has received against what was sent: per stream every offset once, in order, as a message or within a gap. */
function checkReceived(seen: readonly string[], sent: Sent, dropped: number): void {
  let missing = 0;
  const answers = seen.filter((each) => each.startsWith("answer"));
  assert.deepEqual(answers, sent.answers);
  for (const [i, stream] of sent.streams.entries()) {
    let next = 1;
    const name = stream.target.name;
    const keys = sent.keys.get(stream) ?? [];
    for (const each of seen) {
      const gap = each.startsWith("{")
        ? (JSON.parse(each) as { op: string; room: string; reason: string; from: number; to: number; epoch: string })
        : undefined;
      if (gap?.room === name) {
        assert.equal(gap.op, "gap");
        assert.equal(gap.epoch, "e");
        assert.equal(gap.reason, stream.slow === "conflate" ? "conflated" : "dropped");
        assert.equal(gap.from, next, `${name}: the gap begins after what came before`);
        assert.ok(gap.to >= gap.from);
        if (stream.slow === "conflate")
          for (let offset = gap.from; offset <= gap.to; offset++)
            assert.ok(keys.indexOf(keys[offset - 1] as string, offset) >= 0, `${name}: ${offset} has a later one with its key`);
        missing += gap.to - gap.from + 1;
        next = gap.to + 1;
      } else if (each.startsWith(`${name} `)) assert.equal(Number(each.split(" ")[1]), next++, `${name}: in order`);
    }
    assert.equal(next - 1, sent.offsets[i], `${name}: to the last`);
  }
  assert.equal(missing, dropped, "the metrics count what the gaps stand for");
}

/** Sends at random to a socket that takes writes at random. */
async function runRandomly(seed: number, piped: Piped, bench: ReturnType<typeof createBench>, capBytes: number): Promise<Sent> {
  const { connection, raw, socket } = piped;
  const draw = createDraw(seed);
  const streams = [streamOf("a", "drop_oldest"), streamOf("b", "drop_oldest"), streamOf("c", "conflate")].slice(draw(2), 2 + draw(2));
  const sent: Sent = { streams, offsets: streams.map(() => 0), keys: new Map(streams.map((stream) => [stream, []])), answers: [] };
  for (let step = 0; step < 1_500; step++) {
    const i = draw(streams.length + 1);
    const stream = streams[i];
    const padding = text(draw(10) === 0 ? 9_000 : 500 + draw(1_500));
    let accepted: boolean;
    if (!stream) {
      const answer = `answer ${step}`;
      accepted = connection.send(answerOf(answer));
      sent.answers.push(answer);
    } else {
      const key = `key ${draw(5)}`;
      const offset = (sent.offsets[i] = (sent.offsets[i] as number) + 1);
      sent.keys.get(stream)?.push(key);
      accepted = connection.send(messageOf(stream, offset, `${stream.target.name} ${offset} ${padding}`, key));
    }
    assert.equal(accepted, true, `seed ${seed}, step ${step}`);
    assert.ok(connection.bufferedBytes <= capBytes, `seed ${seed}, step ${step}: ${connection.bufferedBytes} bytes`);
    assert.ok(bench.outboxes.bytes >= 0);
    if (draw(20) === 0) socket.ping();
    if (draw(3) === 0) await turn();
    if (draw(12) === 0) raw.let(1 + draw(3));
  }
  await turn();
  assert.equal(bench.outboxes.measure(), connection.bufferedBytes, `seed ${seed}: exact`);
  return sent;
}

test("what a slow reader gets, and the gaps, are exactly what was sent, in order, for every stream and whatever happens", async () => {
  for (let seed = 1; seed <= 12; seed++) {
    const capBytes = 150_000;
    const bench = createBench({ outboxBytes: capBytes });
    const piped = pipe(bench);
    const sent = await runRandomly(seed, piped, bench, capBytes);
    assert.ok(bench.drops.length > 0, `seed ${seed}: something was dropped`);
    if (seed % 2 === 0) {
      piped.connection.close(4010);
      piped.raw.allowed = 1e6;
      piped.raw.let(1);
    } else
      while (piped.connection.bufferedBytes > 0) {
        piped.raw.let(2);
        await turn();
      }
    await turn();
    const seen = await piped.received();
    assert.equal(seen.at(-1) === "close 4010", seed % 2 === 0);
    checkReceived(seen, sent, bench.droppedFor("dropped") + bench.droppedFor("conflated"));
    assert.equal(bench.outboxes.measure(), 0);
    assert.equal(bench.outboxes.holders, 0);
    assert.equal(bench.droppedFor("slow_consumer"), 0);
    piped.raw.destroy();
  }
});

test("a real client that stops reading gets the same once it goes on, between pings", async (t) => {
  const bench = createBench({ outboxBytes: 1_000_000 });
  const join = await listen(t, bench);
  const { connection, socket, client, texts } = await join();
  const stream = streamOf("r", "drop_oldest");
  const sent: Sent = { streams: [stream], offsets: [0], keys: new Map(), answers: [] };
  client.pause();
  while (bench.drops.length < 50) {
    const offset = (sent.offsets[0] = (sent.offsets[0] as number) + 1);
    assert.equal(connection.send(messageOf(stream, offset, `r ${offset} ${text(15_000)}`)), true);
    if (offset % 10 === 0) socket.ping();
    if (offset % 5 === 0) await turn();
    assert.ok(connection.bufferedBytes <= 1_000_000);
    assert.ok(offset < 5_000, "the system takes everything");
  }
  const last = answerOf("answer last");
  sent.answers.push("answer last");
  connection.send(last);
  client.resume();
  while (texts.at(-1) !== "answer last") await once(client, "message");
  checkReceived(texts, sent, bench.droppedFor("dropped"));
  assert.equal(connection.open, true);
  await turn();
  assert.equal(connection.bufferedBytes, 0);
  connection.ended();
  assert.equal(bench.outboxes.bytes, 0);
});
