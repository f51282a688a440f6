// The generator aimed at servers by URL: each protocol, and what a server does wrong.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { Server } from "socket.io";
import { APPLICATIONS, SECRET, startServer } from "../../helpers/server.ts";
import { createStage } from "../harness/stage.ts";
import { centrifugo } from "./centrifugo.ts";
import { generate, type Load, type Outcome } from "./generate.ts";
import { startCentrifugo, startPusher } from "./minimal-servers.ts";
import type { PeerProtocol, Target } from "./protocol.ts";
import { pusher } from "./pusher.ts";
import { socketio } from "./socketio.ts";
import { xlvein } from "./xlvein.ts";

const LOAD = { sockets: 12, messages: 10, rate: 200, pid: undefined };
/** Runs the load; its clients go before their server does. */
async function load(
  create: (target: Target) => PeerProtocol,
  url: string,
  { event = "message", ...more }: Partial<Load> & { event?: string } = {},
): Promise<Outcome> {
  const stage = createStage();
  try {
    return await generate(create({ stage, url: new URL(url), event }), { ...LOAD, ...more });
  } finally {
    await stage.close();
  }
}

async function counts(...args: Parameters<typeof load>): Promise<Pick<Outcome, "expected" | "lost" | "twice">> {
  const { expected, lost, twice, p50, p99, perSecond } = await load(...args);
  assert.ok(p50 > 0 && p99 >= p50 && perSecond > 0, `${p50} ${p99} ${perSecond}`);
  return { expected, lost, twice };
}

const ALL = { expected: 120, lost: 0, twice: 0 };

async function startSocketIo(t: TestContext, serve: (io: Server) => void, path = "/socket.io/"): Promise<string> {
  const http = createServer();
  const io = new Server(http, { path });
  serve(io);
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  t.after(() => io.close());
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
}

test("a server of ours delivers every message to everybody", async (t) => {
  const { url } = await startServer(t, { applications: [APPLICATIONS[0] as Record<string, unknown>] });
  assert.deepEqual(await counts(xlvein, url.replace("//", `//test:${SECRET}@`)), ALL);
});

test("a wrong secret is told as the server tells it", async (t) => {
  const { url } = await startServer(t);
  await assert.rejects(load(xlvein, url.replace("//", `//test:${SECRET}wrong@`)), /refused: HTTP\/1\.1 401/);
});

test("a Socket.IO server that sends on what it is told delivers every message", async (t) => {
  const url = await startSocketIo(t, (io) => io.on("connection", (socket) => socket.on("message", (message) => io.emit("message", message))));
  assert.deepEqual(await counts(socketio, url), ALL);
});

test("a Socket.IO server may leave out the sender, have a path of its own, and name the event as it likes", async (t) => {
  const url = await startSocketIo(
    t,
    (io) => io.on("connection", (socket) => socket.on("chat message", (message) => socket.broadcast.emit("chat message", message))),
    "/live/",
  );
  assert.deepEqual(await counts(socketio, `${url}/live/`, { event: "chat message" }), ALL);
});

test("a Socket.IO server that refuses the namespace is named as the reason", async (t) => {
  const url = await startSocketIo(t, (io) => io.use((_socket, next) => next(new Error("who are you?"))));
  await assert.rejects(load(socketio, url), /the server refused: 44.*who are you/);
});

const PUSHER = { key: "k", secret: "s", appId: "1" };

test("a server of the Pusher protocol takes signed events and delivers them", async (t) => {
  const host = await startPusher(t, PUSHER);
  assert.deepEqual(await counts(pusher, `http://k:s@${host}/1`), ALL);
});

test("a wrong Pusher key or secret is told as the server tells it; an address without them is refused", async (t) => {
  const host = await startPusher(t, PUSHER);
  await assert.rejects(load(pusher, `http://nobody:s@${host}/1`), /the server refused: .*4001/);
  await assert.rejects(load(pusher, `http://k:wrong@${host}/1`), /\/apps\/1\/events was answered 401/);
  await assert.rejects(load(pusher, `http://${host}/1`), /http:\/\/KEY:SECRET@host:port\/APP_ID/);
  await assert.rejects(load(pusher, `http://k:s@${host}`), /http:\/\/KEY:SECRET@host:port\/APP_ID/);
});

test("Centrifugo's clients are subscribed by their token and get what its API publishes", async (t) => {
  const host = await startCentrifugo(t, { secret: "s", apiKey: "a" });
  assert.deepEqual(await counts(centrifugo, `http://s:a@${host}`), ALL);
  await assert.rejects(load(centrifugo, `http://wrong:a@${host}`), /the server refused: .*unauthorized/);
  await assert.rejects(load(centrifugo, `http://s:wrong@${host}`), /\/api\/publish was answered 401/);
});

test("messages that come twice are counted", async (t) => {
  const host = await startCentrifugo(t, { secret: "s", apiKey: "a" }, { repeatEvery: 6 });
  // Two messages are the warm-up, so the sixth and the twelfth are among the ten.
  assert.deepEqual(await counts(centrifugo, `http://s:a@${host}`), { expected: 120, lost: 0, twice: 24 });
});

test("messages that never come are counted", async (t) => {
  const host = await startPusher(t, PUSHER, { loseEvery: 6 });
  assert.deepEqual(await counts(pusher, `http://k:s@${host}/1`, { arriveMs: 300 }), { expected: 120, lost: 24, twice: 0 });
});
