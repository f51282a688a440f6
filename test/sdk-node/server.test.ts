// The SDK and a real server together: what is pushed arrives, and every refusal has its class.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { WebSocket } from "ws";
import {
  createXlvein,
  ErrorCode,
  type History,
  type HistoryOptions,
  type Xlvein,
  XlveinApiError,
  XlveinAuthenticationError,
  XlveinConflictError,
  type XlveinOptions,
  XlveinRateLimitError,
} from "../../sdk-node/src/index.ts";
import { connect } from "../helpers/client.ts";
import { SECRET, startServer } from "../helpers/server.ts";
import { connectV2 } from "../helpers/v2-client.ts";

function create(url: string, options: Partial<XlveinOptions> = {}): Xlvein {
  return createXlvein({ url, appKey: "test", appSecret: SECRET, ...options });
}

test("a push arrives at every device of the accounts, once and unchanged", async (t) => {
  const { url } = await startServer(t);
  const clients = [
    await connect(t, url, { account: "user_1" }),
    await connect(t, url, { account: "user_1" }),
    await connect(t, url, { account: "用户 & 😀" }),
    await connect(t, url, { account: "user_3" }),
  ];
  const xlvein = create(url);
  const data = { text: "你好 & = 😀", deep: { list: [1, null, true] } };
  const { msgId, duplicate, streams } = await xlvein.push({ accounts: ["user_1", "用户 & 😀"], data, idempotencyKey: "once" });
  assert.equal(duplicate, false);
  assert.deepEqual(
    streams?.map(({ account, offset }) => [account, offset]),
    [
      ["user_1", 1],
      ["用户 & 😀", 1],
    ],
  );
  assert.deepEqual(await xlvein.push({ accounts: ["user_1", "用户 & 😀"], data, idempotencyKey: "once" }), { msgId, duplicate: true, streams });
  await xlvein.push({ accounts: ["user_1", "用户 & 😀", "user_3"], data: { last: true } });
  for (const client of clients.slice(0, 3)) {
    const frame = await client.next();
    assert.deepEqual([frame.data, frame.msg_id, frame.event], [data, msgId, 0]);
    assert.deepEqual((await client.next()).data, { last: true });
  }
  assert.deepEqual((await clients[3]?.next())?.data, { last: true });
});

test("a client connects with the URL and with the token made for it", async (t) => {
  const { url } = await startServer(t);
  const xlvein = create(url);
  const socket = new WebSocket(xlvein.connectUrl("user_1", { deviceId: "phone 1", expiresInSeconds: 30, claims: { iss: "shop" } }));
  t.after(() => socket.terminate());
  await once(socket, "open");
  const other = await connect(t, url, { token: xlvein.token("user_1") });
  const connections = await xlvein.connections("user_1");
  assert.deepEqual(
    connections.map(({ protocol, deviceId }) => [protocol, deviceId]),
    [
      ["classic", "phone 1"],
      ["classic", undefined],
    ],
  );
  assert.ok(Math.abs(Date.now() - (connections[0]?.connectedAt ?? 0)) < 60_000, "connectedAt is in milliseconds");
  const closed = once(socket, "close");
  await xlvein.disconnect("user_1", { connectionId: connections[0]?.connectionId });
  assert.equal((await closed)[0], 4010);
  assert.equal((await xlvein.connections("user_1")).length, 1);
  await xlvein.disconnect("user_1");
  assert.equal((await other.closed).code, 4010);
  assert.deepEqual(await xlvein.connections("user_1"), []);
});

test("accounts of any spelling can be listed and disconnected", async (t) => {
  const { url } = await startServer(t);
  const xlvein = create(url);
  for (const account of ["a/b", "a?b#c", "用户 & 😀", "%2e%2e", "a b+c"]) {
    const client = await connect(t, url, { account });
    assert.equal((await xlvein.connections(account)).length, 1, account);
    await xlvein.disconnect(account);
    assert.equal((await client.closed).code, 4010, account);
  }
});

