// The handshake of the full protocol: what is selected, what hello says, and how each client that may not connect is told.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { test } from "node:test";
import jwt from "jsonwebtoken";
import { type Client, connect, connectUrl, push, refused, tokenFor } from "../helpers/client.ts";
import { APPLICATIONS, SECRET, startServer, type TestServer } from "../helpers/server.ts";
import { connectV2, openV2, V2, type V2Options } from "../helpers/v2-client.ts";

const MORE = [
  ...APPLICATIONS,
  { app_key: "closed", app_secret: SECRET, enabled: false },
  { app_key: "picky", app_secret: SECRET, allowed_origins: ["https://app.example"], require_exp: true },
  { app_key: "small", app_secret: SECRET, limits: { max_connections: 2, max_connections_per_account: 1, max_message_bytes: 2_000 } },
];

test("hello is the first frame, and tells the connection about itself", async (t) => {
  const { url } = await startServer(t, { applications: MORE });
  const before = Date.now();
  const exp = Math.floor(before / 1_000) + 600;
  const { socket, hello } = await connectV2(t, url, {
    app: "small",
    token: jwt.sign({ sub: "ünï", exp, can: ["history", "nonsense"] }, SECRET),
    query: { device_id: "phone-1" },
  });
  assert.equal(socket.protocol, V2);
  const { connection_id, time, streams, ...rest } = hello as Record<string, unknown> & { streams: Record<string, { position: { offset: number } }> };
  assert.match(String(connection_id), /^[0-9a-f-]{36}$/);
  assert.ok(Math.abs(Number(time) - before) < 5_000);
  assert.deepEqual([streams["account"]?.position.offset, streams["app"]?.position.offset], [0, 0]);
  assert.deepEqual(rest, {
    op: "hello",
    account: "ünï",
    device_id: "phone-1",
    server_version: "0.0.0-test",
    ping_ms: 25_000,
    max_frame_bytes: 2_000,
    recoverable: true,
    expires_at: exp * 1_000,
    rights: ["history"],
    rooms: [],
  });
});

test("without a store that keeps streams hello says so, and a position is answered with it", async (t) => {
  const { url } = await startServer(t, { config: { store: { type: "none" } } });
  const { hello } = await connectV2(t, url, { query: { account_position: "e:1:m" } });
  assert.equal(hello["recoverable"], false);
  assert.deepEqual(hello["streams"], { account: { recovered: false, reason: "store_unavailable" }, app: {} });
});

test("the token may stand in the query, and the subprotocols in any order; the token is never selected", async (t) => {
  const { url } = await startServer(t);
  const token = tokenFor("user_1");
  for (const options of [
    { offer: [V2], query: { token } },
    { offer: [`xlvein.token.${token}`, V2] },
    { offer: ["soap", "xlvein.v3.json", V2, `xlvein.token.${token}`] },
  ] as V2Options[]) {
    const { socket, hello } = await connectV2(t, url, options);
    assert.deepEqual([socket.protocol, hello["account"]], [V2, "user_1"]);
  }
});

test("a client that offers other subprotocols only gets classic frames and none of them selected", async (t) => {
  const { url } = await startServer(t);
  const client = await openV2(t, url, { offer: [], query: { token: tokenFor("user_1") } });
  assert.equal(client.socket.protocol, "");
  assert.equal((await push(url, ["user_1"], { n: 1 })).status, 200);
  assert.deepEqual(Object.keys(await client.next()), ["to", "event", "data", "msg_id", "send_at"]);
});

interface Refusal {
  readonly why: string;
  readonly options: V2Options;
  readonly code: number;
  readonly reason: string;
  /** The labels of `xlvein_connect_rejected_total`. */
  readonly labels: readonly [app: string, reason: string];
}

