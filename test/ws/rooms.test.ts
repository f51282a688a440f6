// Rooms over a real server: who gets in, who is told, who is sent what.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import jwt from "jsonwebtoken";
import { apiToken, type Client, connect, push } from "../helpers/client.ts";
import { SECRET, startServer } from "../helpers/server.ts";
import { connectV2, type RawFrame } from "../helpers/v2-client.ts";

const seconds = () => Math.floor(Date.now() / 1_000);

function roomToken(account: string, room: string, claims: object = {}, secret = SECRET): string {
  return jwt.sign({ aud: "xlvein-room", sub: account, room, exp: seconds() + 60, ...claims }, secret);
}

/** Adds accounts to a room as a backend, or removes them. */
async function members(url: string, room: string, accounts: string[], path = "members"): Promise<void> {
  const response = await fetch(`${url}/api/v1/rooms/${encodeURIComponent(room)}/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${apiToken()}` },
    body: JSON.stringify({ accounts }),
  });
  assert.equal(response.status, 204, await response.text());
}

const remove = (url: string, room: string, accounts: string[]) => members(url, room, accounts, "members/remove");

async function pushRoom(url: string, room: string, data: object): Promise<void> {
  const response = await fetch(`${url}/api/v1/messages`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${apiToken()}` },
    body: JSON.stringify({ rooms: [room], data }),
  });
  assert.equal(response.status, 200, await response.text());
}

/** A classic client has done all that it was asked once it has answered a ping. */
async function settled(client: Client): Promise<void> {
  client.socket.ping();
  await once(client.socket, "pong");
}

test("a token's names and patterns let in, and everything else is denied", async (t) => {
  const { url } = await startServer(t);
  const alice = await connectV2(t, url, { account: "alice", claims: { rooms: ["chat:1", "news:*", "a*b*c"] } });
  for (const room of ["chat:1", "news:", "news:sport", "abc", "a-b-c"]) assert.equal((await alice.request({ op: "sub", room }))["op"], "reply", room);
  for (const room of ["chat:2", "chat:11", "news", "NEWS:x", "ab", "secret"]) {
    const refused = await alice.request({ op: "sub", room });
    assert.deepEqual([refused["code"], refused["message"], refused["retryable"]], [1011, "the account may not enter this room", false], room);
  }
  const nobody = await connectV2(t, url, { account: "alice" });
  assert.equal((await nobody.request({ op: "sub", room: "chat:1" })).code, 1011, "another connection's token lets nobody in");
});

test("what is sent to a room reaches those who are in it, with the place in its stream, and nobody else", async (t) => {
  const { url } = await startServer(t);
  const claims = { rooms: ["*"] };
  const [alice, bob, eve] = [
    await connectV2(t, url, { account: "alice", claims }),
    await connectV2(t, url, { account: "bob", claims }),
    await connectV2(t, url, { account: "eve", claims }),
  ];
  const entered = await alice.request({ op: "sub", room: "r" });
  await bob.request({ op: "sub", room: "r" });
  const { epoch } = entered["position"] as { epoch: string };
  const sent = await alice.request({ op: "pub", room: "r", data: { n: 1 } });
  assert.deepEqual([sent["epoch"], sent["offset"]], [epoch, 1]);
  await pushRoom(url, "r", { n: 2 });
  for (const client of [alice, bob]) {
    const [first, second] = [await client.next(), await client.next()];
    assert.deepEqual(
      [first["from"], first["room"], first["event"], first["data"], first["msg_id"], first["epoch"], first["offset"], first["conversation_id"]],
      ["alice", "r", 2, { n: 1 }, sent["msg_id"], epoch, 1, "r"],
    );
    assert.deepEqual([second["from"], second["event"], second["data"], second["offset"]], [undefined, 2, { n: 2 }, 2]);
  }
  assert.equal((await eve.request({ op: "pub", room: "r", data: {} })).code, 1011, "who is not in it does not send there");
  assert.deepEqual(eve.frames, []);
});

test("who has left a room is sent nothing more from there", async (t) => {
  const { url } = await startServer(t);
  const alice = await connectV2(t, url, { claims: { rooms: ["r", "s"] } });
  for (const room of ["r", "s"]) await alice.request({ op: "sub", room });
  assert.deepEqual((await alice.request({ op: "unsub", room: "r" }))["op"], "reply");
  assert.deepEqual((await alice.request({ op: "unsub", room: "never" }))["op"], "reply");
  await pushRoom(url, "r", { n: 1 });
  await pushRoom(url, "s", { n: 2 });
  assert.deepEqual((await alice.next()).data, { n: 2 });
});

test("who comes back with its positions gets what it missed, in order and before what comes live; nothing is told twice", async (t) => {
  const { url } = await startServer(t);
  const claims = { rooms: ["r"] };
  const first = await connectV2(t, url, { account: "alice", claims });
  const { position } = (await first.request({ op: "sub", room: "r" })) as { position: { epoch: string } };
  await pushRoom(url, "r", { n: 1 });
  const { epoch, offset, msg_id } = await first.next();
  const own = (first.hello["streams"] as { account: { position: { epoch: string } } }).account.position;
  first.socket.terminate();
  for (const n of [2, 3, 4]) await pushRoom(url, "r", { n });
  await push(url, ["alice"], { own: 1 });

  const back = await connectV2(t, url, { account: "alice", claims, query: { account_position: `${own.epoch}:0:` } });
  assert.equal((back.hello["streams"] as { account: { recovered: boolean } }).account.recovered, true);
  assert.deepEqual((await back.next()).data, { own: 1 });
  const reply = await back.request({ op: "sub", room: "r", position: { epoch, offset, msg_id } });
  assert.deepEqual([reply["recovered"], (reply["position"] as { offset: number }).offset], [true, 4]);
  await pushRoom(url, "r", { n: 5 });
  for (const n of [2, 3, 4, 5]) assert.deepEqual((await back.next()).data, { n });
  const lost = await back.request({ op: "sub", room: "r", position: { epoch: `${position.epoch}x`, offset: 1, msg_id: "m" } });
  assert.deepEqual([lost["recovered"], lost.reason], [false, "epoch_changed"]);
  await pushRoom(url, "r", { n: 6 });
  assert.deepEqual((await back.next()).data, { n: 6 });
});

test("the backend lets an account in and out: its connections are told, and what it was in by that alone it leaves", async (t) => {
  const { url } = await startServer(t);
  const phone = await connectV2(t, url, { account: "alice" });
  const laptop = await connectV2(t, url, { account: "alice", claims: { rooms: ["chat:*"] } });
  await members(url, "chat:7", ["alice", "bob"]);
  for (const client of [phone, laptop]) {
    assert.deepEqual(await client.next(), { op: "sub", room: "chat:7" });
    assert.equal((await client.request({ op: "sub", room: "chat:7" }))["op"], "reply");
  }
  assert.deepEqual((await connectV2(t, url, { account: "alice" })).hello["rooms"], ["chat:7"]);
  await remove(url, "chat:7", ["alice"]);
  assert.deepEqual(await phone.next(), { op: "unsub", room: "chat:7", reason: "removed" });
  await pushRoom(url, "chat:7", { n: 1 });
  assert.deepEqual((await laptop.next()).data, { n: 1 }, "its token opens the room");
  assert.equal((await phone.request({ op: "sub", room: "chat:7" })).code, 1011);
  assert.deepEqual(phone.frames, []);
  assert.deepEqual((await connectV2(t, url, { account: "alice" })).hello["rooms"], []);
});

test("a room token lets one account into one room, and proves nothing else", async (t) => {
  const { url } = await startServer(t);
  const alice = await connectV2(t, url, { account: "alice" });
  const sub = (room: string, token: string) => alice.request({ op: "sub", room, token });
  for (const [why, room, token] of [
    ["of another account", "r", roomToken("bob", "r")],
    ["of another room", "s", roomToken("alice", "r")],
    ["expired", "r", roomToken("alice", "r", { exp: seconds() - 10 })],
    ["of another secret", "r", roomToken("alice", "r", {}, "wrong")],
    ["a connect token", "r", jwt.sign({ sub: "alice", room: "r", exp: seconds() + 60 }, SECRET)],
    ["not a token", "r", "nonsense"],
  ] as const) {
    const refused = await sub(room, token);
    assert.deepEqual([refused.op, refused.code], ["error", 1000], why);
  }
  assert.equal((await alice.request({ op: "sub", room: "r" })).code, 1011);
  assert.equal((await sub("r", roomToken("alice", "r")))["op"], "reply");
  await pushRoom(url, "r", { n: 1 });
  assert.deepEqual((await alice.next()).data, { n: 1 });
  await alice.request({ op: "unsub", room: "r" });
  assert.equal((await alice.request({ op: "sub", room: "r" })).code, 1011, "who has left shows its token again");
});

test("a room token's exp ends the stay, unless a newer one came", async (t) => {
  const { url } = await startServer(t);
  const alice = await connectV2(t, url, { account: "alice" });
  // Five seconds of leeway: this one has half a second left.
  const old = (room: string) => roomToken("alice", room, { exp: Date.now() / 1_000 - 4.5 });
  for (const room of ["short", "renewed"]) assert.equal((await alice.request({ op: "sub", room, token: old(room) }))["op"], "reply");
  assert.equal((await alice.request({ op: "sub", room: "renewed", token: roomToken("alice", "renewed") }))["op"], "reply");
  assert.deepEqual(await alice.next(), { op: "unsub", room: "short", reason: "token_expired" });
  await pushRoom(url, "short", { n: 1 });
  await pushRoom(url, "renewed", { n: 2 });
  assert.deepEqual((await alice.next()).data, { n: 2 });
  assert.equal((await alice.request({ op: "pub", room: "short", data: {} })).code, 1011);
});

test("refresh takes the place of rights, rooms and exp, and a bad token changes nothing", async (t) => {
  const { url } = await startServer(t);
  const alice = await connectV2(t, url, { account: "alice", claims: { rooms: ["a", "b"], can: ["publish"] } });
  for (const room of ["a", "b"]) await alice.request({ op: "sub", room });
  await alice.request({ op: "sub", room: "private", token: roomToken("alice", "private") });
  for (const [why, token] of [
    ["of another account", jwt.sign({ sub: "bob", exp: seconds() + 60 }, SECRET)],
    ["expired", jwt.sign({ sub: "alice", exp: seconds() - 60 }, SECRET)],
    ["a room token", roomToken("alice", "a")],
    ["an API token", apiToken()],
    ["not a token", "nonsense"],
  ] as const)
    assert.equal((await alice.request({ op: "refresh", token })).code, 1000, why);
  assert.equal((await alice.request({ op: "pub", room: "a", data: { n: 1 } }))["op"], "reply");
  assert.deepEqual((await alice.next()).data, { n: 1 });
  const exp = seconds() + 30;
  const reply = await alice.request({ op: "refresh", token: jwt.sign({ sub: "alice", exp, rooms: ["b", "c"], can: ["history"] }, SECRET) });
  assert.deepEqual([reply["expires_at"], reply["rights"]], [exp * 1_000, ["history"]]);
  assert.deepEqual(await alice.next(), { op: "unsub", room: "a", reason: "not_authorised" });
  assert.equal((await alice.request({ op: "pub", room: "b", data: {} })).code, 1004);
  assert.equal((await alice.request({ op: "sub", room: "c" }))["op"], "reply");
  assert.equal((await alice.request({ op: "sub", room: "a" })).code, 1011);
  for (const room of ["a", "b", "private"]) await pushRoom(url, room, { room });
  const got = [await alice.next(), await alice.next()].map(({ room }) => room);
  assert.deepEqual(new Set(got), new Set(["b", "private"]), "a room token outlives the token that it came beside");
});

test("a connection ends five seconds after its token, unless it was given a new one", async (t) => {
  const { url } = await startServer(t);
  const nearlyOver = () => jwt.sign({ sub: "alice", exp: Date.now() / 1_000 - 4.2 }, SECRET);
  const [ends, stays] = [await connectV2(t, url, { token: nearlyOver() }), await connectV2(t, url, { token: nearlyOver() })];
  const reply = await stays.request({ op: "refresh", token: jwt.sign({ sub: "alice" }, SECRET) });
  assert.deepEqual([reply["op"], reply["expires_at"]], ["reply", undefined]);
  assert.equal((await ends.closed).code, 4202);
  assert.equal((await stays.request({ op: "ping" }))["op"], "pong");
});

test("messages of one client arrive in its order, with and without keys, and a key seen again delivers nothing twice", async (t) => {
  const { url } = await startServer(t);
  const claims = { rooms: ["r"] };
  const [alice, bob] = [await connectV2(t, url, { account: "alice", claims }), await connectV2(t, url, { account: "bob", claims })];
  await bob.request({ op: "sub", room: "r" });
  await alice.request({ op: "sub", room: "r" });
  for (let n = 0; n < 100; n++)
    alice.send({ op: "pub", id: n, room: "r", data: { n }, exclude_self: true, ...(n % 3 === 0 ? { idempotency_key: `k${n}` } : {}) });
  for (let n = 0; n < 100; n++) assert.deepEqual((await bob.next()).data, { n });
  const answers: RawFrame[] = [];
  for (let n = 0; n < 100; n++) answers.push(await alice.next());
  assert.deepEqual(
    answers.map(({ id }) => id),
    Array.from({ length: 100 }, (_, n) => n),
  );
  assert.deepEqual(
    answers.map((answer) => answer["offset"]),
    Array.from({ length: 100 }, (_, n) => n + 1),
  );
  const again = await alice.request({ op: "pub", room: "r", data: { n: 3 }, idempotency_key: "k3" });
  assert.deepEqual([again["duplicate"], again["msg_id"], again["offset"]], [true, answers[3]?.["msg_id"], 4]);
  const other = await alice.request({ op: "pub", room: "r", data: { n: 4 }, idempotency_key: "k3" });
  assert.deepEqual([other.code, other["retryable"]], [1005, false]);
  const bobs = await bob.request({ op: "pub", room: "r", data: { n: 3 }, idempotency_key: "k3" });
  assert.equal(bobs["duplicate"], false, "another account's keys are its own");
  assert.equal((await bob.next())["from"], "bob");
});

test("history reads a room, the account and the application back, page by page, to those who are in them", async (t) => {
  const { url } = await startServer(t);
  const alice = await connectV2(t, url, { account: "alice", claims: { rooms: ["r"] } });
  assert.equal((await alice.request({ op: "history", room: "r" })).code, 1011);
  const { epoch } = (await alice.request({ op: "sub", room: "r" }))["position"] as { epoch: string };
  for (let n = 1; n <= 10; n++) await pushRoom(url, "r", { n });
  await push(url, ["alice"], { own: true });
  const read = async (op: object) => {
    const reply = await alice.request({ op: "history", ...op });
    const messages = reply["messages"] as RawFrame[];
    return [messages.map(({ data }) => data?.["n"]), reply["more"], (reply["position"] as { offset: number }).offset];
  };
  assert.deepEqual(await read({ room: "r", limit: 3 }), [[8, 9, 10], true, 10]);
  assert.deepEqual(await read({ room: "r", before: 8, limit: 3 }), [[5, 6, 7], true, 10]);
  assert.deepEqual(await read({ room: "r", before: 3 }), [[1, 2], false, 10]);
  assert.deepEqual(await read({ room: "r", after: { epoch, offset: 8 } }), [[9, 10], false, 10]);
  assert.deepEqual(await read({ room: "r", after: { epoch, offset: 3 }, limit: 2 }), [[4, 5], true, 10]);
  assert.deepEqual(await read({ room: "r", after: { epoch, offset: 10 } }), [[], false, 10]);
  assert.equal((await alice.request({ op: "history", room: "r", after: { epoch: "other", offset: 3 } })).code, 1012);
  const own = (await alice.request({ op: "history", stream: "account" }))["messages"] as RawFrame[];
  assert.deepEqual(
    own.map(({ data }) => data),
    [{ own: true }],
  );
  assert.deepEqual((await alice.request({ op: "history", stream: "app" }))["messages"], []);
});

test("a history of large messages is cut to what the outbox takes, and says that there is more", async (t) => {
  const { url } = await startServer(t, { config: { limits: { outbox_bytes: 131_072 } } });
  const alice = await connectV2(t, url, { account: "alice" });
  const text = "x".repeat(10_000);
  for (let n = 1; n <= 20; n++) {
    await push(url, ["alice"], { n, text });
    await alice.next();
  }
  const reply = await alice.request({ op: "history", stream: "account" });
  const offsets = (reply["messages"] as RawFrame[]).map((message) => message["offset"]);
  assert.equal(reply["more"], true);
  assert.ok(offsets.length >= 3 && offsets.length < 10, `${offsets.length} messages`);
  assert.equal(offsets.at(-1), 20);
});

test("a classic client is in the rooms that its token names in full and the backend added it to, and sends there with event 2", async (t) => {
  const server = await startServer(t);
  const { url } = server;
  await members(url, "given", ["alice"]);
  const classic = await connect(t, url, { account: "alice", token: jwt.sign({ sub: "alice", rooms: ["named", "wild:*"] }, SECRET) });
  const bob = await connectV2(t, url, { account: "bob", claims: { rooms: ["*"] } });
  for (const room of ["named", "given", "wild:1"]) await bob.request({ op: "sub", room });
  await settled(classic);
  for (const room of ["wild:1", "named", "given"]) await bob.request({ op: "pub", room, data: { room } });
  for (const room of ["named", "given"]) {
    const frame = await classic.next();
    assert.deepEqual([frame.from, frame.to, frame.event, frame.conversation_id, frame.data], ["bob", room, 2, room, { room }]);
    assert.deepEqual(Object.keys(frame), ["from", "to", "event", "data", "msg_id", "send_at", "conversation_id"]);
  }
  bob.frames.length = 0;
  classic.send({ to: "wild:1", event: 2, data: { n: 0 } });
  classic.send({ to: "named", event: 2, data: { n: 1 } });
  const message = await bob.find(({ from }) => from === "alice");
  assert.deepEqual([message.room, message.data], ["named", { n: 1 }]);
  assert.equal(await server.metric("xlvein_messages_dropped_total", { app: "test", reason: "not_in_room" }), 1);
  assert.deepEqual((await classic.next()).data, { n: 1 }, "it is in the room that it sends to");
});

test("a classic client enters and leaves as the backend says, at once", async (t) => {
  const { url } = await startServer(t);
  const classic = await connect(t, url, { account: "alice", token: jwt.sign({ sub: "alice", rooms: ["named"] }, SECRET) });
  await settled(classic);
  await members(url, "given", ["alice"]);
  await members(url, "named", ["alice"]);
  await pushRoom(url, "given", { n: 1 });
  assert.deepEqual((await classic.next()).data, { n: 1 });
  await remove(url, "given", ["alice"]);
  await remove(url, "named", ["alice"]);
  await pushRoom(url, "given", { n: 2 });
  await pushRoom(url, "named", { n: 3 });
  assert.deepEqual((await classic.next()).data, { n: 3 }, "its token names the room");
});

test("a classic client's rooms are bounded; those beyond are counted", async (t) => {
  const server = await startServer(t, { applications: [{ app_key: "test", app_secret: SECRET, limits: { max_rooms_per_connection: 2 } }] });
  const classic = await connect(t, server.url, { account: "alice", token: jwt.sign({ sub: "alice", rooms: ["a", "b", "c"] }, SECRET) });
  await settled(classic);
  for (const room of ["c", "a", "b"]) await pushRoom(server.url, room, { room });
  assert.deepEqual([(await classic.next()).data, (await classic.next()).data], [{ room: "a" }, { room: "b" }]);
  assert.ok((await server.metric("xlvein_rooms_not_entered_total", { app: "test", reason: "limit" })) >= 1);
});

test("rights bind classic clients: what they may not send is skipped and counted", async (t) => {
  const server = await startServer(t, {
    applications: [{ app_key: "test", app_secret: SECRET, client_rights: ["publish"], rooms: [{ prefix: "news:", publish: "nobody" }] }],
  });
  const token = jwt.sign({ sub: "alice", rooms: ["chat", "news:1"] }, SECRET);
  const [sender, receiver] = [await connect(t, server.url, { token }), await connect(t, server.url, { token })];
  await settled(sender);
  await settled(receiver);
  sender.send({ to: "alice", data: { n: 1 } });
  sender.send({ to: "news:1", event: 2, data: { n: 2 } });
  sender.send({ to: "chat", event: 2, data: { n: 3 } });
  assert.deepEqual((await receiver.next()).data, { n: 3 });
  assert.equal(await server.metric("xlvein_messages_dropped_total", { app: "test", reason: "not_authorised" }), 1);
  assert.equal(await server.metric("xlvein_messages_dropped_total", { app: "test", reason: "not_in_room" }), 1);
  const mute = await connect(t, server.url, { token: jwt.sign({ sub: "bob", rooms: ["chat"], can: ["direct"] }, SECRET) });
  await settled(mute);
  mute.send({ to: "chat", event: 2, data: { n: 4 } });
  mute.send({ to: "alice", data: { n: 5 } });
  assert.deepEqual((await receiver.next()).data, { n: 5 });
});

test("what is sent to everyone reaches every connection of the application once", async (t) => {
  const { url } = await startServer(t);
  const full = await connectV2(t, url, { account: "alice" });
  const classic = await connect(t, url, { account: "bob" });
  const other = await connectV2(t, url, { app: "test2", secret: `${SECRET}2` });
  const response = await fetch(`${url}/api/v1/messages`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${apiToken()}` },
    body: JSON.stringify({ everyone: true, data: { n: 1 } }),
  });
  assert.equal(response.status, 200);
  const frame = await full.next();
  assert.deepEqual([frame["to"], frame.room, frame["event"], frame.data, frame["offset"]], [undefined, undefined, 0, { n: 1 }, 1]);
  const seen = await classic.next();
  assert.deepEqual([seen.to, seen.event, seen.data, seen.conversation_id], ["bob", 0, { n: 1 }, undefined]);
  assert.equal((await other.request({ op: "ping" }))["op"], "pong");
  assert.deepEqual(other.frames, []);
});
