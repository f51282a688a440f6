// Rooms: subscribing once and for all, positions, tokens, refusals, and what the server says of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { MembershipEvent } from "../../sdk-browser/src/index.ts";
import { fakeClient, frame, settle } from "./doubles.ts";

const position = (offset: number) => ({ position: { epoch: "r", offset, msg_id: offset ? `r${offset}` : "" } });
const inRoom = (offset: number, room = "r") => frame({ n: offset }, { to: undefined, room, event: 2, epoch: "r", offset, msg_id: `r${offset}` });
const subs = (socket: { ops(op: string): Record<string, unknown>[] }) => socket.ops("sub").map(({ room, position, token }) => ({ room, position, token }));

/** A client in the room `r`. */
async function inside(offset = 0) {
  const it = fakeClient();
  const room = it.client.room("r");
  await it.connected();
  const ready = room.subscribe();
  it.sockets.last.reply({ room: "r", ...position(offset) });
  await ready;
  return { ...it, room };
}

test("subscribe() resolves with the server's answer, and called again sends nothing", async () => {
  const { client, sockets, connected, closed } = fakeClient();
  await connected();
  const room = client.room("r");
  assert.equal(room, client.room("r"), "the same name is the same room");
  assert.deepEqual([room.name, room.subscribed], ["r", false]);
  assert.deepEqual(sockets.last.sent, [], "nothing happens before subscribe()");
  let done = 0;
  const ready = [room.subscribe(), room.subscribe()].map((promise) => promise.then(() => done++));
  await settle();
  assert.equal(done, 0);
  assert.deepEqual(subs(sockets.last), [{ room: "r", position: undefined, token: undefined }]);
  sockets.last.reply({ room: "r", ...position(0) });
  assert.equal(room.subscribed, true);
  await Promise.all(ready);
  await room.subscribe();
  assert.equal(sockets.last.sent.length, 1);
  await closed();
});

test("subscribe() before the connection waits for it", async () => {
  const { client, sockets, connected, errors, closed } = fakeClient();
  const ready = client.room("r").subscribe();
  await settle();
  await connected();
  assert.deepEqual(subs(sockets.last), [{ room: "r", position: undefined, token: undefined }]);
  sockets.last.reply({ room: "r", ...position(0) });
  await ready;
  assert.deepEqual(errors, []);
  await closed();
});

test("after every reconnect the room is subscribed again from where it was, without a word from the application", async () => {
  const { sockets, room, messages, gaps, reconnected, closed } = await inside(3);
  sockets.last.receive(inRoom(4));
  await reconnected();
  assert.equal(room.subscribed, false);
  assert.deepEqual(subs(sockets.last), [{ room: "r", position: { epoch: "r", offset: 4, msg_id: "r4" }, token: undefined }]);
  sockets.last.reply({ room: "r", ...position(6), recovered: true });
  for (const offset of [5, 6, 7]) sockets.last.receive(inRoom(offset));
  assert.deepEqual(
    messages.map(({ data }) => data["n"]),
    [4, 5, 6, 7],
  );
  await reconnected();
  sockets.last.reply({ room: "r", ...position(90), recovered: false, reason: "too_many" });
  assert.deepEqual(gaps, [{ room: "r", reason: "too_many", from: undefined, to: undefined }]);
  sockets.last.receive(inRoom(91));
  assert.equal(messages.length, 5);
  assert.equal(gaps.length, 1);
  await closed();
});

test("a connection that breaks before the answer leaves subscribe() pending, and the next one answers it", async () => {
  const { client, sockets, errors, connected, reconnected, closed } = fakeClient();
  await connected();
  const ready = client.room("r").subscribe();
  await reconnected();
  assert.equal(sockets.last.ops("sub").length, 1);
  sockets.last.reply({ room: "r", ...position(0) });
  await ready;
  assert.deepEqual(
    errors.map(({ code }) => code),
    ["connection_lost"],
  );
  await closed();
});

