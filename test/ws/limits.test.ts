// Limits on a live socket: what exceeds one ends that socket and touches no other.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { test } from "node:test";
import { type Client, connect, connectUrl, push, pushOpen } from "../helpers/client.ts";
import { APPLICATIONS, SECRET, startServer } from "../helpers/server.ts";

test("a reader that stops reading is closed when its outbox is full, and the others miss nothing", async (t) => {
  const server = await startServer(t, { config: { limits: { outbox_bytes: 262_144 } } });
  const slow = await connect(t, server.url, { account: "slow" });
  const quick = await connect(t, server.url, { account: "quick" });
  (slow.socket as unknown as { pause(): void }).pause();
  const text = "x".repeat(16_000);
  const closed = async () => (await server.metric("xlvein_connections_closed_total", { app: "test", code: "1013" })) === 1;
  let sent = 0;
  while (!(await closed())) {
    assert.ok(sent < 2_000, "the slow reader was never closed");
    for (let i = 0; i < 20; i++) assert.equal((await push(server.url, ["slow", "quick"], { n: sent++, text })).status, 200);
  }
  for (let n = 0; n < sent; n++) assert.equal((await quick.next()).data["n"], n);
  assert.ok((await server.metric("xlvein_messages_dropped_total", { app: "test", reason: "slow_consumer" })) >= 1);
  assert.ok((await server.metric("xlvein_send_buffer_bytes")) <= 262_144);
  const after = await connect(t, server.url, { account: "slow" });
  await push(server.url, ["slow"], { again: true });
  assert.deepEqual((await after.next()).data, { again: true });
});

test("a peer that answers no ping is cut after two, one that answers stays", async (t) => {
  const server = await startServer(t, { config: { ping: { seconds: 1 } } });
  const mute = await connect(t, server.url, { account: "mute" });
  const lively = await connect(t, server.url, { account: "lively" });
  mute.socket.pong = () => {};
  let pings = 0;
  mute.socket.on("ping", () => pings++);
  const deaf = mute.socket as unknown as { _autoPong: boolean };
  deaf._autoPong = false;
  assert.equal((await mute.closed).code, 1006);
  assert.equal(pings, 2);
  assert.equal(await server.metric("xlvein_connections_closed_total", { app: "test", code: "4201" }), 1);
  assert.equal(lively.socket.readyState, lively.socket.OPEN);
});

test("an application's frame limit closes 1009 below the node's, and 64 KiB is the node's", async (t) => {
  const { url } = await startServer(t, {
    applications: [{ app_key: "small", app_secret: SECRET, limits: { max_message_bytes: 1_000 } }, APPLICATIONS[0] as Record<string, unknown>],
  });
  const frameOf = (bytes: number) => {
    const empty = JSON.stringify({ to: "nobody", data: { s: "" } });
    return JSON.stringify({ to: "nobody", data: { s: "x".repeat(bytes - empty.length) } });
  };
  const survives = async (client: Client) => {
    client.socket.ping();
    await once(client.socket, "pong");
  };
  for (const [app, limit] of [
    ["small", 1_000],
    ["test", 65_536],
  ] as const) {
    const fits = await connect(t, url, { app });
    fits.send(frameOf(limit));
    await survives(fits);
    fits.send(frameOf(limit + 1));
    assert.equal((await fits.closed).code, 1009);
  }
});

test("a client over its message rate is closed 1008, the application's others are not", async (t) => {
  const server = await startServer(t, {
    applications: [{ app_key: "test", app_secret: SECRET, push_auth: ["open"], limits: { messages_per_second_per_connection: 5 } }],
  });
  const [loud, calm] = [await connect(t, server.url, { account: "loud" }), await connect(t, server.url, { account: "calm" })];
  for (let i = 0; i < 50; i++) loud.send({ to: "calm", data: { i } });
  assert.equal((await loud.closed).code, 1008);
  for (let i = 0; i < 5; i++) assert.equal((await calm.next()).data["i"], i);
  await pushOpen(server.url, "calm", { done: true });
  assert.deepEqual((await calm.next()).data, { done: true });
  assert.equal(await server.metric("xlvein_messages_dropped_total", { app: "test", reason: "rate_limited" }), 1);
});

test("data nested more deeply than json_depth is skipped and counted", async (t) => {
  const server = await startServer(t, { config: { limits: { json_depth: 3 } } });
  const client = await connect(t, server.url);
  client.send('{"to":"user_1","data":{"a":{"b":{"c":{}}}}}');
  client.send('{"to":"user_1","data":{"a":{"b":1}}}');
  assert.deepEqual((await client.next()).data, { a: { b: 1 } });
  assert.equal(await server.metric("xlvein_messages_dropped_total", { app: "test", reason: "unparsable" }), 1);
});

test("connections that prove nothing are bounded: further ones are dropped, those that did are served", async (t) => {
  const server = await startServer(t, { config: { limits: { unauthenticated_sockets: 5 } } });
  const client = await connect(t, server.url);
  const port = Number(new URL(server.url).port);
  const idle = Array.from({ length: 5 }, () => connectTcp(port, "127.0.0.1"));
  t.after(() => idle.forEach((socket) => void socket.destroy()));
  await Promise.all(idle.map((socket) => once(socket, "connect")));
  while ((await server.metric("xlvein_unauthenticated_sockets")) < 5) await new Promise(setImmediate);
  const sixth = connectTcp(port, "127.0.0.1");
  sixth.on("error", () => {});
  await once(sixth, "close");
  client.send({ to: "user_1", data: { alive: true } });
  assert.deepEqual((await client.next()).data, { alive: true });
  idle[0]?.destroy();
  while ((await server.metric("xlvein_unauthenticated_sockets")) >= 5) await new Promise(setImmediate);
  assert.equal((await pushOpen(server.url, "user_1", { n: 1 })).error, 0);
});

test("headers that never end are cut when their time is over", async (t) => {
  const { url } = await startServer(t, { config: { limits: { headers_timeout_seconds: 1 } } });
  const socket = connectTcp(Number(new URL(url).port), "127.0.0.1");
  socket.on("error", () => {});
  socket.resume();
  socket.write(`GET ${new URL(connectUrl(url)).pathname} HTTP/1.1\r\nX-Slow: `);
  const started = Date.now();
  await once(socket, "close");
  assert.ok(Date.now() - started < 5_000);
});
