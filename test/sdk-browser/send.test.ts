// Sending: what is written, what is acknowledged, what waits, what is sent again, what is refused.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeClient, settle } from "./doubles.ts";

/** Acknowledges an op as a server with streams does. */
const ACK = { msg_id: "m1", duplicate: false, epoch: "e", offset: 7 };
const numbers = (socket: { ops(op: string): Record<string, unknown>[] }) => socket.ops("pub").map(({ data }) => (data as { n: number }).n);

test("send() writes one frame with an idempotency key and resolves with the server's acknowledgement", async () => {
  const { client, sockets, connected, closed } = fakeClient();
  await connected();
  let sent: unknown;
  const sending = client.send("用户_2", { text: "你好 & = 😀", list: [1, null], nested: { a: true } }, { key: "k", excludeSelf: true }).then((ack) => {
    sent = ack;
  });
  await settle();
  const [{ id, idempotency_key, ...op } = {}] = sockets.last.ops();
  assert.deepEqual(op, { op: "pub", to: "用户_2", data: { text: "你好 & = 😀", list: [1, null], nested: { a: true } }, key: "k", exclude_self: true });
  assert.equal(typeof id, "number");
  assert.match(String(idempotency_key), /^.{10,128}$/);
  assert.equal(sent, undefined, "nothing has been acknowledged");
  sockets.last.reply(ACK);
  await sending;
  assert.deepEqual(sent, { msgId: "m1", duplicate: false, epoch: "e", offset: 7 });
  await closed();
});

test("every send has a key of its own, also among clients", async () => {
  const keys = new Set<unknown>();
  for (let i = 0; i < 3; i++) {
    const { client, sockets, connected, closed } = fakeClient();
    await connected();
    for (let n = 0; n < 3; n++) client.send("a", { n }).catch(() => {});
    for (const { idempotency_key } of sockets.last.ops("pub")) keys.add(idempotency_key);
    await closed();
  }
  assert.equal(keys.size, 9);
});

test("answers may come in any order, and those to nobody are ignored", async () => {
  const { client, sockets, errors, connected, closed } = fakeClient();
  await connected();
  const sent = [client.send("a", { n: 1 }), client.send("a", { n: 2 })];
  const [first, second] = sockets.last.ops("pub");
  sockets.last.reply({ ...ACK, msg_id: "two" }, second);
  sockets.last.reply({ ...ACK, msg_id: "one" }, first);
  sockets.last.reply(ACK, { id: 999 });
  assert.deepEqual(
    (await Promise.all(sent)).map(({ msgId }) => msgId),
    ["one", "two"],
  );
  assert.deepEqual(errors, []);
  await closed();
});

test("what is sent while connecting waits and goes out in order, before what is sent on connected", async () => {
  const { client, sockets, closed } = fakeClient();
  const sent: Promise<unknown>[] = [];
  client.on("state", ({ state }) => state === "connected" && void sent.push(client.send("a", { n: 4 })));
  void client.connect();
  sent.push(client.send("a", { n: 1 }), client.send("a", { n: 2 }));
  await settle();
  sent.push(client.send("a", { n: 3 }));
  sockets.last.open();
  assert.deepEqual(sockets.last.sent, [], "nothing goes before the hello");
  sockets.last.accept();
  assert.deepEqual(numbers(sockets.last), [1, 2, 3, 4]);
  for (const op of sockets.last.ops("pub")) sockets.last.reply(ACK, op);
  await Promise.all(sent);
  await closed();
});

test("what was not acknowledged is sent again on the next connection, the same to the letter, and what was is not", async () => {
  const { client, sockets, connected, reconnected, closed } = fakeClient();
  await connected();
  const first = client.send("a", { n: 1 });
  const second = client.send("a", { n: 2 });
  sockets.last.reply(ACK, sockets.last.ops()[0]);
  await first;
  await reconnected();
  assert.deepEqual(sockets.all[1]?.sent, sockets.all[0]?.sent.slice(1));
  sockets.last.reply({ ...ACK, duplicate: true });
  assert.deepEqual(await second, { msgId: "m1", duplicate: true, epoch: "e", offset: 7 });
  await reconnected();
  assert.deepEqual(sockets.last.sent, []);
  await closed();
});

