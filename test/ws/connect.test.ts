// Connecting: who gets in, who does not, and what they are told.
import assert from "node:assert/strict";
import { test } from "node:test";
import jwt from "jsonwebtoken";
import { apiToken, connect, connectUrl, push, refused } from "../helpers/client.ts";
import { APPLICATIONS, SECRET, startServer } from "../helpers/server.ts";

test("each refusal has its status, its code, a sentence and its metric", async (t) => {
  const server = await startServer(t, {
    applications: [
      ...APPLICATIONS,
      { app_key: "closed", app_secret: SECRET, enabled: false },
      { app_key: "picky", app_secret: SECRET, allowed_origins: ["https://app.example"], require_exp: true },
    ],
  });
  const { url } = server;
  const cases = [
    { url: connectUrl(url, { token: "x" }), status: 401, error: 1000, app: "test", reason: "bad_token" },
    { url: connectUrl(url, { token: jwt.sign({ sub: "u", exp: 2 }, SECRET) }), status: 401, error: 1000, app: "test", reason: "expired_token" },
    { url: connectUrl(url, { app: "nobody" }), status: 404, error: 1001, app: "other", reason: "unknown_app" },
    { url: connectUrl(url, { app: "closed" }), status: 403, error: 1006, app: "closed", reason: "app_disabled" },
    { url: connectUrl(url, { app: "picky" }), headers: { origin: "https://evil.example" }, status: 403, error: 1004, app: "picky", reason: "bad_origin" },
    { url: connectUrl(url).replace("/ws/connect", "/ws/other"), status: 404, error: 404, app: "other", reason: "not_found" },
    { url: `${url.replace("http", "ws")}/ws/connect?token=x`, status: 400, error: 400, app: "other", reason: "bad_request" },
  ];
  for (const { url: target, headers, status, error, app, reason } of cases) {
    const refusal = await refused(target, headers);
    assert.equal(refusal.status, status, reason);
    assert.equal(refusal.body.error, error, reason);
    assert.ok(refusal.body.message.length > 5);
    assert.match(String(refusal.headers["content-type"]), /^application\/json/);
    assert.equal(await server.metric("xlvein_connect_rejected_total", { app, reason }), 1, reason);
  }
});

test("origins are compared exactly; clients that send none are not browsers and get in", async (t) => {
  const { url } = await startServer(t, {
    applications: [{ app_key: "test", app_secret: SECRET, allowed_origins: ["https://app.example", "http://localhost:3000"] }],
  });
  for (const origin of ["https://app.example.evil", "http://app.example", "https://app.example:8443", "null", "http://localhost"])
    assert.equal((await refused(connectUrl(url), { origin })).status, 403, origin);
  for (const headers of [{ origin: "https://app.example" }, { origin: "http://localhost:3000" }, {}]) await connect(t, url, { headers });
});

test("quotas of the account, the application and the node are counted, told apart and given back", async (t) => {
  const limits = { max_connections: 3, max_connections_per_account: 2 };
  const { url } = await startServer(t, {
    config: { limits: { connections: 5 } },
    applications: [
      { app_key: "test", app_secret: SECRET, limits },
      { app_key: "wide", app_secret: SECRET },
    ],
  });
  const first = await connect(t, url, { account: "a" });
  await connect(t, url, { account: "a" });
  assert.deepEqual(await outcome(connectUrl(url, { account: "a" })), [429, 1009]);
  await connect(t, url, { account: "b" });
  assert.deepEqual(await outcome(connectUrl(url, { account: "c" })), [429, 1009]);
  await connect(t, url, { app: "wide", account: "a" });
  await connect(t, url, { app: "wide", account: "a" });
  assert.deepEqual(await outcome(connectUrl(url, { app: "wide", account: "a" })), [503, 1009]);
  first.socket.close();
  await first.closed;
  await connect(t, url, { account: "c" });
});

async function outcome(url: string): Promise<[number, number]> {
  const { status, body, headers } = await refused(url);
  assert.ok(Number(headers["retry-after"]) >= 1, "a client learns when to come back");
  return [status, body.error];
}

test("200 handshakes at once never exceed the quota", async (t) => {
  const server = await startServer(t, { applications: [{ app_key: "test", app_secret: SECRET, limits: { max_connections: 50 } }] });
  const results = await Promise.allSettled(Array.from({ length: 200 }, (_, i) => connect(t, server.url, { account: `u${i}` })));
  assert.equal(results.filter(({ status }) => status === "fulfilled").length, 50);
  assert.equal(await server.metric("xlvein_connections", { app: "test" }), 50);
});

test("a connection lists with its device, and can be closed alone or with the others of its account", async (t) => {
  const { url } = await startServer(t);
  const [phone, laptop] = [await connect(t, url, { query: { device_id: "phone" } }), await connect(t, url)];
  const headers = { authorization: `Bearer ${apiToken()}`, "content-type": "application/json" };
  const list = async () =>
    ((await (await fetch(`${url}/api/v1/accounts/user_1/connections`, { headers })).json()) as { connections: { connection_id: string; device_id?: string }[] })
      .connections;
  const [first, second] = await list();
  assert.equal(first?.device_id, "phone");
  assert.equal(second?.device_id, undefined);
  const order = (body: object) => fetch(`${url}/api/v1/accounts/user_1/disconnect`, { method: "POST", headers, body: JSON.stringify(body) });
  assert.equal((await order({ connection_id: first?.connection_id })).status, 202);
  assert.equal((await phone.closed).code, 4010);
  assert.deepEqual(
    (await list()).map(({ connection_id }) => connection_id),
    [second?.connection_id],
  );
  assert.equal((await order({})).status, 202);
  assert.equal((await laptop.closed).code, 4010);
  assert.deepEqual(await list(), []);
});

test("a frame that comes with the handshake is not lost", async (t) => {
  const { url } = await startServer(t);
  const receiver = await connect(t, url, { account: "receiver" });
  const early = await connect(t, url, { account: "early" });
  early.send({ to: "receiver", data: { n: 1 } });
  assert.deepEqual((await receiver.next()).data, { n: 1 });
});

test("a token's exp closes a live classic socket only where the application says so", async (t) => {
  const { url } = await startServer(t, {
    applications: [{ app_key: "strict", app_secret: SECRET, close_on_expiry: true }, APPLICATIONS[0] as Record<string, unknown>],
  });
  const token = jwt.sign({ sub: "user_1" }, SECRET, { expiresIn: 1 });
  const [strict, lax] = await Promise.all([connect(t, url, { app: "strict", token }), connect(t, url, { token })]);
  assert.equal((await strict.closed).code, 4202);
  assert.equal((await push(url, ["user_1"], { still: true })).status, 200);
  assert.deepEqual((await lax.next()).data, { still: true });
});
