// Pushing one message: the request on the wire, the answer, and what is refused before anything is sent.
import assert from "node:assert/strict";
import { test } from "node:test";
import jwt from "jsonwebtoken";
import { type Push, VERSION, XlveinApiError, XlveinConflictError } from "../../sdk-node/src/index.ts";
import { ACCEPTED, createClient, problem, SECRET, startScript } from "./scripted-server.ts";

test("a push is one POST with the accounts, the data, a key and a bearer token", async (t) => {
  const server = await startScript(t, [ACCEPTED]);
  const { client } = createClient(server.url);
  const result = await client.push({ accounts: ["user_1", "用户_2"], data: { text: "你好", at: new Date(0) }, idempotencyKey: "order-42" });
  assert.deepEqual(result, { msgId: "m-1", duplicate: false });
  const [request] = server.received;
  assert.equal(request?.method, "POST");
  assert.equal(request.path, "/api/v1/messages");
  assert.equal(request.headers["content-type"], "application/json");
  assert.equal(request.headers["user-agent"], `xlvein-node/${VERSION}`);
  assert.deepEqual(JSON.parse(request.text), {
    accounts: ["user_1", "用户_2"],
    idempotency_key: "order-42",
    data: { text: "你好", at: "1970-01-01T00:00:00.000Z" },
  });
});

test("the answer's streams tell where the message stands, account by account", async (t) => {
  const streams = [
    { account: "b", epoch: "one", offset: 7 },
    { account: "a", epoch: "two", offset: 1 },
  ];
  const server = await startScript(t, [{ body: { msg_id: "m-1", duplicate: false, streams } }]);
  const { client } = createClient(server.url);
  assert.deepEqual(await client.push({ accounts: ["b", "a"], data: {} }), { msgId: "m-1", duplicate: false, streams });
});

test("a push goes to accounts, rooms and everyone, with its key, the connection left out and the trace", async (t) => {
  const streams = [
    { account: "a", epoch: "one", offset: 7 },
    { room: "r", epoch: "two", offset: 1 },
    { epoch: "three", offset: 2 },
  ];
  const server = await startScript(t, [{ body: { msg_id: "m-1", duplicate: false, streams } }]);
  const { client } = createClient(server.url);
  const message = { account: "a", rooms: ["r"], everyone: true, data: { n: 1 }, key: "price", exclude: "c-1", trace: "00-1-2-01" } as const;
  assert.deepEqual((await client.push({ ...message, idempotencyKey: "k" })).streams, streams);
  const { account, ...rest } = message;
  assert.deepEqual(JSON.parse(server.received[0]?.text ?? ""), { ...rest, accounts: [account], idempotency_key: "k" });
});

test("broadcast is a push to everyone", async (t) => {
  const server = await startScript(t, () => ACCEPTED);
  const { client } = createClient(server.url);
  await client.broadcast({ text: "hello" });
  await client.broadcast({ text: "hello" }, { idempotencyKey: "k", key: "notice", trace: "t", exclude: "c-1" });
  const [first, second] = server.received.map(({ path, text }) => ({ path, ...(JSON.parse(text) as { idempotency_key: string }) }));
  const { idempotency_key: made, ...rest } = first ?? assert.fail();
  assert.match(made, /^[0-9a-f-]{36}$/);
  assert.deepEqual(rest, { path: "/api/v1/messages", everyone: true, data: { text: "hello" } });
  assert.deepEqual(second, { ...rest, key: "notice", trace: "t", exclude: "c-1", idempotency_key: "k" });
  await assert.rejects(client.broadcast([]), /^TypeError: broadcast: data must be an object/);
});

test("an answer whose streams are none is not taken for this server's", async (t) => {
  for (const streams of [null, {}, [null], [{ account: "a", epoch: "e", offset: "1" }], [{ room: 7, epoch: "e", offset: 1 }]]) {
    const server = await startScript(t, [{ body: { msg_id: "m-1", duplicate: false, streams } }]);
    const { client } = createClient(server.url);
    await assert.rejects(client.push({ account: "a", data: {} }), XlveinApiError);
  }
});

test("a push under a path prefix goes there", async (t) => {
  const server = await startScript(t, [ACCEPTED]);
  const { client } = createClient(`${server.url.replace("http", "ws")}/push/`);
  await client.push({ account: "user_1", data: {} });
  assert.equal(server.received[0]?.path, "/push/api/v1/messages");
});

test("a push without a key gets one of its own", async (t) => {
  const server = await startScript(t, () => ACCEPTED);
  const { client } = createClient(server.url);
  await client.push({ account: "user_1", data: {} });
  await client.push({ account: "user_1", data: {} });
  const keys = server.received.map(({ text }) => (JSON.parse(text) as { idempotency_key: string }).idempotency_key);
  assert.match(keys[0] ?? "", /^[0-9a-f-]{36}$/);
  assert.notEqual(keys[0], keys[1]);
});