test("a room's events are its own: messages, gaps, membership, errors, and the client's state", async () => {
  const { client, sockets, room, closed } = await inside();
  void client.room("other").subscribe();
  sockets.last.reply({ room: "other", position: { epoch: "r", offset: 0, msg_id: "" } });
  const seen: unknown[] = [];
  room.on("message", ({ data }) => seen.push(data["n"]));
  room.on("gap", ({ reason }) => seen.push(reason));
  room.on("membership", ({ member }) => seen.push(member));
  room.on("error", ({ code }) => seen.push(code));
  const off = room.on("state", ({ state }) => seen.push(state));
  sockets.last.receive(inRoom(1));
  sockets.last.receive(inRoom(2, "other"));
  sockets.last.receive(frame({ n: 3 }));
  sockets.last.receive('{"op":"gap","room":"r","reason":"lost","epoch":"r","from":2,"to":3}');
  sockets.last.receive('{"op":"gap","room":"other","reason":"lost","epoch":"r","from":2,"to":3}');
  sockets.last.receive('{"op":"sub","room":"r"}');
  sockets.last.receive('{"op":"sub","room":"third"}');
  sockets.last.receive("not json");
  await closed();
  off();
  assert.deepEqual(seen, [1, "lost", true, "closed"]);
});

test("a room's messages() reads that room, and a room called like a stream is a room", async () => {
  const { client, sockets, connected, closed } = fakeClient();
  await connected();
  const room = client.room("account");
  void room.subscribe();
  sockets.last.reply({ room: "account", ...position(0) });
  const reader = room.messages();
  sockets.last.receive(frame({ n: 1 }));
  sockets.last.receive(inRoom(1, "account"));
  assert.equal((await reader.next()).value?.room, "account");
  await closed();
  assert.deepEqual(await reader.next(), { done: true, value: undefined });
  for await (const _ of room.messages()) assert.fail("the client is closed");
});

for (const code of [1011, 1013]) {
  test(`a refusal (${code}) rejects subscribe() and is an error event; it is not tried on the next connection`, async () => {
    const { client, sockets, errors, connected, reconnected, closed } = fakeClient();
    await connected();
    const room = client.room("secret");
    const refused = assert.rejects(room.subscribe(), { code: "refused", serverCode: code, room: "secret" });
    sockets.last.refuseOp(code);
    await refused;
    await settle();
    assert.deepEqual(
      errors.map(({ code, serverCode, room }) => [code, serverCode, room]),
      [["refused", code, "secret"]],
    );
    await reconnected();
    assert.deepEqual(subs(sockets.last), []);
    const again = room.subscribe();
    sockets.last.reply({ room: "secret", ...position(0) });
    await again;
    await closed();
  });
}

test("a subscription that the server cannot do now (1007) is tried again", async () => {
  const { client, sockets, clock, errors, connected, closed } = fakeClient();
  await connected();
  const ready = client.room("r").subscribe();
  sockets.last.refuseOp(1007, { retryable: true, retry_after_ms: 1_000 });
  await clock.advance(2_000);
  assert.equal(subs(sockets.last).length, 2);
  sockets.last.reply({ room: "r", ...position(0) });
  await ready;
  assert.deepEqual(errors, []);
  await closed();
});

test("unsubscribe() leaves for good: no messages, no subscription on the next connection, and a new one begins anew", async () => {
  const { client, sockets, room, messages, reconnected, closed } = await inside(3);
  const left = room.unsubscribe();
  assert.equal(room.subscribed, false);
  sockets.last.receive(inRoom(4));
  assert.deepEqual(messages, []);
  sockets.last.reply();
  await left;
  const again = room.unsubscribe();
  sockets.last.reply();
  await again;
  await reconnected();
  assert.deepEqual(subs(sockets.last), []);
  void client.room("r").subscribe();
  assert.deepEqual(subs(sockets.last), [{ room: "r", position: undefined, token: undefined }]);
  await closed();
  await room.unsubscribe();
});

test("unsubscribe() while subscribing rejects the subscription, and its late answer changes nothing", async () => {
  const { client, sockets, connected, closed } = fakeClient();
  await connected();
  const room = client.room("r");
  const refused = assert.rejects(room.subscribe(), { code: "not_subscribed" });
  const left = room.unsubscribe();
  const [sub, unsub] = sockets.last.ops();
  sockets.last.reply({ room: "r", ...position(0) }, sub);
  assert.equal(room.subscribed, false);
  sockets.last.reply({}, unsub);
  await Promise.all([refused, left]);
  await closed();
});