const long = "x".repeat(5_000);
const REFUSALS: readonly Refusal[] = [
  { why: "no app_id", options: { app: "" }, code: 4000, reason: "query.app_id: the application's key is missing", labels: ["other", "bad_request"] },
  {
    why: "a device_id that is too long",
    options: { query: { device_id: "d".repeat(129) } },
    code: 4000,
    reason: "query.device_id: must have 1 to 128 characters",
    labels: ["test", "bad_request"],
  },
  {
    why: "a position that is none",
    options: { query: { account_position: "7" } },
    code: 4000,
    reason: "query.account_position: must be epoch:offset:msg_id",
    labels: ["test", "bad_request"],
  },
  { why: "an unknown application", options: { app: "nobody" }, code: 4001, reason: "no application has this key", labels: ["other", "unknown_app"] },
  { why: "a disabled application", options: { app: "closed" }, code: 4003, reason: "the application is disabled", labels: ["closed", "app_disabled"] },
  {
    why: "another version only",
    options: { offer: ["xlvein.v3.json", `xlvein.token.${tokenFor("u")}`] },
    code: 4005,
    reason: "this server speaks xlvein.v2.json",
    labels: ["test", "protocol_unsupported"],
  },
  { why: "no token", options: { offer: [V2] }, code: 4007, reason: "query.token: the token is missing", labels: ["test", "bad_token"] },
  {
    why: "a token of another secret",
    options: { token: tokenFor("u", "wrong") },
    code: 4007,
    reason: "token: the signature does not match, or the algorithm is not HS256",
    labels: ["test", "bad_token"],
  },
  {
    why: "an expired token",
    options: { token: jwt.sign({ sub: "u", exp: 2 }, SECRET) },
    code: 4007,
    reason: "token: exp has passed",
    labels: ["test", "expired_token"],
  },
  {
    why: "a token that is too long",
    options: { offer: [V2], query: { token: long } },
    code: 4007,
    reason: "token: longer than 4096 bytes",
    labels: ["test", "bad_token"],
  },
  {
    why: "an origin that is not allowed",
    options: { app: "picky", headers: { origin: "https://evil.example" } },
    code: 4009,
    reason: "the origin is not in allowed_origins",
    labels: ["picky", "bad_origin"],
  },
];

test("who may not connect is upgraded, told why by the close code, and registered nowhere", async (t) => {
  const server = await startServer(t, { applications: MORE });
  const seen = new Map<string, number>();
  for (const { why, options, code, reason, labels } of REFUSALS) {
    await t.test(why, async () => {
      const client = await openV2(t, server.url, options);
      assert.deepEqual(await client.closed, { code, reason });
      assert.deepEqual(client.frames, [], "nothing comes before the close");
      const key = labels.join();
      seen.set(key, (seen.get(key) ?? 0) + 1);
      const [app, label] = labels;
      assert.equal(await server.metric("xlvein_connect_rejected_total", { app, reason: label }), seen.get(key));
    });
  }
  for (const app of ["test", "closed", "picky", "small"]) assert.equal(await server.metric("xlvein_connections", { app }), 0);
  assert.equal(await server.metric("xlvein_connections_opened_total", { app: "test" }), 0);
});

test("a refused client is told which version is spoken by the one it has offered", async (t) => {
  const { url } = await startServer(t);
  const client = await openV2(t, url, { offer: ["soap", "xlvein.v7.json", "xlvein.v8.json"] });
  assert.equal(client.socket.protocol, "xlvein.v7.json");
  assert.equal((await client.closed).code, 4005);
});

test("quotas of the account, the application and the node are told apart", async (t) => {
  const { url } = await startServer(t, { applications: MORE, config: { limits: { connections: 3 } } });
  const outcome = async (options: V2Options) => (await (await openV2(t, url, options)).closed).code;
  const first = await connectV2(t, url, { app: "small", account: "a" });
  assert.equal(await outcome({ app: "small", account: "a" }), 4101);
  await connectV2(t, url, { app: "small", account: "b" });
  assert.equal(await outcome({ app: "small", account: "c" }), 4101);
  await connectV2(t, url, { account: "c" });
  assert.equal(await outcome({ account: "d" }), 4100);
  first.socket.close();
  await first.closed;
  await connectV2(t, url, { app: "small", account: "a" });
});