test("what is published to a room reaches those whom the backend or their token has let in, until they are removed", async (t) => {
  const { url } = await startServer(t);
  const xlvein = create(url);
  const room = "房间 & 😀/1";
  const added = await connect(t, url, { account: "added" });
  const named = await connect(t, url, { token: xlvein.token("named", { rooms: [room] }) });
  const outside = await connect(t, url, { account: "outside" });
  await xlvein.rooms.add(room, ["added", "absent"]);
  const { msgId, streams } = await xlvein.rooms.publish(room, { n: 1 });
  assert.deepEqual(
    streams?.map((stream) => [stream.room, stream.offset]),
    [[room, 1]],
  );
  for (const client of [added, named]) {
    const { to, event, data, msg_id, conversation_id } = await client.next();
    assert.deepEqual([to, event, data, msg_id, conversation_id], [room, 2, { n: 1 }, msgId, room]);
  }
  assert.deepEqual(await xlvein.rooms.membersPage(room, { limit: 1 }), { members: ["absent"], next: "absent" });
  const members: string[] = [];
  for await (const account of xlvein.rooms.members(room, { limit: 1 })) members.push(account);
  assert.deepEqual(members, ["absent", "added"]);
  assert.deepEqual(await xlvein.accountRooms("added"), [room]);
  await xlvein.rooms.remove(room, "added");
  assert.deepEqual(await xlvein.accountRooms("added"), []);
  await xlvein.rooms.publish(room, { n: 2 });
  await xlvein.broadcast({ last: true });
  assert.deepEqual((await named.next()).data, { n: 2 });
  for (const client of [added, named, outside]) assert.deepEqual((await client.next()).data, { last: true });
});

test("a room token opens one room to one account; a v2 client is listed as such, and left out where it is excluded", async (t) => {
  const { url } = await startServer(t);
  const xlvein = create(url);
  const client = await connectV2(t, url, { token: xlvein.token("user_1", { can: ["history"] }) });
  assert.deepEqual(client.hello.rights, ["history"]);
  assert.equal((await client.request({ op: "sub", room: "auction:42" })).code, ErrorCode.NOT_IN_ROOM);
  assert.equal((await client.request({ op: "sub", room: "auction:42", token: xlvein.roomToken("user_2", "auction:42") })).op, "error");
  assert.equal((await client.request({ op: "sub", room: "auction:42", token: xlvein.roomToken("user_1", "auction:42") })).op, "reply");
  const [connection] = await xlvein.connections("user_1");
  assert.deepEqual([connection?.protocol, connection?.connectionId], ["v2", client.hello.connection_id]);
  await xlvein.rooms.publish("auction:42", { n: 1 }, { exclude: connection?.connectionId });
  await xlvein.rooms.publish("auction:42", { n: 2 }, { key: "bid", trace: "t" });
  const { data, room, key, trace } = await client.next();
  assert.deepEqual([data, room, key, trace], [{ n: 2 }, "auction:42", "bid", "t"]);
});

test("gathered pushes arrive in order, each with its own answer", async (t) => {
  const { url } = await startServer(t);
  const client = await connect(t, url);
  const xlvein = create(url, { batch: {} });
  const results = await Promise.all(Array.from({ length: 250 }, (_, n) => xlvein.push({ account: "user_1", data: { n } })));
  for (const [n, { msgId, duplicate }] of results.entries()) {
    const frame = await client.next();
    assert.deepEqual([frame.data.n, frame.msg_id, duplicate], [n, msgId, false]);
  }
});