test("the API token proves the application, lasts at most 5 minutes, is kept, and renewed before it ends", async (t) => {
  const server = await startScript(t, () => ACCEPTED);
  let nowMs = 1_700_000_000_000;
  const { client } = createClient(server.url, { now: () => nowMs });
  const pushAt = async (ms: number): Promise<jwt.JwtPayload & { token: string }> => {
    nowMs = ms;
    await client.push({ account: "user_1", data: {} });
    const token = server.received.at(-1)?.headers.authorization?.replace(/^Bearer /, "") ?? "";
    const payload = jwt.verify(token, SECRET, { algorithms: ["HS256"], audience: "xlvein-api", issuer: "test", clockTimestamp: ms / 1000 }) as jwt.JwtPayload;
    assert.ok((payload.exp ?? 0) - ms / 1000 <= 300, "exp is at most 5 minutes ahead");
    assert.ok((payload.exp ?? 0) - ms / 1000 >= 60, "exp leaves time for the request");
    return { ...payload, token };
  };
  const first = await pushAt(nowMs);
  assert.match(first.jti ?? "", /^[0-9a-f-]{36}$/);
  assert.equal(first.sub, undefined, "it is no connect token");
  assert.equal((await pushAt(nowMs + 179_000)).token, first.token);
  const second = await pushAt(nowMs + 2_000);
  assert.notEqual(second.jti, first.jti);
  const earlier = await pushAt(nowMs - 3_600_000);
  assert.notEqual(earlier.jti, second.jti, "a clock set back gets a token of its time");
});

test("a refusal is an error with everything the server said", async (t) => {
  const errors = [{ field: "body.accounts", message: "must NOT have more than 1000 items" }];
  const server = await startScript(t, [problem(400, 400, { errors })]);
  const { client } = createClient(server.url);
  await assert.rejects(client.push({ account: "user_1", data: {} }), (error: unknown) => {
    assert.ok(error instanceof XlveinApiError);
    assert.equal(error.name, "XlveinApiError");
    assert.equal(error.message, "push: a sentence (code 400, HTTP 400, request req-1)");
    assert.deepEqual([error.code, error.status, error.requestId, error.retryable], [400, 400, "req-1", false]);
    assert.deepEqual(error.errors, errors);
    assert.match(error.remediation, /names? each field/);
    return true;
  });
});

test("a key used for another message is a conflict, and duplicate tells of one used for this", async (t) => {
  const server = await startScript(t, [problem(409, 1005), { body: { msg_id: "m-0", duplicate: true } }]);
  const { client } = createClient(server.url);
  await assert.rejects(client.push({ account: "user_1", data: {}, idempotencyKey: "k" }), XlveinConflictError);
  assert.deepEqual(await client.push({ account: "user_1", data: {}, idempotencyKey: "k" }), { msgId: "m-0", duplicate: true });
});

const loop: Record<string, unknown> = {};
loop.self = loop;

for (const [what, push, message] of [
  ["nothing", undefined, /^push: pass an object like/],
  ["an account alone", "user_1", /^push: pass an object like/],
  ["no receiver", { data: {} }, /^push: give account, accounts, rooms or everyone/],
  ["both account and accounts", { account: "a", accounts: ["b"], data: {} }, /^push: give either account or accounts/],
  ["an empty account", { account: "", data: {} }, /^push: account must be a non-empty string/],
  ["no accounts", { accounts: [], data: {} }, /^push: accounts must be an array of at least one/],
  ["accounts as text", { accounts: "user_1", data: {} }, /^push: accounts must be an array/],
  ["a numeric account in the list", { accounts: ["a", 7], data: {} }, /^push: accounts\[1\] must be a non-empty string/],
  ["no rooms", { rooms: [], data: {} }, /^push: rooms must be an array of at least one room/],
  ["an empty room", { account: "a", rooms: ["r", ""], data: {} }, /^push: rooms\[1\] must be a non-empty string/],
  ["a pattern of rooms", { rooms: ["chat:*"], data: {} }, /^push: rooms\[0\] must not hold a \*/],
  ["a room of 257 characters", { rooms: ["x".repeat(257)], data: {} }, /^push: rooms\[0\] must have at most 256 characters, got 257/],
  ["not everyone", { everyone: false, data: {} }, /^push: everyone must be true, or left out/],
  ["an empty conflation key", { account: "a", data: {}, key: "" }, /^push: key must be a non-empty string/],
  ["a numeric connection to leave out", { account: "a", data: {}, exclude: 7 }, /^push: exclude must be a non-empty string/],
  ["an empty trace", { account: "a", data: {}, trace: "" }, /^push: trace must be a non-empty string/],
  ["no data", { account: "a" }, /^push: data must be an object/],
  ["data as text", { account: "a", data: "hello" }, /^push: data must be an object/],
  ["data as a list", { account: "a", data: [1] }, /^push: data must be an object/],
  ["null data", { account: "a", data: null }, /^push: data must be an object/],
  ["data that JSON makes a text", { account: "a", data: new Date(0) }, /^push: data must be an object/],
  ["data with a bigint", { account: "a", data: { n: 1n } }, /^push: data cannot be written as JSON/],
  ["data that contains itself", { account: "a", data: loop }, /^push: data cannot be written as JSON/],
  ["an empty key", { account: "a", data: {}, idempotencyKey: "" }, /^push: idempotencyKey must be a non-empty string/],
  ["a time-out of none", { account: "a", data: {}, timeoutMs: 0 }, /^push: timeoutMs must be 1 to/],
] as const)
  test(`a push with ${what} is refused before it is sent`, async () => {
    const { client } = createClient("http://127.0.0.1:1", { fetch: () => Promise.reject(new Error("must not be called")) });
    await assert.rejects(client.push(push as unknown as Push), (error: unknown) => {
      assert.ok(error instanceof TypeError || error instanceof RangeError);
      assert.match(error.message, message);
      return true;
    });
  });
