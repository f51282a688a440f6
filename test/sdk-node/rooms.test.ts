// Rooms: who may enter, page by page; what is sent there; how names travel.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrorCode, XlveinApiError } from "../../sdk-node/src/index.ts";
import { ACCEPTED, createClient, problem, type Received, startScript } from "./scripted-server.ts";

const DONE = { status: 204 };

function brief({ method, path, text }: Received): unknown[] {
  return [method, path, text === "" ? undefined : JSON.parse(text)];
}

test("accounts are added to a room and removed, one or several", async (t) => {
  const server = await startScript(t, () => DONE);
  const { rooms } = createClient(server.url).client;
  assert.equal(await rooms.add("chat:1", "user_1"), undefined);
  assert.equal(await rooms.add("chat:1", ["user_1", "用户_2", "user_1"]), undefined);
  assert.equal(await rooms.remove("chat:1", ["user_1"]), undefined);
  assert.deepEqual(server.received.map(brief), [
    ["POST", "/api/v1/rooms/chat%3A1/members", { accounts: ["user_1"] }],
    ["POST", "/api/v1/rooms/chat%3A1/members", { accounts: ["user_1", "用户_2"] }],
    ["POST", "/api/v1/rooms/chat%3A1/members/remove", { accounts: ["user_1"] }],
  ]);
});

test("more accounts than one request takes are several", async (t) => {
  const server = await startScript(t, () => DONE);
  const { rooms } = createClient(server.url).client;
  const accounts = Array.from({ length: 2_500 }, (_, n) => `user_${n}`);
  await rooms.add("chat:1", accounts);
  const sent = server.received.map(({ text }) => (JSON.parse(text) as { accounts: string[] }).accounts);
  assert.deepEqual(
    sent.map(({ length }) => length),
    [1_000, 1_000, 500],
  );
  assert.deepEqual(sent.flat(), accounts);
});

test("adding and removing are safe to repeat, and repeated", async (t) => {
  const server = await startScript(t, [problem(503, 1008), "cut", DONE, problem(503, 1007), DONE]);
  const { rooms } = createClient(server.url).client;
  await rooms.add("chat:1", "user_1");
  await rooms.remove("chat:1", "user_1");
  assert.equal(server.received.length, 5);
});

test("an account in too many rooms is told as such, and not tried again", async (t) => {
  const server = await startScript(t, [problem(429, 1013, { retryable: false })]);
  await assert.rejects(createClient(server.url).client.rooms.add("chat:1", "user_1"), (error: unknown) => {
    assert.ok(error instanceof XlveinApiError);
    assert.deepEqual([error.code, error.status, error.retryable], [ErrorCode.TOO_MANY_ROOMS, 429, false]);
    assert.equal(error.message, "rooms.add: a sentence (code 1013, HTTP 429, request req-1)");
    assert.match(error.remediation, /1,000 rooms/);
    return true;
  });
  assert.equal(server.received.length, 1);
});

test("all members are gone through, a request for each page", async (t) => {
  const server = await startScript(t, [{ body: { members: ["a", "b"], next: "b" } }, problem(503, 1008), { body: { members: ["用户 &"] } }]);
  const seen: string[] = [];
  for await (const account of createClient(server.url).client.rooms.members("chat:1", { limit: 2 })) seen.push(account);
  assert.deepEqual(seen, ["a", "b", "用户 &"]);
  assert.deepEqual(
    server.received.map(({ path }) => path),
    ["", "&cursor=b", "&cursor=b"].map((cursor) => `/api/v1/rooms/chat%3A1/members?limit=2${cursor}`),
  );
});

test("the pages after the one that was enough are not asked for", async (t) => {
  const server = await startScript(t, [{ body: { members: ["a", "b"], next: "b" } }]);
  for await (const account of createClient(server.url).client.rooms.members("chat:1")) if (account === "b") break;
  assert.equal(server.received.length, 1);
});

test("one page of members is answered with where the next begins", async (t) => {
  const server = await startScript(t, [{ body: { members: ["a"], next: "a" } }, { body: { members: [] } }]);
  const { rooms } = createClient(server.url).client;
  assert.deepEqual(await rooms.membersPage("chat:1", { limit: 1 }), { members: ["a"], next: "a" });
  assert.deepEqual(await rooms.membersPage("chat:1", { cursor: "a&b 用户" }), { members: [] });
  assert.deepEqual(new URL(`http://x${server.received[1]?.path}`).searchParams.get("cursor"), "a&b 用户");
});