test("a stream is read back page by page, in both directions", async (t) => {
  const { url } = await startServer(t);
  const xlvein = create(url);
  for (let n = 1; n <= 5; n++) await xlvein.push({ account: "user_1", rooms: ["r"], data: { n }, ...(n === 5 && { key: "k", trace: "t" }) });
  for (const read of [(options?: HistoryOptions) => xlvein.history("user_1", options), (options?: HistoryOptions) => xlvein.rooms.history("r", options)]) {
    const numbers = ({ messages, more }: History) => [messages.map(({ data }) => data.n), more];
    const newest = await read({ limit: 2 });
    assert.deepEqual(numbers(newest), [[4, 5], true]);
    assert.deepEqual([newest.position.offset, newest.position.msgId], [5, newest.messages[1]?.msgId]);
    assert.deepEqual([newest.messages[1]?.key, newest.messages[1]?.trace], ["k", "t"]);
    assert.deepEqual(numbers(await read({ before: 4 })), [[1, 2, 3], false]);
    const first = await read({ after: { epoch: newest.position.epoch, offset: 0 }, limit: 3 });
    assert.deepEqual(numbers(first), [[1, 2, 3], true]);
    assert.deepEqual(numbers(await read({ after: first.messages[2] })), [[4, 5], false]);
    assert.deepEqual(numbers(await read({ after: newest.position })), [[], false]);
    await assert.rejects(read({ after: { epoch: "another", offset: 1 } }), (error: unknown) => {
      assert.ok(error instanceof XlveinApiError);
      assert.deepEqual([error.code, error.status], [ErrorCode.POSITION_LOST, 410]);
      return true;
    });
  }
  assert.deepEqual((await xlvein.history("nobody")).messages, []);
});

test("without a store there is no history, and nobody is added to a room", async (t) => {
  const { url } = await startServer(t, { config: { store: { type: "none" } } });
  const xlvein = create(url, { retries: 0 });
  assert.equal((await xlvein.rooms.publish("r", {})).streams, undefined);
  for (const call of [() => xlvein.history("user_1"), () => xlvein.rooms.history("r"), () => xlvein.rooms.add("r", "user_1")]) {
    await assert.rejects(call(), (error: unknown) => {
      assert.ok(error instanceof XlveinApiError);
      assert.deepEqual([error.code, error.status], [ErrorCode.STORE_UNAVAILABLE, 503]);
      return true;
    });
  }
});

test("1,200 messages arrive in order through two requests", async (t) => {
  const { url } = await startServer(t);
  const client = await connect(t, url);
  const results = await create(url).pushMany(Array.from({ length: 1_200 }, (_, n) => ({ account: "user_1", data: { n } })));
  assert.equal(results.length, 1_200);
  for (const [n, { msgId, duplicate, error }] of results.entries()) {
    const frame = await client.next();
    assert.deepEqual([frame.data.n, frame.msg_id, duplicate, error], [n, msgId, false, undefined]);
  }
});

test("one bad message of many has its own error and stops no other", async (t) => {
  const { url } = await startServer(t);
  const client = await connect(t, url);
  const tooLarge = { text: "x".repeat(70_000) };
  const results = await create(url).pushMany([
    { account: "user_1", data: { n: 1 } },
    { account: "user_1", data: tooLarge },
    { account: "user_1", data: { n: 3 } },
  ]);
  assert.deepEqual((await client.next()).data, { n: 1 });
  assert.deepEqual((await client.next()).data, { n: 3 });
  const error = results[1]?.error;
  assert.ok(error instanceof XlveinApiError);
  assert.deepEqual([error.code, error.retryable], [ErrorCode.PAYLOAD_TOO_LARGE, false]);
  assert.deepEqual([results[0]?.error, results[2]?.error], [undefined, undefined]);
});

test("large messages are split so that the server takes each request", async (t) => {
  const { url } = await startServer(t);
  const results = await create(url).pushMany(Array.from({ length: 40 }, (_, n) => ({ account: "user_1", data: { n, text: "x".repeat(60_000) } })));
  assert.ok(results.every(({ error }) => error === undefined));
});