test("a send that is lost twice without an answer is given up: it may have arrived", async () => {
  const { client, sockets, connected, reconnected, closed } = fakeClient();
  await connected();
  const lost = assert.rejects(client.send("a", { n: 1 }), { name: "XlveinError", code: "not_acknowledged" });
  await reconnected();
  const kept = client.send("a", { n: 2 });
  await reconnected();
  await lost;
  assert.deepEqual(numbers(sockets.last), [2]);
  sockets.last.reply(ACK);
  await kept;
  await closed();
});

test("a send that waited through failed attempts has not been lost once", async () => {
  const { client, sockets, connected, attempted, closed } = fakeClient();
  await connected();
  sockets.last.end();
  const sent = client.send("a", { n: 1 });
  for (let i = 0; i < 3; i++) {
    await attempted();
    sockets.last.end();
  }
  await attempted();
  sockets.last.accept();
  assert.deepEqual(numbers(sockets.last), [1]);
  sockets.last.reply(ACK);
  await sent;
  await closed();
});

test("a socket that is already closing loses the message: it goes out on the next one", async () => {
  const { client, sockets, connected, attempted, closed } = fakeClient();
  await connected();
  sockets.last.readyState = 2;
  const sent = client.send("a", { n: 1 });
  sockets.last.end(1012);
  await attempted();
  sockets.last.accept();
  assert.deepEqual(numbers(sockets.last), [1]);
  sockets.last.reply(ACK);
  await sent;
  await closed();
});

for (const code of [600, 1007, 1008]) {
  test(`error ${code} is tried again after the server's hint, at most four times`, async () => {
    const { client, sockets, clock, connected, closed } = fakeClient();
    await connected({ ping_ms: 10_000_000 });
    let failed: { code?: string; serverCode?: number } | undefined;
    client.send("a", { n: 1 }).catch((error) => {
      failed = error;
    });
    for (let tries = 1; tries <= 5; tries++) {
      assert.equal(sockets.last.sent.length, tries);
      assert.equal(new Set(sockets.last.sent).size, 1, "the same frame, with the same key");
      sockets.last.refuseOp(code, { retryable: true, retry_after_ms: 3_000 });
      await clock.advance(3_499);
      assert.equal(sockets.last.sent.length, tries, "the hint holds");
      await clock.advance(8_000);
    }
    assert.deepEqual([failed?.code, failed?.serverCode], ["refused", code]);
    assert.equal(sockets.last.sent.length, 5);
    await closed();
  });
}

test("a try that waits survives the connection, and ends with the client", async () => {
  const { client, sockets, clock, connected, reconnected, closed } = fakeClient();
  await connected();
  const sent = client.send("a", { n: 1 });
  sockets.last.refuseOp(1007, { retryable: true, retry_after_ms: 30_000 });
  await reconnected();
  assert.deepEqual(sockets.last.sent, []);
  await clock.advance(32_000);
  assert.deepEqual(numbers(sockets.last), [1]);
  sockets.last.refuseOp(1007, { retryable: true });
  const failed = assert.rejects(sent, { code: "not_connected" });
  await closed();
  await failed;
  assert.equal(clock.pending, 0);
});

test("an error that no retry mends rejects at once with the server's code and sentence, and is no event", async () => {
  const { client, sockets, errors, connected, closed } = fakeClient();
  await connected();
  const sent = assert.rejects(client.send("a", {}), { code: "refused", serverCode: 1004, message: /1004 no/ });
  sockets.last.refuseOp(1004);
  await sent;
  assert.deepEqual(errors, []);
  await closed();
});

