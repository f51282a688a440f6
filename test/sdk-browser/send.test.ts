// Sending: what is written, what waits, what is refused.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeClient, settle } from "./doubles.ts";

test("send() writes one frame and resolves", async () => {
  const { client, sockets, connected, closed } = fakeClient();
  await connected();
  await client.send("用户_2", { text: "你好 & = 😀", list: [1, null], nested: { a: true } });
  assert.deepEqual(
    sockets.last.sent.map((text) => JSON.parse(text)),
    [{ to: "用户_2", data: { text: "你好 & = 😀", list: [1, null], nested: { a: true } } }],
  );
  await closed();
});

test("what is sent while connecting waits and goes out in order, before what is sent on connected", async () => {
  const { client, sockets, closed } = fakeClient();
  client.on("state", ({ state }) => state === "connected" && void client.send("a", { n: 4 }));
  void client.connect();
  const sent = [client.send("a", { n: 1 }), client.send("a", { n: 2 })];
  await settle();
  sent.push(client.send("a", { n: 3 }));
  sockets.last.accept();
  await Promise.all(sent);
  assert.deepEqual(
    sockets.last.sent.map((text) => JSON.parse(text).data.n),
    [1, 2, 3, 4],
  );
  await closed();
});

test("what is sent during a reconnect goes out once, on the next socket", async () => {
  const { client, sockets, clock, connected, closed } = fakeClient();
  await connected();
  sockets.last.end();
  const sent = client.send("a", { n: 1 });
  await clock.advance(2_000);
  sockets.last.accept();
  await sent;
  assert.deepEqual(
    sockets.all.map((socket) => socket.sent.length),
    [0, 1],
  );
  sockets.last.end();
  await clock.advance(4_000);
  sockets.last.accept();
  assert.equal(sockets.last.sent.length, 0, "what was written is not sent again");
  await closed();
});

test("a socket that is already closing takes nothing: the message waits for the next one", async () => {
  const { client, sockets, clock, connected, closed } = fakeClient();
  await connected();
  sockets.last.readyState = 2;
  const sent = client.send("a", { n: 1 });
  sockets.last.end(1012);
  await clock.advance(500);
  sockets.last.accept();
  await sent;
  assert.equal(sockets.last.sent.length, 1);
  await closed();
});

test("32 messages may wait; the next is refused", async () => {
  const { client, sockets, closed } = fakeClient();
  void client.connect();
  const sent = Array.from({ length: 32 }, (_, n) => client.send("a", { n }));
  await assert.rejects(client.send("a", { n: 32 }), { code: "queue_full" });
  await settle();
  sockets.last.accept();
  await Promise.all(sent);
  assert.equal(sockets.last.sent.length, 32);
  await client.send("a", { n: 33 });
  await closed();
});

test("a network that is 1 MiB behind takes no more", async () => {
  const { client, sockets, connected, closed } = fakeClient();
  await connected();
  sockets.last.bufferedAmount = 1_048_576;
  await client.send("a", {});
  sockets.last.bufferedAmount = 1_048_577;
  await assert.rejects(client.send("a", {}), { code: "queue_full" });
  await closed();
});

test("send() without connect(), or after the client closed, rejects", async () => {
  const { client, connected, closed } = fakeClient();
  await assert.rejects(client.send("a", {}), { code: "not_connected", message: /idle/ });
  await connected();
  await closed();
  await assert.rejects(client.send("a", {}), { code: "not_connected", message: /closed/ });
});

test("when the client closes, what waits is rejected with the reason", async () => {
  const { client, sockets, connected, closed } = fakeClient();
  void client.connect();
  const first = assert.rejects(client.send("a", {}), { code: "not_connected" });
  await closed();
  await first;
  await connected();
  sockets.last.readyState = 2;
  const second = assert.rejects(client.send("a", {}), { code: "stopped", closeCode: 4010 });
  sockets.last.end(4010);
  await second;
});

const circular: Record<string, unknown> = {};
circular.self = circular;
for (const [what, to, data, message] of [
  ["no account", undefined, {}, /^to: /],
  ["an empty account", "", {}, /^to: /],
  ["an account that is no string", 7, {}, /^to: /],
  ["no data", "a", undefined, /^data: /],
  ["null", "a", null, /^data: /],
  ["an array", "a", [1], /^data: /],
  ["text", "a", "hello", /^data: /],
  ["a circular object", "a", circular, /^data: .*circular/],
  ["a BigInt", "a", { n: 1n }, /^data: .*BigInt/],
] as const) {
  test(`send() with ${what} is refused, and the message names what is wrong`, async () => {
    const { client, sockets, connected, closed } = fakeClient();
    await connected();
    await assert.rejects(client.send(to as string, data as object), { name: "XlveinError", code: "bad_message", message });
    assert.deepEqual(sockets.last.sent, []);
    await closed();
  });
}

test("a frame above maxFrameBytes, counted as UTF-8, is refused before the server closes the connection for it", async () => {
  const { client, connected, closed } = fakeClient({ maxFrameBytes: 40 });
  await connected();
  const room = 40 - new TextEncoder().encode(JSON.stringify({ to: "a", data: { t: "" } })).length;
  await client.send("a", { t: "x".repeat(room) });
  await assert.rejects(client.send("a", { t: "x".repeat(room + 1) }), { code: "message_too_big", message: /41 bytes.*40/ });
  await assert.rejects(client.send("a", { t: "é".repeat(room) }), { code: "message_too_big" });
  await closed();
});
