// What arrives: messages as events and as an iterator, and frames that are none.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Message } from "../../sdk-browser/src/index.ts";
import { fakeClient, frame, settle } from "./doubles.ts";

test("a push becomes a message with the SDK's names", async () => {
  const { client, sockets, connected, closed } = fakeClient();
  const seen: Message[] = [];
  client.on("message", (message) => seen.push(message));
  await connected();
  sockets.last.receive(frame({ text: "hi" }, { msg_id: "x1", epoch: "a", offset: 1, key: "k", trace: "00-1" }));
  assert.deepEqual(seen, [
    {
      to: "user_1",
      event: 0,
      data: { text: "hi" },
      msgId: "x1",
      sendAt: 1_700_000_000_000,
      conversationId: undefined,
      epoch: "a",
      offset: 1,
      key: "k",
      trace: "00-1",
    },
  ]);
  await closed();
});

test("a client's message has its sender and conversation", async () => {
  const { client, sockets, connected, closed } = fakeClient();
  const seen: Message[] = [];
  client.on("message", (message) => seen.push(message));
  await connected();
  sockets.last.receive(frame({}, { from: "user_2", event: 1, conversation_id: "user_1" }));
  assert.equal(seen[0]?.from, "user_2");
  assert.equal(seen[0]?.event, 1);
  assert.equal(seen[0]?.conversationId, "user_1");
  await closed();
});

test("messages of a room and of everyone have no `to`", async () => {
  const { client, sockets, messages, connected, closed } = fakeClient();
  await connected();
  void client.room("r").subscribe();
  sockets.last.reply();
  sockets.last.receive(frame({ n: 1 }, { to: undefined, room: "r", event: 2, conversation_id: "r" }));
  sockets.last.receive(frame({ n: 2 }, { to: undefined }));
  assert.deepEqual(
    messages.map(({ to, room, event, data }) => [to, room, event, data["n"]]),
    [
      [undefined, "r", 2, 1],
      [undefined, undefined, 0, 2],
    ],
  );
  await closed();
});

for (const [what, data] of [
  ["is not JSON", "hello"],
  ["is empty", ""],
  ["is null", "null"],
  ["is an array", "[]"],
  ["is binary", new ArrayBuffer(4)],
  ["has no msg_id", '{"to":"a","send_at":1,"data":{}}'],
  ["is a hello without anything", '{"op":"hello"}'],
] as const) {
  test(`a frame that ${what} is skipped and announced, and the connection goes on`, async () => {
    const { client, sockets, errors, connected, closed } = fakeClient();
    const seen: Message[] = [];
    client.on("message", (message) => seen.push(message));
    await connected();
    sockets.last.receive(data);
    sockets.last.receive(frame({}));
    assert.deepEqual(
      errors.map(({ code }) => code),
      ["bad_frame"],
    );
    assert.equal(seen.length, 1);
    assert.equal(client.state, "connected");
    await closed();
  });
}

test("a listener that throws is reported as uncaught and keeps nobody else from the message", async (t) => {
  const reported: unknown[] = [];
  t.mock.method(globalThis, "queueMicrotask", (task: () => void) => {
    try {
      task();
    } catch (error) {
      reported.push(error);
    }
  });
  const { client, sockets, connected, closed } = fakeClient();
  await connected();
  const seen: Message[] = [];
  const fault = new Error("in the application");
  client.on("message", () => {
    throw fault;
  });
  client.on("message", (message) => seen.push(message));
  sockets.last.receive(frame({}));
  sockets.last.receive(frame({}));
  assert.equal(seen.length, 2);
  assert.deepEqual(reported, [fault, fault]);
  await closed();
});

test("a listener taken off hears nothing more, even within the same event", async () => {
  const { client, sockets, connected, closed } = fakeClient();
  await connected();
  const seen: string[] = [];
  const offs: (() => void)[] = [];
  offs.push(
    client.on("message", () => {
      seen.push("first");
      for (const off of offs) off();
    }),
    client.on("message", () => seen.push("second")),
  );
  sockets.last.receive(frame({}));
  sockets.last.receive(frame({}));
  assert.deepEqual(seen, ["first"]);
  await closed();
});

test("a listener added within an event hears the next one first", async () => {
  const { client, sockets, connected, closed } = fakeClient();
  await connected();
  const late: unknown[] = [];
  const off = client.on("message", () => {
    off();
    client.on("message", ({ data }) => late.push(data["n"]));
  });
  sockets.last.receive(frame({ n: 1 }));
  sockets.last.receive(frame({ n: 2 }));
  assert.deepEqual(late, [2]);
  await closed();
});

test("the same function added twice is two listeners", async () => {
  const { client, sockets, connected, closed } = fakeClient();
  await connected();
  let count = 0;
  const listener = () => {
    count++;
  };
  client.on("message", listener);
  const off = client.on("message", listener);
  sockets.last.receive(frame({}));
  off();
  off();
  sockets.last.receive(frame({}));
  assert.equal(count, 3);
  await closed();
});

test("messages() gives every message since it was called, across reconnects, and ends with the client", async () => {
  const { client, sockets, clock, connected, closed } = fakeClient();
  await connected();
  const reader = client.messages();
  sockets.last.receive(frame({ n: 1 }));
  sockets.last.end();
  await clock.advance(2_000);
  sockets.last.accept();
  sockets.last.receive(frame({ n: 2 }));
  const seen: unknown[] = [];
  const reading = (async () => {
    for await (const message of reader) seen.push(message.data.n);
  })();
  await settle();
  assert.deepEqual(seen, [1, 2]);
  sockets.last.receive(frame({ n: 3 }));
  await closed();
  await reading;
  assert.deepEqual(seen, [1, 2, 3]);
});

test("two readers each get every message, and several next() calls are served in order", async () => {
  const { client, sockets, connected, closed } = fakeClient();
  await connected();
  const [one, two] = [client.messages(), client.messages()];
  const results = [one.next(), one.next(), two.next()];
  sockets.last.receive(frame({ n: 1 }));
  sockets.last.receive(frame({ n: 2 }));
  assert.deepEqual(
    (await Promise.all(results)).map(({ value }) => value?.data.n),
    [1, 2, 1],
  );
  await closed();
  assert.equal((await two.next()).value?.data.n, 2, "what arrived before the end is still read");
  assert.deepEqual(await two.next(), { done: true, value: undefined });
});

test("leaving the loop ends the reader: nothing is kept for it", async () => {
  const { client, sockets, errors, connected, closed } = fakeClient();
  await connected();
  const reader = client.messages();
  sockets.last.receive(frame({}));
  sockets.last.receive(frame({}));
  for await (const _ of reader) break;
  for (let n = 0; n < 1_500; n++) sockets.last.receive(frame({ n }));
  assert.deepEqual(errors, []);
  assert.deepEqual(await reader.next(), { done: true, value: undefined });
  await closed();
});

test("a reader slower than 1,000 messages loses the oldest, and is told", async () => {
  const { client, sockets, errors, connected, closed } = fakeClient();
  await connected();
  const reader = client.messages();
  for (let n = 0; n < 1_002; n++) sockets.last.receive(frame({ n }));
  assert.deepEqual(
    errors.map(({ code }) => code),
    ["overflow", "overflow"],
  );
  assert.equal((await reader.next()).value?.data.n, 2);
  await closed();
});

test("messages() of a closed client ends at once", async () => {
  const { client } = fakeClient();
  await client.close();
  for await (const _ of client.messages()) assert.fail("there is nothing to read");
});
