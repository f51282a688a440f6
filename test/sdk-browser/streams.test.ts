// Streams: where the client is in each, what it drops as a repeat, what it recovers, what it makes good, and what it announces.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeClient, frame, settle } from "./doubles.ts";

const at = (offset: number, more: object = {}) => frame({ n: offset }, { epoch: "a", offset, msg_id: `a${offset}`, ...more });
const inApp = (offset: number) => at(offset, { to: undefined, epoch: "p", msg_id: `p${offset}` });
const position = (epoch: string, offset: number, msg_id = offset ? `${epoch}${offset}` : "") => ({ position: { epoch, offset, msg_id } });
const streams = (account: object, app: object = { ...position("p", 0), recovered: true }) => ({ streams: { account, app } });
const numbers = (messages: readonly { data: Record<string, unknown> }[]) => messages.map(({ data }) => data["n"]);
const query = (socket: { url: string }) => Object.fromEntries([...new URL(socket.url).searchParams].filter(([name]) => name.endsWith("position")));

test("the first connection gives no position; the next ones give where the client was in each stream", async () => {
  const { sockets, connected, reconnected, closed } = fakeClient();
  await connected(streams(position("a", 7), position("p", 0)));
  assert.deepEqual(query(sockets.last), {});
  await reconnected(streams({ ...position("a", 7), recovered: true }));
  assert.deepEqual(query(sockets.last), { account_position: "a:7:a7", app_position: "p:0:" });
  sockets.last.receive(at(8));
  sockets.last.receive(inApp(1));
  await reconnected(streams({ ...position("a", 8), recovered: true }));
  assert.deepEqual(query(sockets.last), { account_position: "a:8:a8", app_position: "p:1:p1" });
  await closed();
});