test("when the server ends a subscription the application is told, and the wish ends too", async () => {
  for (const reason of ["removed", "not_authorised", "token_expired"] as const) {
    const { client, sockets, room, reconnected, closed } = await inside();
    const seen: MembershipEvent[] = [];
    client.on("membership", (event) => seen.push(event));
    sockets.last.receive(JSON.stringify({ op: "unsub", room: "r", reason }));
    assert.deepEqual(seen, [{ room: "r", member: false, reason }]);
    assert.equal(room.subscribed, false);
    await reconnected();
    assert.deepEqual(subs(sockets.last), []);
    await closed();
  }
});

test("that the backend has let the account in is told, for rooms nobody has asked for as well", async () => {
  const { client, sockets, connected, closed } = fakeClient();
  await connected();
  const seen: MembershipEvent[] = [];
  client.on("membership", (event) => seen.push(event));
  sockets.last.receive('{"op":"sub","room":"new"}');
  assert.deepEqual(seen, [{ room: "new", member: true, reason: undefined }]);
  assert.deepEqual(sockets.last.sent, [], "whether to enter is the application's choice");
  await closed();
});

test("a room token is presented; a function is asked before each subscription, and again when its token expires", async () => {
  const { client, sockets, connected, reconnected, closed } = fakeClient();
  await connected();
  let asked = 0;
  const room = client.room("r", { token: async () => `room-${++asked}` });
  void client.room("fixed", { token: "f" }).subscribe();
  assert.deepEqual(subs(sockets.last), [{ room: "fixed", position: undefined, token: "f" }]);
  const ready = room.subscribe();
  await settle();
  assert.equal(subs(sockets.last).at(-1)?.token, "room-1");
  sockets.last.reply({ room: "r", ...position(5) });
  await ready;
  sockets.last.receive('{"op":"unsub","room":"r","reason":"token_expired"}');
  await settle();
  assert.deepEqual(subs(sockets.last).at(-1), { room: "r", position: { epoch: "r", offset: 5, msg_id: "r5" }, token: "room-2" });
  sockets.last.reply({ room: "r", ...position(5), recovered: true });
  assert.equal(room.subscribed, true);
  await reconnected();
  assert.equal(subs(sockets.last).find(({ room }) => room === "r")?.token, "room-3");
  await closed();
});

test("a room's token that cannot be had is announced and asked for again", async () => {
  const { client, sockets, clock, errors, connected, closed } = fakeClient();
  await connected();
  let asked = 0;
  const cause = new Error("backend");
  const ready = client
    .room("r", {
      token: () => {
        if (++asked < 3) throw cause;
        return "good";
      },
    })
    .subscribe();
  await clock.advance(10_000);
  assert.deepEqual(
    errors.map(({ code, room, cause }) => ({ code, room, cause })),
    Array(2).fill({ code: "token_failed", room: "r", cause }),
  );
  sockets.last.reply({ room: "r", ...position(0) });
  await ready;
  await closed();
  assert.equal(clock.pending, 0);
});

test("close() while a room's token is waited for leaves nothing; connect() goes on with the room", async () => {
  const { client, sockets, clock, connected, closed } = fakeClient();
  let healthy = false;
  await connected();
  const ready = client.room("r", { token: () => (healthy ? "t" : Promise.reject(new Error("no"))) }).subscribe();
  await settle();
  const failed = assert.rejects(ready, { code: "not_connected" });
  await closed();
  await failed;
  assert.equal(clock.pending, 0);
  healthy = true;
  await connected();
  await settle();
  assert.deepEqual(subs(sockets.last), [{ room: "r", position: undefined, token: "t" }]);
  await closed();
});