test("32 messages may wait for a connection, 1,000 for an answer; the next is refused", async () => {
  const { client, sockets, closed } = fakeClient();
  void client.connect();
  const sent = Array.from({ length: 32 }, (_, n) => client.send("a", { n }));
  await assert.rejects(client.send("a", { n: 32 }), { code: "queue_full" });
  await settle();
  sockets.last.accept();
  for (let n = 32; n < 1_000; n++) sent.push(client.send("a", { n }));
  await assert.rejects(client.send("a", { n: 1_000 }), { code: "queue_full" });
  for (const op of sockets.last.ops("pub")) sockets.last.reply(ACK, op);
  assert.equal((await Promise.all(sent)).length, 1_000);
  await closed();
});

test("a network that is 1 MiB behind takes no more", async () => {
  const { client, sockets, connected, closed } = fakeClient();
  await connected();
  sockets.last.bufferedAmount = 1_048_576;
  client.send("a", {}).catch(() => {});
  assert.equal(sockets.last.sent.length, 1);
  sockets.last.bufferedAmount = 1_048_577;
  await assert.rejects(client.send("a", {}), { code: "queue_full" });
  await closed();
});

test("send() without connect(), or after the client closed, rejects", async () => {
  const { client, connected, closed } = fakeClient();
  await assert.rejects(client.send("a", {}), { code: "not_connected" });
  await connected();
  await closed();
  await assert.rejects(client.send("a", {}), { code: "not_connected" });
  await assert.rejects(client.history(), { code: "not_connected" });
});

test("when the client closes, what waits is rejected with the reason, and what was sent as not acknowledged", async () => {
  const { client, sockets, connected, closed } = fakeClient();
  void client.connect();
  const first = assert.rejects(client.send("a", {}), { code: "not_connected" });
  await closed();
  await first;
  await connected();
  const second = assert.rejects(client.send("a", {}), { code: "not_acknowledged" });
  sockets.last.end(1006);
  const third = assert.rejects(client.send("a", {}), { code: "stopped", closeCode: 4010 });
  await settle();
  void client.connect();
  await settle();
  sockets.last.open();
  sockets.last.end(4010);
  await Promise.all([second, third]);
});

for (const [what, to, data, message] of [
  ["no account", undefined, {}, /^to: /],
  ["an empty account", "", {}, /^to: /],
  ["an account that is no string", 7, {}, /^to: /],
  ["no data", "a", undefined, /^data: /],
  ["null", "a", null, /^data: /],
  ["an array", "a", [1], /^data: /],
  ["text", "a", "hello", /^data: /],
] as const) {
  test(`send() with ${what} is refused, and the message names what is wrong`, async () => {
    const { client, sockets, connected, closed } = fakeClient();
    await connected();
    await assert.rejects(client.send(to as string, data as object), { name: "XlveinError", code: "bad_message", message });
    assert.deepEqual(sockets.last.sent, []);
    await closed();
  });
}

test("an object that JSON cannot hold is refused with JSON's own error", async () => {
  const circular: Record<string, unknown> = {};
  circular["self"] = circular;
  const { client, sockets, connected, closed } = fakeClient();
  await connected();
  await assert.rejects(client.send("a", circular), { name: "TypeError", message: /circular/ });
  await assert.rejects(client.send("a", { n: 1n }), { name: "TypeError", message: /BigInt/ });
  assert.deepEqual(sockets.last.sent, []);
  await closed();
});

test("a frame above maxFrameBytes, or the server's limit, counted as UTF-8, is refused before the server closes the connection for it", async () => {
  for (const [option, server] of [
    [200, 65_536],
    [65_536, 200],
  ] as const) {
    const { client, sockets, connected, closed } = fakeClient({ maxFrameBytes: option });
    await connected({ max_frame_bytes: server });
    client.send("a", { t: "" }).catch(() => {});
    const room = 200 - Buffer.byteLength(sockets.last.sent[0] ?? "") - 1;
    client.send("a", { t: "x".repeat(room) }).catch(() => {});
    assert.equal(sockets.last.sent.length, 2);
    await assert.rejects(client.send("a", { t: "x".repeat(room + 9) }), { code: "message_too_big", message: /over 200 bytes/ });
    await assert.rejects(client.send("a", { t: "é".repeat(room) }), { code: "message_too_big" });
    await closed();
  }
});