test("the classic push arrives", async (t) => {
  const { url } = await startServer(t);
  const client = await connect(t, url);
  const xlvein = create(url);
  await xlvein.classicPush({ account: "user_1", data: { text: "你好 & = 😀" } });
  assert.deepEqual((await client.next()).data, { text: "你好 & = 😀" });
  await assert.rejects(create(url, { appSecret: "wrong" }).classicPush({ account: "user_1", data: {} }), (error: unknown) => {
    assert.ok(error instanceof XlveinAuthenticationError);
    assert.equal(error.code, ErrorCode.SIGN_INVALID);
    return true;
  });
});

const MESSAGE = { account: "user_1", data: { text: "hello" } };
const refusals: [string, Partial<XlveinOptions>, typeof XlveinApiError, ErrorCode][] = [
  ["a wrong secret", { appSecret: "wrong" }, XlveinAuthenticationError, ErrorCode.TOKEN_INVALID],
  ["an unknown application", { appKey: "nobody" }, XlveinAuthenticationError, ErrorCode.APP_NOT_FOUND],
  ["a disabled application", { appKey: "off" }, XlveinAuthenticationError, ErrorCode.APP_DISABLED],
  ["an application that takes no bearer token", { appKey: "signed" }, XlveinAuthenticationError, ErrorCode.NOT_AUTHORISED],
  ["a clock an hour slow", { now: () => Date.now() - 3_600_000 }, XlveinAuthenticationError, ErrorCode.TOKEN_INVALID],
  ["a wrong path", { url: "/nowhere" }, XlveinApiError, ErrorCode.NOT_FOUND],
];

test("each refusal of a real server has its class, code, request id and remedy", async (t) => {
  const { url } = await startServer(t, {
    applications: [
      { app_key: "test", app_secret: SECRET },
      { app_key: "off", app_secret: SECRET, enabled: false },
      { app_key: "signed", app_secret: SECRET, push_auth: ["sign"] },
    ],
  });
  for (const [what, options, Class, code] of refusals) {
    await t.test(what, async () => {
      const xlvein = create(url, { ...options, ...(options.url !== undefined && { url: url + options.url }) });
      const error = await xlvein.push(MESSAGE).catch((reason: unknown) => reason);
      assert.ok(error instanceof XlveinApiError);
      assert.equal(error.constructor, Class);
      assert.deepEqual([error.code, error.retryable], [code, false]);
      assert.match(error.requestId ?? "", /^[0-9a-f-]{36}$/);
      assert.match(error.remediation, /^[A-Z].+\.$/);
    });
  }
  const xlvein = create(url);
  await xlvein.push({ ...MESSAGE, idempotencyKey: "k" });
  await assert.rejects(xlvein.push({ account: "user_2", data: {}, idempotencyKey: "k" }), XlveinConflictError);
  await assert.rejects(xlvein.push({ accounts: ["user_1", "user_1"], data: {} }), (error: unknown) => {
    assert.ok(error instanceof XlveinApiError);
    assert.equal(error.code, ErrorCode.BAD_REQUEST);
    assert.match(error.errors[0]?.field ?? "", /accounts/);
    return true;
  });
});

test("a used-up rate limit is an error of its own, with the time to wait", async (t) => {
  const { url } = await startServer(t, { applications: [{ app_key: "test", app_secret: SECRET, limits: { pushes_per_second: 1 } }] });
  const xlvein = create(url, { retries: 0 });
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => xlvein.push(MESSAGE)));
  const refused = outcomes.filter((outcome) => outcome.status === "rejected").map(({ reason }) => reason as unknown);
  assert.ok(refused.length > 0 && refused.length < 20);
  for (const error of refused) {
    assert.ok(error instanceof XlveinRateLimitError);
    assert.deepEqual([error.code, error.status, error.retryable], [ErrorCode.RATE_LIMITED, 429, true]);
    assert.ok((error.retryAfterMs ?? 0) > 0);
  }
});