test("send() goes to the room; after a reconnect it follows the room's subscription", async () => {
  const { sockets, room, reconnected, closed } = await inside();
  const sent = room.send({ n: 1 }, { excludeSelf: true });
  const [{ id: _, idempotency_key, ...op } = {}] = sockets.last.ops("pub");
  assert.deepEqual(op, { op: "pub", room: "r", data: { n: 1 }, exclude_self: true });
  await reconnected();
  assert.deepEqual(
    sockets.last.ops().map(({ op }) => op),
    ["sub", "pub"],
  );
  const [sub, pub] = sockets.last.ops();
  assert.equal(pub?.["idempotency_key"], idempotency_key);
  sockets.last.reply({ room: "r", ...position(1), recovered: true }, sub);
  sockets.last.reply({ msg_id: "r1", duplicate: true, epoch: "r", offset: 1 }, pub);
  assert.deepEqual(await sent, { msgId: "r1", duplicate: true, epoch: "r", offset: 1 });
  await closed();
});

test("a send that reaches the server before the room's subscription is tried again; in a room nobody subscribed to it is refused at once", async () => {
  const { client, sockets, clock, connected, closed } = fakeClient();
  await connected();
  let give = (_: string) => {};
  const room = client.room("r", {
    token: () =>
      new Promise((resolve) => {
        give = resolve;
      }),
  });
  void room.subscribe();
  const sent = room.send({ n: 1 });
  sockets.last.refuseOp(1011);
  give("t");
  await settle();
  sockets.last.reply({ room: "r", ...position(0) });
  await clock.advance(1_000);
  assert.equal(sockets.last.ops("pub").length, 2);
  sockets.last.reply({ msg_id: "r1", duplicate: false });
  assert.equal((await sent).msgId, "r1");
  const refused = assert.rejects(client.room("other").send({}), { code: "refused", serverCode: 1011 });
  sockets.last.refuseOp(1011);
  await refused;
  await closed();
});

test("one's own message left out by excludeSelf is known when the room's past brings it", async () => {
  const { sockets, room, messages, reconnected, closed } = await inside();
  const sent = room.send({ n: 1 }, { excludeSelf: true });
  sockets.last.reply({ msg_id: "r1", duplicate: false, epoch: "r", offset: 1 });
  await sent;
  await reconnected();
  sockets.last.reply({ room: "r", ...position(2), recovered: true });
  for (const offset of [1, 2]) sockets.last.receive(inRoom(offset));
  assert.deepEqual(
    messages.map(({ data }) => data["n"]),
    [2],
  );
  await closed();
});

test("history() reads the room, and a dropped gap is made good there", async () => {
  const { sockets, room, messages, closed } = await inside();
  void room.history({ limit: 5 }).catch(() => {});
  assert.deepEqual(
    sockets.last.ops("history").map(({ room, limit, stream }) => [room, limit, stream]),
    [["r", 5, undefined]],
  );
  sockets.last.receive('{"op":"gap","room":"r","reason":"dropped","epoch":"r","from":1,"to":2}');
  const { room: name, after } = sockets.last.ops("history").at(-1) ?? {};
  assert.deepEqual([name, after], ["r", { epoch: "r", offset: 0 }]);
  sockets.last.reply({ messages: [1, 2].map((offset) => JSON.parse(inRoom(offset))), position: position(2).position, more: false });
  await settle();
  assert.equal(messages.length, 2);
  await closed();
});

for (const name of ["", undefined, 7]) {
  test(`a room called ${JSON.stringify(name)} cannot be sent to`, async () => {
    const { client, connected, closed } = fakeClient();
    await connected();
    await assert.rejects(client.room(name as string).send({}), { code: "bad_message", message: /^room: / });
    await closed();
  });
}

test("nobody has to catch what subscribe() rejects with", async () => {
  const uncaught: unknown[] = [];
  const listener = (error: unknown) => uncaught.push(error);
  process.on("unhandledRejection", listener);
  const { client, sockets, connected, closed } = fakeClient();
  await connected();
  void client.room("r").subscribe();
  sockets.last.refuseOp(1011);
  await settle();
  void client.room("s").subscribe();
  await closed();
  await settle();
  process.off("unhandledRejection", listener);
  assert.deepEqual(uncaught, []);
});