test("what is not WebSocket, or names a token where it must not, is an HTTP status", async (t) => {
  const { url } = await startServer(t);
  const token = tokenFor("user_1");
  const bare = `${url.replace("http", "ws")}/ws/connect?app_id=test`;
  const offers = (...names: string[]) => ({ "sec-websocket-protocol": names.join(", ") });
  for (const [why, target, headers, status, error] of [
    ["another path", connectUrl(url).replace("/ws/connect", "/ws"), offers(V2), 404, 404],
    ["a parameter twice", `${connectUrl(url)}&app_id=test`, offers(V2), 400, 400],
    ["a position twice", `${connectUrl(url)}&app_position=e:0:&app_position=e:0:`, offers(V2), 400, 400],
    ["a token without the version", bare, offers(`xlvein.token.${token}`), 400, 400],
    ["two tokens", bare, offers(V2, `xlvein.token.${token}`, "xlvein.token.other"), 400, 400],
    ["the same token twice", bare, offers(V2, `xlvein.token.${token}`, `xlvein.token.${token}`), 400, 400],
    ["a token both ways", connectUrl(url), offers(V2, `xlvein.token.${token}`), 400, 400],
    ["names that are none", connectUrl(url), offers(V2, "a b"), 400, 400],
  ] as const) {
    const refusal = await refused(target, headers);
    assert.deepEqual([refusal.status, refusal.body.error], [status, error], why);
    assert.ok(!JSON.stringify(refusal).includes(token.slice(0, 30)), "no answer repeats the token");
  }
});

test("a draining server answers 503 to every client", async (t) => {
  const server = await startServer(t, { config: { drain: { window_seconds: 1 } } });
  const stays = [await connectV2(t, server.url), await connectV2(t, server.url)];
  const drained = server.server.drain();
  const refusal = await refused(connectUrl(server.url), { "sec-websocket-protocol": V2 });
  assert.deepEqual([refusal.status, refusal.body.error], [503, 1009]);
  assert.ok(Number(refusal.headers["retry-after"]) >= 1);
  for (const { socket } of stays) socket.terminate();
  await drained;
});

/** Connects with raw bytes, so that the peer decides what it answers. */
async function rawUpgrade(server: TestServer, t: { after(end: () => void): void }) {
  const socket = connectTcp(Number(new URL(server.url).port), "127.0.0.1");
  t.after(() => socket.destroy());
  socket.on("error", () => {});
  socket.write(
    "GET /ws/connect?app_id=nobody&token=x HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
      `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: ${V2}\r\n\r\n`,
  );
  const [chunk] = (await once(socket, "data")) as [Buffer];
  assert.match(chunk.toString("latin1"), /^HTTP\/1\.1 101 /);
  return socket;
}

test("a refused client counts as unauthenticated until it has gone, and is cut when it does not go", async (t) => {
  const server = await startServer(t);
  const socket = await rawUpgrade(server, t);
  assert.equal(await server.metric("xlvein_unauthenticated_sockets"), 1);
  assert.equal(await server.metric("xlvein_connections", { app: "test" }), 0);
  const started = Date.now();
  socket.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x7b, 0x7d]));
  await once(socket, "close");
  assert.ok(Date.now() - started < 5_000);
  while ((await server.metric("xlvein_unauthenticated_sockets")) > 0) await new Promise(setImmediate);
});

test("classic and full clients of one account each get the frames of their own protocol", async (t) => {
  const { url } = await startServer(t);
  const full = await connectV2(t, url, { account: "both" });
  const classic: Client = await connect(t, url, { account: "both" });
  const sent = (await (await push(url, ["both"], { n: 1 })).json()) as { msg_id: string; streams: [{ epoch: string; offset: number }] };
  const [{ epoch, offset }] = sent.streams;
  const frame = await full.next();
  assert.deepEqual(frame, { to: "both", event: 0, data: { n: 1 }, msg_id: sent.msg_id, send_at: frame["send_at"], epoch, offset });
  const { epoch: _epoch, offset: _offset, ...rest } = frame;
  assert.deepEqual(await classic.next(), rest);
});

test("no log line holds a token, wherever it stood, or the header that carried it", async (t) => {
  const server = await startServer(t, { applications: MORE });
  const token = tokenFor("user_1");
  await connectV2(t, server.url, { token });
  await (await openV2(t, server.url, { app: "nobody", token })).closed;
  await (await openV2(t, server.url, { token: `${token}x` })).closed;
  await refused(`${server.url.replace("http", "ws")}/ws/connect?app_id=test`, { "sec-websocket-protocol": `xlvein.token.${token}` });
  const log = server.logs.join("\n");
  assert.ok(log.includes("connect refused"));
  assert.ok(!log.includes(token.slice(-30)) && !log.includes("xlvein.token") && !/sec-websocket-protocol/i.test(log));
});