test("the rooms of an account are listed", async (t) => {
  const server = await startScript(t, [{ body: { rooms: ["chat:1", "房间"] } }, { body: { rooms: [] } }]);
  const { client } = createClient(server.url);
  assert.deepEqual(await client.accountRooms("a/b"), ["chat:1", "房间"]);
  assert.deepEqual(await client.accountRooms("user_1"), []);
  assert.deepEqual(
    server.received.map(({ path }) => path),
    ["/api/v1/accounts/a%2Fb/rooms", "/api/v1/accounts/user_1/rooms"],
  );
});

test("a message is published to a room", async (t) => {
  const streams = [{ room: "chat:1", epoch: "e", offset: 3 }];
  const server = await startScript(t, [{ body: { msg_id: "m-1", duplicate: false, streams } }, ACCEPTED]);
  const { rooms } = createClient(server.url).client;
  assert.deepEqual(await rooms.publish("chat:1", { n: 1 }, { idempotencyKey: "k", key: "price", exclude: "c-1", trace: "t" }), {
    msgId: "m-1",
    duplicate: false,
    streams,
  });
  await rooms.publish("chat:1", { n: 2 });
  const [first, second] = server.received.map(brief);
  assert.deepEqual(first, ["POST", "/api/v1/messages", { rooms: ["chat:1"], data: { n: 1 }, idempotency_key: "k", key: "price", exclude: "c-1", trace: "t" }]);
  assert.deepEqual(Object.keys(second?.[2] as object).sort(), ["data", "idempotency_key", "rooms"]);
});

for (const body of [{}, { members: "a" }, { members: [1] }, { members: [], next: 1 }, [], "no json"]) {
  test(`${JSON.stringify(body)} is not taken for a page of members`, async (t) => {
    const server = await startScript(t, [{ body }]);
    await assert.rejects(createClient(server.url).client.rooms.membersPage("r"), /rooms\.membersPage: HTTP 200 with a body that is not xlvein's/);
  });
}

test("any room travels in a path and stays one segment", async (t) => {
  const server = await startScript(t, () => ({ body: { members: [] } }));
  const { rooms } = createClient(server.url).client;
  for (const room of ["a/b", "a?b#c", "房间 & 😀", "%2e", "..%2f", "$&", " ", "x".repeat(256)]) {
    await rooms.membersPage(room);
    const segment = server.received.at(-1)?.path.match(/^\/api\/v1\/rooms\/([^/?#]+)\/members$/)?.[1];
    assert.equal(decodeURIComponent(segment ?? ""), room);
  }
});

test("what is at fault is named before anything is sent", async (t) => {
  const server = await startScript(t, []);
  const { client } = createClient(server.url);
  const { rooms } = client;
  await assert.rejects(rooms.add("", "u"), /^TypeError: rooms\.add: room must be a non-empty string/);
  await assert.rejects(rooms.add("chat:*", "u"), /^TypeError: rooms\.add: room must not hold a \*/);
  await assert.rejects(rooms.add("x".repeat(257), "u"), /^RangeError: rooms\.add: room must have at most 256 characters/);
  await assert.rejects(rooms.add("..", "u"), /^TypeError: rooms\.add: the room "\.\." cannot stand in a URL/);
  await assert.rejects(rooms.add("\ud800", "u"), /^TypeError: rooms\.add: room holds half of a surrogate pair/);
  await assert.rejects(rooms.add("r", []), /^TypeError: rooms\.add: accounts must be an array of at least one account/);
  await assert.rejects(rooms.remove("r", ["a", ""]), /^TypeError: rooms\.remove: accounts\[1\] must be a non-empty string/);
  await assert.rejects(rooms.membersPage("r", { limit: 1_001 }), /^RangeError: rooms\.membersPage: limit must be 1 to 1000/);
  await assert.rejects(rooms.membersPage("r", { cursor: "" }), /^TypeError: rooms\.membersPage: cursor must be a non-empty string/);
  await assert.rejects(rooms.publish("chat:*", {}), /^TypeError: rooms\.publish: room must not hold a \*/);
  await assert.rejects(rooms.publish("r", []), /^TypeError: rooms\.publish: data must be an object/);
  await assert.rejects(client.accountRooms(""), /^TypeError: accountRooms: account must be a non-empty string/);
  assert.throws(() => rooms.members(""), /^TypeError: rooms\.members: room must be a non-empty string/);
  assert.throws(() => rooms.members("r", { limit: 0 }), /^RangeError: rooms\.members: limit must be 1 to 1000/);
  assert.equal(server.received.length, 0);
});