test("what was missed arrives in order before what is live, and the place moves with each message, not with the hello", async () => {
  const { sockets, messages, gaps, connected, reconnected, closed } = fakeClient();
  await connected();
  sockets.last.receive(at(1));
  await reconnected(streams({ ...position("a", 4), recovered: true }));
  for (const offset of [2, 3]) sockets.last.receive(at(offset));
  // The connection breaks in the middle of what was missed.
  await reconnected(streams({ ...position("a", 5), recovered: true }));
  assert.equal(query(sockets.last)["account_position"], "a:3:a3");
  for (const offset of [4, 5, 6]) sockets.last.receive(at(offset));
  assert.deepEqual(numbers(messages), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(gaps, []);
  await closed();
});

for (const reason of ["epoch_changed", "too_old", "too_many"] as const) {
  test(`recovered: false (${reason}) is a gap, and the client goes on from the server's position`, async () => {
    const { sockets, messages, gaps, connected, reconnected, closed } = fakeClient();
    await connected();
    sockets.last.receive(at(1));
    await reconnected(streams({ ...position("b", 40), recovered: false, reason }));
    assert.deepEqual(gaps, [{ stream: "account", reason, from: undefined, to: undefined }]);
    sockets.last.receive(at(41, { epoch: "b", msg_id: "b41" }));
    assert.deepEqual(numbers(messages), [1, 41]);
    assert.equal(gaps.length, 1);
    await reconnected(streams({ ...position("b", 41), recovered: true }));
    assert.equal(query(sockets.last)["account_position"], "b:41:b41");
    await closed();
  });
}

test("a store that does not answer is a gap once; the old position is kept for better times", async () => {
  const { sockets, gaps, connected, reconnected, closed } = fakeClient();
  await connected();
  sockets.last.receive(at(3));
  await reconnected(streams({ recovered: false, reason: "store_unavailable" }));
  assert.deepEqual(
    gaps.map(({ reason }) => reason),
    ["store_unavailable"],
  );
  await reconnected(streams({ ...position("a", 3), recovered: true }));
  assert.equal(query(sockets.last)["account_position"], "a:3:a3");
  assert.equal(gaps.length, 1);
  await closed();
});

test("where the server keeps no streams, messages have no place, no position is given, and coming back is announced as a gap", async () => {
  const { sockets, messages, gaps, connected, reconnected, closed } = fakeClient();
  const none = { recoverable: false, streams: { account: {}, app: {} } };
  await connected(none);
  sockets.last.receive(frame({ n: 1 }));
  await reconnected(none);
  sockets.last.receive(frame({ n: 2 }));
  assert.deepEqual(query(sockets.last), {});
  assert.deepEqual(numbers(messages), [1, 2]);
  assert.deepEqual(
    gaps.map(({ stream, reason }) => [stream, reason]),
    [
      ["account", "store_unavailable"],
      ["app", "store_unavailable"],
    ],
  );
  await closed();
});

test("a message that comes twice is dropped, wherever the second one stands", async () => {
  const { sockets, messages, gaps, connected, reconnected, closed } = fakeClient();
  await connected();
  for (const offset of [1, 2, 3, 2, 3, 1]) sockets.last.receive(at(offset));
  await reconnected(streams({ ...position("a", 3), recovered: true }));
  for (const offset of [3, 4]) sockets.last.receive(at(offset));
  sockets.last.receive(frame({ n: 9 }, { msg_id: "a4" }));
  assert.deepEqual(numbers(messages), [1, 2, 3, 4]);
  assert.deepEqual(gaps, []);
  await closed();
});

test("the last 256 messages of a stream are known", async () => {
  const { sockets, messages, gaps, connected, closed } = fakeClient();
  await connected();
  for (let offset = 1; offset <= 1_000; offset++) sockets.last.receive(at(offset));
  for (const offset of [745, 999]) sockets.last.receive(at(offset));
  assert.equal(messages.length, 1_000);
  assert.deepEqual(gaps, []);
  await closed();
});

test("an offset that is there again with another message is a lost position: announced, delivered, and taken as the new place", async () => {
  const { sockets, messages, gaps, connected, reconnected, closed } = fakeClient();
  await connected();
  for (const offset of [1, 2, 3]) sockets.last.receive(at(offset));
  sockets.last.receive(at(2, { msg_id: "other" }));
  sockets.last.receive(at(3, { msg_id: "next" }));
  assert.deepEqual(gaps, [{ stream: "account", reason: "lost", from: undefined, to: undefined }]);
  assert.deepEqual(numbers(messages), [1, 2, 3, 2, 3]);
  await reconnected(streams({ ...position("a", 3, "next"), recovered: true }));
  assert.equal(query(sockets.last)["account_position"], "a:3:next");
  await closed();
});

test("a message of another epoch that nobody announced is a lost position, too", async () => {
  const { sockets, messages, gaps, connected, closed } = fakeClient();
  await connected();
  sockets.last.receive(at(5));
  sockets.last.receive(at(9, { epoch: "b", msg_id: "b9" }));
  sockets.last.receive(at(10, { epoch: "b", msg_id: "b10" }));
  assert.deepEqual(
    gaps.map(({ reason }) => reason),
    ["lost"],
  );
  assert.deepEqual(numbers(messages), [5, 9, 10]);
  await closed();
});

test("streams do not mix: the same message in two of them is two messages, and offsets are each stream's own", async () => {
  const { client, sockets, messages, gaps, connected, closed } = fakeClient();
  await connected();
  void client.room("r").subscribe();
  sockets.last.reply({ room: "r", ...position("r", 0) });
  for (const more of [{}, { to: undefined, epoch: "p" }, { to: undefined, room: "r", epoch: "r" }]) sockets.last.receive(at(1, { ...more, msg_id: "same" }));
  assert.deepEqual(
    messages.map(({ to, room }) => room ?? to ?? "everyone"),
    ["user_1", "everyone", "r"],
  );
  assert.deepEqual(gaps, []);
  await closed();
});

test("gap lost is announced, once: with its offsets where they are known, and another epoch goes on without another gap", async () => {
  const { sockets, messages, gaps, connected, reconnected, closed } = fakeClient();
  await connected();
  sockets.last.receive(at(1));
  sockets.last.receive('{"op":"gap","stream":"account","reason":"lost","epoch":"a","from":2,"to":4}');
  sockets.last.receive(at(5));
  assert.deepEqual(gaps, [{ stream: "account", reason: "lost", from: 2, to: 4 }]);
  sockets.last.receive('{"op":"gap","stream":"account","reason":"lost","epoch":"b"}');
  await reconnected(streams({ ...position("b", 1), recovered: true }));
  assert.equal(query(sockets.last)["account_position"], "b:0:", "what the new epoch has had meanwhile is wanted");
  sockets.last.receive(at(1, { epoch: "b", msg_id: "b1" }));
  assert.deepEqual(numbers(messages), [1, 5, 1]);
  assert.equal(gaps.length, 2);
  await closed();
});

test("gap conflated is announced and moved on from: later messages replace what is missing", async () => {
  const { sockets, messages, gaps, connected, closed } = fakeClient();
  await connected();
  sockets.last.receive('{"op":"gap","stream":"account","reason":"conflated","epoch":"a","from":1,"to":6}');
  sockets.last.receive(at(7));
  assert.deepEqual(gaps, [{ stream: "account", reason: "conflated", from: 1, to: 6 }]);
  assert.deepEqual([numbers(messages), sockets.last.sent], [[7], []]);
  await closed();
});

/** A client that has had message 1 of the account, and a gap of what was dropped after it. */
async function dropped(from: number, to: number) {
  const it = fakeClient();
  await it.connected();
  it.sockets.last.receive(at(1));
  it.sockets.last.receive(JSON.stringify({ op: "gap", stream: "account", reason: "dropped", epoch: "a", from, to }));
  const page = (offsets: number[]) => ({
    messages: offsets.map((offset) => JSON.parse(at(offset))),
    position: { epoch: "a", offset: 9, msg_id: "a9" },
    more: false,
  });
  return { ...it, page };
}

test("gap dropped is made good with history; what comes meanwhile waits, so that the order holds", async () => {
  const { sockets, messages, gaps, page, closed } = await dropped(2, 4);
  for (const offset of [5, 6]) sockets.last.receive(at(offset));
  sockets.last.receive(inApp(1));
  assert.deepEqual(numbers(messages), [1, 1], "the other stream does not wait");
  const [{ id: _, ...asked } = {}] = sockets.last.ops("history");
  assert.deepEqual(asked, { op: "history", stream: "account", after: { epoch: "a", offset: 1 }, limit: 3 });
  sockets.last.reply(page([2, 3, 4]));
  sockets.last.receive(at(7));
  await settle();
  assert.deepEqual(numbers(messages), [1, 1, 2, 3, 4, 5, 6, 7]);
  assert.deepEqual(gaps, []);
  await closed();
});

test("a gap in the application's stream is made good there", async () => {
  const { sockets, messages, gaps, connected, closed } = fakeClient();
  await connected();
  sockets.last.receive('{"op":"gap","stream":"app","reason":"dropped","epoch":"p","from":1,"to":2}');
  const { stream, after } = sockets.last.ops("history")[0] ?? {};
  assert.deepEqual([stream, after], ["app", { epoch: "p", offset: 0 }]);
  sockets.last.receive(inApp(3));
  sockets.last.receive(at(1));
  sockets.last.reply({ messages: [1, 2].map((offset) => JSON.parse(inApp(offset))), position: { epoch: "p", offset: 3, msg_id: "p3" }, more: false });
  await settle();
  assert.deepEqual(
    messages.map(({ epoch, offset }) => [epoch, offset]),
    [
      ["a", 1],
      ["p", 1],
      ["p", 2],
      ["p", 3],
    ],
  );
  assert.deepEqual(gaps, []);
  await closed();
});

test("two gaps in a row are both made good, in order", async () => {
  const { sockets, messages, gaps, page, closed } = await dropped(2, 3);
  sockets.last.receive(at(4));
  sockets.last.receive('{"op":"gap","stream":"account","reason":"dropped","epoch":"a","from":5,"to":6}');
  sockets.last.receive(at(7));
  sockets.last.reply(page([2, 3]));
  await settle();
  assert.deepEqual(numbers(messages), [1, 2, 3, 4]);
  sockets.last.reply(page([5, 6]));
  await settle();
  assert.deepEqual(numbers(messages), [1, 2, 3, 4, 5, 6, 7]);
  assert.deepEqual(gaps, []);
  await closed();
});

for (const [what, answer, expected] of [
  ["the server has them no more", (socket: { refuseOp(code: number): void }) => socket.refuseOp(1012), [2, 4, [1, 5]]],
  ["the token does not allow history", (socket: { refuseOp(code: number): void }) => socket.refuseOp(1004), [2, 4, [1, 5]]],
] as const) {
  test(`a dropped gap that cannot be made good (${what}) is announced in its place`, async () => {
    const { client, sockets, gaps, closed } = await dropped(2, 4);
    const seen: unknown[] = [1];
    client.on("gap", () => seen.push("gap"));
    client.on("message", ({ data }) => seen.push(data["n"]));
    sockets.last.receive(at(5));
    answer(sockets.last);
    await settle();
    assert.deepEqual(gaps, [{ stream: "account", reason: "dropped", from: expected[0], to: expected[1] }]);
    assert.deepEqual(seen, [1, "gap", 5]);
    await closed();
  });
}

test("what one page of history does not hold is asked for with the next, until the gap is made good", async () => {
  const { sockets, messages, gaps, page, closed } = await dropped(2, 1_005);
  sockets.last.receive(at(1_006));
  const asked = () => sockets.last.ops("history").map(({ after, limit }) => [(after as { offset: number }).offset, limit]);
  // Pages are smaller than asked for where messages are large.
  sockets.last.reply({ ...page([2, 3]), more: true });
  await settle();
  assert.deepEqual(asked(), [
    [1, 1_000],
    [3, 1_000],
  ]);
  const rest = Array.from({ length: 1_000 }, (_, i) => 4 + i);
  sockets.last.reply({ ...page(rest), more: true });
  await settle();
  assert.deepEqual(asked().at(-1), [1_003, 2]);
  assert.deepEqual(numbers(messages).at(-1), 1_003);
  sockets.last.reply({ ...page([1_004, 1_005]), more: true });
  await settle();
  assert.equal(asked().length, 3);
  assert.deepEqual(
    numbers(messages),
    Array.from({ length: 1_006 }, (_, i) => 1 + i),
  );
  assert.deepEqual(gaps, []);
  await closed();
});

for (const [what, answer] of [
  ["a later page is refused", (socket: { refuseOp(code: number): void }) => socket.refuseOp(1012)],
  [
    "a page is empty",
    (socket: { reply(answer: object): void }) => socket.reply({ messages: [], position: { epoch: "a", offset: 9, msg_id: "a9" }, more: true }),
  ],
] as const) {
  test(`what is still missing of a gap when ${what} is announced`, async () => {
    const { sockets, messages, gaps, page, closed } = await dropped(2, 5_000);
    sockets.last.receive(at(5_001));
    sockets.last.reply({ ...page([2, 3]), more: true });
    await settle();
    answer(sockets.last);
    await settle();
    assert.deepEqual(gaps, [{ stream: "account", reason: "dropped", from: 4, to: 5_000 }]);
    assert.deepEqual(numbers(messages), [1, 2, 3, 5_001]);
    assert.equal(sockets.last.ops("history").length, 2);
    await closed();
  });
}

test("1,000 frames may wait for a gap; then it is announced and they go on", async () => {
  const { sockets, messages, gaps, page, closed } = await dropped(2, 4);
  for (let offset = 5; offset < 1_005; offset++) sockets.last.receive(at(offset));
  assert.equal(messages.length, 1);
  sockets.last.receive(at(1_005));
  assert.equal(messages.length, 1_002);
  assert.deepEqual(gaps, [{ stream: "account", reason: "dropped", from: 2, to: 4 }]);
  sockets.last.reply(page([2, 3, 4]));
  await settle();
  assert.equal(messages.length, 1_002, "the late answer changes nothing");
  await closed();
});

test("a connection that breaks while a gap is made good recovers from before the gap", async () => {
  const { sockets, messages, gaps, reconnected, page, closed } = await dropped(2, 4);
  sockets.last.receive(at(5));
  const history = sockets.last.ops("history")[0];
  await reconnected(streams({ ...position("a", 5), recovered: true }));
  assert.equal(query(sockets.last)["account_position"], "a:1:a1");
  assert.deepEqual(sockets.last.sent, [], "the question belonged to the old connection");
  for (const offset of [2, 3, 4, 5, 6]) sockets.last.receive(at(offset));
  sockets.last.reply(page([2, 3, 4]), history);
  await settle();
  assert.deepEqual(numbers(messages), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(gaps, []);
  await closed();
});

test("one's own message sent with excludeSelf is not delivered when it comes with what was missed", async () => {
  const { client, sockets, messages, connected, reconnected, closed } = fakeClient();
  await connected();
  const sent = client.send("user_1", { n: "own" }, { excludeSelf: true });
  sockets.last.reply({ msg_id: "own", duplicate: false, epoch: "a", offset: 1 });
  await sent;
  await reconnected(streams({ ...position("a", 2), recovered: true }));
  assert.equal(query(sockets.last)["account_position"], "a:0:");
  sockets.last.receive(at(1, { msg_id: "own" }));
  sockets.last.receive(at(2));
  assert.deepEqual(numbers(messages), [2]);
  await reconnected(streams({ ...position("a", 2), recovered: true }));
  assert.equal(query(sockets.last)["account_position"], "a:2:a2");
  await closed();
});

test("history() reads a stream back, and survives a reconnect like a send", async () => {
  const { client, sockets, messages, connected, reconnected, closed } = fakeClient();
  await connected();
  const first = client.history();
  const second = client.history({ stream: "app", after: { epoch: "p", offset: 3 }, limit: 7 });
  const third = client.history({ before: 9 });
  const asked = [
    { op: "history", stream: "account" },
    { op: "history", stream: "app", after: { epoch: "p", offset: 3 }, limit: 7 },
    { op: "history", stream: "account", before: 9 },
  ];
  assert.deepEqual(
    sockets.last.ops().map(({ id: _, ...op }) => op),
    asked,
  );
  await reconnected(streams({ ...position("a", 0), recovered: true }));
  const reply = { messages: [JSON.parse(at(4))], position: { epoch: "a", offset: 4, msg_id: "a4" }, more: true };
  for (const op of sockets.last.ops()) sockets.last.reply(reply, op);
  const page = await first;
  assert.deepEqual(page, {
    messages: [{ to: "user_1", event: 0, data: { n: 4 }, msgId: "a4", sendAt: 1_700_000_000_000, conversationId: undefined, epoch: "a", offset: 4 }],
    position: { epoch: "a", offset: 4, msg_id: "a4" },
    more: true,
  });
  await Promise.all([second, third]);
  const next = client.history({ after: page.messages[0] });
  assert.deepEqual(sockets.last.ops().at(-1)?.["after"], { epoch: "a", offset: 4 });
  sockets.last.refuseOp(1012);
  await assert.rejects(next, { code: "refused", serverCode: 1012 });
  assert.deepEqual(messages, [], "what is read back is no event");
  await closed();
});
