// The life of a client: states, one socket at a time, closing.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeClient, frame, settle } from "./doubles.ts";

const words = (states: { state: string }[]) => states.map(({ state }) => state);

test("nothing happens before connect()", async () => {
  const { client, sockets, page, clock } = fakeClient();
  await clock.advance(60_000);
  assert.equal(client.state, "idle");
  assert.equal(sockets.all.length, 0);
  assert.equal(page.listeners, 0);
  assert.equal(clock.pending, 0);
});

test("connect() goes through connecting to connected and resolves", async () => {
  const { client, sockets, states, connected, clock } = fakeClient({ deviceId: "phone 1" });
  await connected();
  assert.equal(client.state, "connected");
  assert.deepEqual(states, [
    { state: "connecting", previous: "idle", reason: undefined, retryInMs: undefined },
    { state: "connected", previous: "connecting", reason: undefined, retryInMs: undefined },
  ]);
  assert.equal(sockets.last.url, "wss://push.example.com/ws/connect?app_id=test&device_id=phone+1");
  assert.deepEqual(sockets.last.protocols, ["xlvein.v2.json", "xlvein.token.t"]);
  assert.equal(clock.pending, 1, "a connection that stands has one timer: for a server that goes silent");
});

test("connect() called again while connecting or connected makes no second socket", async () => {
  const { client, sockets } = fakeClient();
  const first = client.connect();
  const second = client.connect();
  await settle();
  sockets.last.accept();
  await Promise.all([first, second, client.connect()]);
  assert.equal(sockets.all.length, 1);
});

test("connect() rejects when the client closes first, and nobody has to catch it", async () => {
  const { client } = fakeClient();
  const uncaught: unknown[] = [];
  const listener = (error: unknown) => uncaught.push(error);
  process.on("unhandledRejection", listener);
  const ready = client.connect();
  await client.close();
  await settle();
  process.off("unhandledRejection", listener);
  assert.deepEqual(uncaught, []);
  await assert.rejects(ready, { name: "XlveinError", code: "not_connected" });
});

test("connect() stays pending through failures and resolves when one attempt succeeds", async () => {
  const { client, sockets, clock } = fakeClient();
  const ready = client.connect();
  await settle();
  sockets.last.end();
  await clock.advance(2_000);
  sockets.last.accept();
  await ready;
  assert.equal(sockets.all.length, 2);
});

test("an open socket is not a connection: that begins with the server's hello, and ends with its silence", async () => {
  const { client, sockets, clock, states, closed } = fakeClient();
  const ready = client.connect();
  await settle();
  sockets.last.open();
  assert.equal(client.state, "connecting");
  assert.equal(client.connectionId, undefined);
  await clock.advance(9_999);
  sockets.last.accept({ ping_ms: 5_000 });
  await ready;
  assert.equal(client.connectionId, "c1");
  for (let i = 0; i < 3; i++) {
    await clock.advance(14_999);
    sockets.last.receive('{"op":"ping"}');
  }
  assert.deepEqual(sockets.last.ops(), Array(3).fill({ op: "pong" }));
  assert.equal(client.state, "connected");
  await clock.advance(15_000);
  assert.equal(client.state, "disconnected");
  assert.equal(states.at(-1)?.reason?.code, "timeout");
  assert.equal(client.connectionId, undefined);
  await clock.advance(2_000);
  assert.equal(sockets.all.length, 2);
  await closed();
});

test("a refusal before the hello is told by its close code", async () => {
  for (const [code, state, word] of [
    [4001, "closed", "stopped"],
    [4009, "closed", "stopped"],
    [4100, "disconnected", "connect_failed"],
    [4104, "disconnected", "connect_failed"],
    [1006, "disconnected", "connect_failed"],
  ] as const) {
    const { client, sockets, errors, closed } = fakeClient();
    void client.connect();
    await settle();
    sockets.last.open();
    sockets.last.end(code, "because");
    assert.equal(client.state, state);
    assert.deepEqual([errors[0]?.code, errors[0]?.closeCode], [word, code]);
    assert.match(errors[0]?.message ?? "", new RegExp(`${code} because`));
    await closed();
  }
});

test("frames of tomorrow's servers are ignored, and drain changes nothing", async () => {
  const { client, sockets, errors, messages, connected, closed } = fakeClient();
  await connected({ news: true });
  sockets.last.receive('{"op":"drain","within_ms":9000}');
  sockets.last.receive('{"op":"fireworks","data":{}}');
  assert.deepEqual([errors, messages], [[], []]);
  assert.equal(client.state, "connected");
  await closed();
});

test("close() resolves once the socket is gone, leaves no timer and no listener, and may be called twice", async () => {
  const { client, sockets, clock, page, connected, states } = fakeClient();
  await connected();
  assert.ok(page.listeners > 0);
  let gone = false;
  const closing = client.close().then(() => {
    gone = true;
  });
  assert.equal(client.state, "closed");
  await settle();
  assert.equal(gone, false, "the socket is still closing");
  sockets.last.end(1000);
  await closing;
  await client.close();
  assert.equal(clock.pending, 0);
  assert.equal(page.listeners, 0);
  assert.deepEqual(words(states), ["connecting", "connected", "closed"]);
  assert.equal(states.at(-1)?.reason, undefined);
});

