// The client against a real server, with Node's WebSocket and with the `ws` package.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import jwt from "jsonwebtoken";
import { WebSocket as PackageWebSocket } from "ws";
import { type Client, type ClientOptions, createClient, type StateChange, type XlveinError } from "../../sdk-browser/src/index.ts";
import { apiToken, push, tokenFor } from "../helpers/client.ts";
import { APPLICATIONS, configFile, SECRET, startServer } from "../helpers/server.ts";

/** The system's clock without its chance: retries come at once, so no test waits for luck. */
const eager = {
  now: () => Date.now(),
  random: () => 0,
  after: (ms: number, run: () => void) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** A client that is closed when the test ends. */
function make(t: { after(run: () => unknown): void }, url: string, options: Partial<ClientOptions> = {}): Client {
  const client = createClient({ url, appKey: "test", ...(options.getToken ? {} : { token: tokenFor("user_1") }), clock: eager, ...options });
  t.after(() => client.close());
  return client;
}

/** The next change to `state`. */
function reach(client: Client, state: string): Promise<StateChange> {
  return new Promise((resolve) => {
    const off = client.on("state", (change) => {
      if (change.state !== state) return;
      off();
      resolve(change);
    });
  });
}

for (const [name, WebSocket] of [
  ["Node's own WebSocket", undefined],
  ["the ws package", PackageWebSocket as never],
] as const) {
  test(`with ${name}, a push arrives and clients write to each other`, async (t) => {
    const { url } = await startServer(t);
    const one = make(t, url, { WebSocket, deviceId: "phone-1" });
    const two = make(t, url, { WebSocket, token: tokenFor("用户_2") });
    await Promise.all([one.connect(), two.connect()]);
    const [atOne, atTwo] = [one.messages(), two.messages()];

    assert.equal((await push(url, ["user_1"], { text: "你好 😀" })).status, 200);
    const pushed = (await atOne.next()).value;
    assert.deepEqual(pushed?.data, { text: "你好 😀" });
    assert.equal(pushed?.event, 0);
    assert.equal(pushed?.from, undefined);
    assert.equal(pushed?.to, "user_1");
    assert.match(pushed?.msgId ?? "", /^[0-9a-f-]{36}$/);
    assert.ok(Math.abs((pushed?.sendAt ?? 0) - Date.now()) < 60_000);

    await one.send("用户_2", { n: 1 });
    await two.send("user_1", { n: 2 });
    const [first, second] = [(await atTwo.next()).value, (await atOne.next()).value];
    assert.deepEqual([first?.from, first?.event, first?.conversationId, first?.data], ["user_1", 1, "用户_2", { n: 1 }]);
    assert.deepEqual([second?.from, second?.data], ["用户_2", { n: 2 }]);

    await one.close();
    assert.deepEqual(await atOne.next(), { done: true, value: undefined });
  });
}

test("the device id reaches the server", async (t) => {
  const { url } = await startServer(t);
  const client = make(t, url, { deviceId: "phone-1" });
  await client.connect();
  const response = await fetch(`${url}/api/v1/accounts/user_1/connections`, { headers: { authorization: `Bearer ${apiToken()}` } });
  const { connections } = (await response.json()) as { connections: { device_id: string }[] };
  assert.deepEqual(
    connections.map(({ device_id }) => device_id),
    ["phone-1"],
  );
});

test("a ready-made connect URL is all that is needed", async (t) => {
  const { url } = await startServer(t);
  const client = make(t, `${url.replace("http", "ws")}/ws/connect?app_id=test&token=${tokenFor("user_1")}`, { appKey: undefined, token: undefined });
  await client.connect();
  assert.equal(client.state, "connected");
});

test("a refused token is replaced: getToken is asked again and the connection stands", async (t) => {
  const { url } = await startServer(t);
  const reasons: string[] = [];
  const client = make(t, url, { getToken: ({ reason }) => (reasons.push(reason) === 1 ? tokenFor("user_1", "another secret") : tokenFor("user_1")) });
  const errors: XlveinError[] = [];
  client.on("error", (error) => errors.push(error));
  await client.connect();
  assert.deepEqual(reasons, ["first", "refused"]);
  assert.deepEqual(
    errors.map(({ code, closeCode }) => [code, closeCode]),
    [["connect_failed", 1006]],
  );
});

test("an expired token is replaced before it is tried", async (t) => {
  const { url } = await startServer(t);
  const reasons: string[] = [];
  const client = make(t, url, {
    token: jwt.sign({ sub: "user_1" }, SECRET, { expiresIn: -1 }),
    getToken: ({ reason }) => {
      reasons.push(reason);
      return tokenFor("user_1");
    },
  });
  await client.connect();
  assert.deepEqual(reasons, ["expired"]);
});

test("a token that expires on a live connection is replaced where the application closes on expiry", async (t) => {
  const { url } = await startServer(t, { applications: [{ ...APPLICATIONS[0], close_on_expiry: true }] });
  let expired = false;
  let reason = "";
  const client = make(t, url, {
    // Asked for again and again until one short-lived token has outlived its handshake.
    getToken: (request) => {
      reason = request.reason;
      return jwt.sign({ sub: "user_1" }, SECRET, { expiresIn: expired ? 3600 : 2 });
    },
  });
  const settled = new Promise<void>((resolve) => {
    client.on("state", ({ state, reason }) => {
      if (reason?.closeCode === 4202) expired = true;
      if (expired && state === "connected") resolve();
    });
  });
  void client.connect();
  await settled;
  assert.equal(reason, "refused");
});

test("a draining server sends the client away with 1012, and the client is back when the server is", async (t) => {
  const first = await startServer(t);
  const client = make(t, first.url);
  const reader = client.messages();
  await client.connect();
  const lost = reach(client, "disconnected");
  await first.server.drain();
  assert.equal((await lost).reason?.closeCode, 1012);
  await first.server.close();
  const waiting = client.send("user_1", { text: "written while away" });
  const back = reach(client, "connected");
  await startServer(t, { config: { host: first.url.replace("http://", "") } });
  await back;
  await waiting;
  assert.deepEqual((await reader.next()).value?.data, { text: "written while away" });
});

test("a server that dies without a word is come back to", async (t) => {
  const first = await startServer(t);
  const client = make(t, first.url);
  await client.connect();
  const lost = reach(client, "disconnected");
  await first.server.close();
  assert.equal((await lost).reason?.code, "connection_lost");
  const back = reach(client, "connected");
  const second = await startServer(t, { config: { host: first.url.replace("http://", "") } });
  await back;
  const message = client.messages().next();
  await push(second.url, ["user_1"], { text: "again" });
  assert.deepEqual((await message).value?.data, { text: "again" });
});

test("a client that the backend disconnects stays away", async (t) => {
  const { url } = await startServer(t);
  const client = make(t, url);
  await client.connect();
  const closed = reach(client, "closed");
  const response = await fetch(`${url}/api/v1/accounts/user_1/disconnect`, { method: "POST", headers: { authorization: `Bearer ${apiToken()}` } });
  assert.equal(response.status, 202);
  const { reason } = await closed;
  assert.deepEqual([reason?.code, reason?.closeCode], ["stopped", 4010]);
});

test("an application that is disabled sends its clients away for good", async (t) => {
  const { url, file, server } = await startServer(t);
  const client = make(t, url);
  await client.connect();
  const closed = reach(client, "closed");
  await writeFile(file, configFile({ applications: [{ ...APPLICATIONS[0], enabled: false }] }));
  await server.reload();
  assert.equal((await closed).reason?.closeCode, 4003);
});

test("a frame larger than the server takes costs the connection once: it is not sent again", async (t) => {
  const { url } = await startServer(t);
  const client = make(t, url, { maxFrameBytes: 1_000_000 });
  const reader = client.messages();
  await client.connect();
  const lost = reach(client, "disconnected");
  await client.send("user_1", { text: "x".repeat(100_000) });
  assert.equal((await lost).reason?.closeCode, 1009);
  await reach(client, "connected");
  await client.send("user_1", { text: "small" });
  assert.deepEqual((await reader.next()).value?.data, { text: "small" });
});

test("the default limit of a frame is the server's: the largest frame that send() takes arrives", async (t) => {
  const { url } = await startServer(t);
  const client = make(t, url);
  const reader = client.messages();
  await client.connect();
  const text = "x".repeat(65_536 - JSON.stringify({ to: "user_1", data: { text: "" } }).length);
  await client.send("user_1", { text });
  assert.deepEqual((await reader.next()).value?.data, { text });
  await assert.rejects(client.send("user_1", { text: `${text}x` }), { code: "message_too_big" });
  assert.equal(client.state, "connected");
});

test("a queue of messages written while connecting arrives whole and in order", async (t) => {
  const { url } = await startServer(t);
  const client = make(t, url);
  const reader = client.messages();
  void client.connect();
  await Promise.all(Array.from({ length: 32 }, (_, n) => client.send("user_1", { n })));
  for (let n = 0; n < 32; n++) assert.equal((await reader.next()).value?.data["n"], n);
});
