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
    [["connect_failed", 4007]],
  );
});

test("an application or an origin that the server does not know stops the client, and it is told why", async (t) => {
  const { url } = await startServer(t, { applications: [{ ...APPLICATIONS[0], allowed_origins: ["https://other.example"] }] });
  await assert.rejects(make(t, url, { appKey: "nobody" }).connect(), { code: "stopped", closeCode: 4001 });
  const Socket = class extends PackageWebSocket {
    constructor(address: string, protocols?: string[]) {
      super(address, protocols, { headers: { origin: "https://evil.example" } });
    }
  };
  await assert.rejects(make(t, url, { WebSocket: Socket as never }).connect(), { code: "stopped", closeCode: 4009 });
});

test("a token that is not renewed closes the live connection with 4202, and a fresh one opens the next", { timeout: 30_000 }, async (t) => {
  const { url } = await startServer(t);
  const reasons: string[] = [];
  const client = make(t, url, {
    // Its renewal fails: it hands out the token that is about to expire until the server has had enough.
    getToken: ({ reason }) => {
      reasons.push(reason);
      if (reasons.length > 1 && client.state === "connected") throw new Error("the backend is away");
      return jwt.sign({ sub: "user_1" }, SECRET, { expiresIn: reasons.length > 1 ? 3600 : 1 });
    },
  });
  const lost = reach(client, "disconnected");
  await client.connect();
  assert.equal((await lost).reason?.closeCode, 4202);
  await reach(client, "connected");
  assert.equal(reasons.at(-1), "expired");
});

/** A `ws` class whose sockets can be cut, or that keeps to itself what `swallow` names. */
function cuttable(swallow: (text: string) => boolean = () => false) {
  const sockets: PackageWebSocket[] = [];
  return {
    cut: () => sockets.at(-1)?.terminate(),
    WebSocket: class extends PackageWebSocket {
      constructor(address: string, protocols?: string[]) {
        super(address, protocols);
        sockets.push(this);
      }
      override emit(event: string, ...args: never[]): boolean {
        if (event === "message" && swallow(String(args[0]))) {
          this.terminate();
          return true;
        }
        return super.emit(event, ...args);
      }
    } as never,
  };
}

test("a send whose acknowledgement is lost with the connection is sent again, and delivered once", async (t) => {
  const { url } = await startServer(t);
  let lost = 0;
  const { WebSocket } = cuttable((text) => text.includes('"duplicate"') && lost++ === 0);
  const one = make(t, url, { WebSocket });
  const two = make(t, url, { token: tokenFor("user_2") });
  await Promise.all([one.connect(), two.connect()]);
  const reader = two.messages();
  const ack = await one.send("user_2", { n: 1 });
  assert.deepEqual([lost, ack.duplicate, ack.offset], [2, true, 1]);
  await one.send("user_2", { n: 2 });
  const seen = [(await reader.next()).value, (await reader.next()).value];
  assert.deepEqual(
    seen.map((message) => [message?.data["n"], message?.offset]),
    [
      [1, 1],
      [2, 2],
    ],
  );
  assert.equal(seen[0]?.msgId, ack.msgId);
});

test("through cut after cut, account and room arrive complete and in order", { timeout: 60_000 }, async (t) => {
  const { url } = await startServer(t);
  const { WebSocket, cut } = cuttable();
  const client = make(t, url, { WebSocket, token: tokenFor("user_1", SECRET, { rooms: ["r"] }) });
  const sender = make(t, url, { token: tokenFor("user_2", SECRET, { rooms: ["r"] }) });
  await Promise.all([client.connect(), sender.connect(), client.room("r").subscribe(), sender.room("r").subscribe()]);
  const [account, room] = [[] as unknown[], [] as unknown[]];
  const gaps: unknown[] = [];
  client.on("gap", (gap) => gaps.push(gap));
  const complete = new Promise<void>((resolve) => {
    client.on("message", ({ room: from, data }) => {
      (from ? room : account).push(data["n"]);
      if (account.length + room.length === 400) resolve();
    });
  });
  const expected = Array.from({ length: 200 }, (_, n) => n);
  for (const n of expected) {
    await Promise.all([sender.send("user_1", { n }), sender.room("r").send({ n })]);
    if (n % 20 === 10) cut();
  }
  await complete;
  assert.deepEqual(account, expected);
  assert.deepEqual(room, expected);
  assert.deepEqual(gaps, []);
});

test("a draining server sends the client away with a hint, and the client is back when the server is", async (t) => {
  const first = await startServer(t);
  const client = make(t, first.url);
  const reader = client.messages();
  await client.connect();
  const lost = reach(client, "disconnected");
  await first.server.drain();
  assert.equal((await lost).reason?.closeCode, 4200);
  await first.server.close();
  const waiting = client.send("user_1", { text: "written while away" });
  const back = reach(client, "connected");
  const gap = new Promise((resolve) => client.on("gap", ({ reason }) => resolve(reason)));
  await startServer(t, { config: { host: first.url.replace("http://", "") } });
  await back;
  assert.equal((await waiting).duplicate, false);
  assert.deepEqual((await reader.next()).value?.data, { text: "written while away" });
  assert.equal(await gap, "epoch_changed", "its memory went with the first server");
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

test("a frame larger than the server takes is refused before it is sent, also where the option allows more", async (t) => {
  const { url } = await startServer(t);
  const client = make(t, url, { maxFrameBytes: 1_000_000 });
  const reader = client.messages();
  await client.connect();
  await assert.rejects(client.send("user_1", { text: "x".repeat(100_000) }), { code: "message_too_big" });
  assert.equal(client.state, "connected");
  await client.send("user_1", { text: "small" });
  assert.deepEqual((await reader.next()).value?.data, { text: "small" });
});

test("the default limit of a frame is the server's: the largest frame that send() takes arrives", async (t) => {
  const { url } = await startServer(t);
  const client = make(t, url);
  const reader = client.messages();
  await client.connect();
  let text = "x".repeat(65_536);
  // The key and the id of a send have no fixed length.
  for (let sent = false; !sent; ) {
    sent = await client.send("user_1", { text }).then(
      () => true,
      ({ code }) => {
        assert.equal(code, "message_too_big");
        return false;
      },
    );
    if (!sent) text = text.slice(1);
  }
  assert.ok(text.length > 65_000);
  assert.deepEqual((await reader.next()).value?.data, { text });
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