test("close() gives up on a peer that never answers after one second", async () => {
  const { client, clock, connected } = fakeClient();
  await connected();
  let gone = false;
  void client.close().then(() => {
    gone = true;
  });
  await clock.advance(999);
  assert.equal(gone, false);
  await clock.advance(1);
  assert.equal(gone, true);
  assert.equal(clock.pending, 0);
});

test("close() before connect() closes, and a closed client can connect again", async () => {
  const { client, states, connected, closed } = fakeClient();
  await client.close();
  await connected();
  await closed();
  await connected();
  await closed();
  assert.deepEqual(words(states), ["closed", "connecting", "connected", "closed", "connecting", "connected", "closed"]);
});

test("a connection made after close() waits until the old socket is gone", async () => {
  const { client, sockets, connected } = fakeClient();
  await connected();
  void client.close();
  void client.connect();
  await settle();
  assert.equal(sockets.all.length, 1);
  sockets.all[0]?.end(1000);
  await settle();
  assert.equal(sockets.all.length, 2);
  assert.equal(sockets.most, 1);
});

for (const [moment, arrange] of [
  ["while the token is asked for", async () => {}],
  ["while the socket opens", () => settle()],
  [
    "while waiting for a retry",
    async (sockets: { last: { end(): void } }) => {
      await settle();
      sockets.last.end();
    },
  ],
] as const) {
  test(`close() ${moment} ends it for good`, async () => {
    const { client, sockets, clock, page, closed } = fakeClient();
    void client.connect();
    await arrange(sockets);
    await closed();
    const before = sockets.all.length;
    await clock.advance(600_000);
    assert.equal(client.state, "closed");
    assert.equal(sockets.all.length, before);
    assert.equal(clock.pending, 0);
    assert.equal(page.listeners, 0);
  });
}

test("nothing of an old socket reaches the application after close()", async () => {
  const { client, sockets, connected, closed } = fakeClient();
  await connected();
  const seen: unknown[] = [];
  client.on("message", (message) => seen.push(message));
  sockets.last.receive(frame({}));
  void client.close();
  sockets.last.receive(frame({}));
  await closed();
  sockets.last.receive(frame({}));
  assert.equal(seen.length, 1);
});

test("a listener may close or connect the client from within an event, and every listener sees the events in order", async () => {
  const { client, sockets } = fakeClient();
  const seen: string[] = [];
  client.on("state", ({ state }) => {
    if (state === "disconnected") void client.close();
  });
  client.on("state", ({ state }) => seen.push(state));
  void client.connect();
  await settle();
  sockets.last.accept();
  sockets.last.end();
  assert.deepEqual(seen, ["connecting", "connected", "disconnected", "closed"]);
  assert.equal(client.state, "closed");
});

test("close() from within the connecting event makes no socket", async () => {
  const { client, sockets, clock } = fakeClient();
  client.on("state", ({ state }) => {
    if (state === "connecting") void client.close();
  });
  await assert.rejects(client.connect(), { code: "not_connected" });
  await clock.advance(60_000);
  assert.equal(sockets.all.length, 0);
  assert.equal(clock.pending, 0);
});

test("a handshake that does not finish in time is given up and tried again", async () => {
  const { client, sockets, clock, states, closed } = fakeClient({ connectTimeoutMs: 3_000 });
  void client.connect();
  await clock.advance(2_999);
  assert.equal(client.state, "connecting");
  await clock.advance(1);
  assert.equal(client.state, "disconnected");
  assert.equal(states.at(-1)?.reason?.code, "timeout");
  assert.equal(sockets.last.readyState, 2, "the unfinished socket is being closed");
  sockets.last.end();
  await clock.advance(1_000);
  assert.equal(sockets.all.length, 2);
  await closed();
});

for (const [where, closes] of [
  ["with error and close, as in browsers", true],
  ["with error alone, as in Node 22", false],
] as const) {
  test(`a handshake that fails ${where} is one failure, tried again after one wait`, async () => {
    const { client, sockets, clock, errors, closed } = fakeClient();
    void client.connect();
    await settle();
    sockets.last.fail(closes);
    assert.deepEqual(
      errors.map(({ code, closeCode }) => [code, closeCode]),
      [["connect_failed", 1006]],
    );
    assert.equal(clock.pending, 1);
    await clock.advance(1_000);
    assert.equal(sockets.all.length, 2);
    await closed();
  });
}

test("an error on a socket that is open, or that the client closes, changes nothing by itself", async () => {
  const { client, sockets, errors, connected } = fakeClient();
  await connected();
  sockets.last.onerror?.({} as never);
  assert.equal(client.state, "connected");
  void client.close();
  sockets.last.onerror?.({} as never);
  sockets.last.end(1000);
  await client.close();
  assert.deepEqual(errors, []);
});

test("a WebSocket class that refuses the URL ends the client: trying again could not help", async () => {
  const { client, sockets, states, errors, clock } = fakeClient();
  sockets.refusal = new DOMException("An insecure WebSocket connection may not be initiated from a page loaded over HTTPS.", "SecurityError");
  await assert.rejects(client.connect(), { code: "stopped", message: /insecure WebSocket/ });
  assert.equal(client.state, "closed");
  assert.equal(states.at(-1)?.reason?.cause, sockets.refusal);
  assert.equal(errors.length, 1);
  assert.equal(clock.pending, 0);
});
