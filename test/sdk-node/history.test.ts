// Reading back an account's or a room's stream: the question on the wire, and the answer in the package's spelling.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrorCode, type HistoryOptions, XlveinApiError } from "../../sdk-node/src/index.ts";
import { createClient, problem, startScript } from "./scripted-server.ts";

const POSITION = { epoch: "e.0", offset: 17, msg_id: "m17" };
const NOTHING = { body: { messages: [], position: { epoch: "e.0", offset: 0, msg_id: "" }, more: false } };
const MESSAGE = { event: 0, data: { text: "hello" }, msg_id: "m16", send_at: 1_795_412_345_678, epoch: "e.0", offset: 16 };

test("the messages come in the package's spelling, with what only some of them have", async (t) => {
  const full = { ...MESSAGE, from: "bob", room: "chat:1", event: 2, conversation_id: "chat:1", key: "k", trace: "t", msg_id: "m17", offset: 17 };
  const server = await startScript(t, [{ body: { messages: [{ ...MESSAGE, to: "user_1" }, full], position: POSITION, more: true } }]);
  assert.deepEqual(await createClient(server.url).client.history("user_1"), {
    messages: [
      { to: "user_1", event: 0, data: { text: "hello" }, msgId: "m16", sendAt: 1_795_412_345_678, epoch: "e.0", offset: 16 },
      {
        from: "bob",
        room: "chat:1",
        event: 2,
        data: { text: "hello" },
        msgId: "m17",
        sendAt: 1_795_412_345_678,
        conversationId: "chat:1",
        key: "k",
        trace: "t",
        epoch: "e.0",
        offset: 17,
      },
    ],
    position: { epoch: "e.0", offset: 17, msgId: "m17" },
    more: true,
  });
});

test("the part that is asked for travels in the query", async (t) => {
  const server = await startScript(t, () => NOTHING);
  const { client } = createClient(server.url);
  const cases: [HistoryOptions | undefined, Record<string, string>][] = [
    [undefined, {}],
    [{ limit: 5 }, { limit: "5" }],
    [
      { before: 17, limit: 1_000 },
      { before: "17", limit: "1000" },
    ],
    [{ after: { epoch: "k3vZ8Qa1.0&", offset: 16 } }, { after: "k3vZ8Qa1.0&:16" }],
    [{ after: { epoch: "e", offset: 0 }, timeoutMs: 1_000 }, { after: "e:0" }],
  ];
  for (const [options, expected] of cases) {
    for (const [read, path] of [
      [() => client.history("a/b", options), "/api/v1/accounts/a%2Fb/history"],
      [() => client.rooms.history("chat:1", options), "/api/v1/rooms/chat%3A1/history"],
    ] as const) {
      assert.deepEqual((await read()).messages, []);
      const url = new URL(`http://x${server.received.at(-1)?.path}`);
      assert.deepEqual([server.received.at(-1)?.method, url.pathname, Object.fromEntries(url.searchParams)], ["GET", path, expected]);
    }
  }
});

test("reading is safe to repeat, and repeated; a lost place is not", async (t) => {
  const server = await startScript(t, [problem(503, 1008), "cut-body", NOTHING, problem(410, 1012)]);
  const { client } = createClient(server.url);
  await client.history("user_1");
  assert.equal(server.received.length, 3);
  await assert.rejects(client.rooms.history("r", { after: { epoch: "old", offset: 1 } }), (error: unknown) => {
    assert.ok(error instanceof XlveinApiError);
    assert.deepEqual([error.code, error.status, error.retryable], [ErrorCode.POSITION_LOST, 410, false]);
    assert.equal(error.message, "rooms.history: a sentence (code 1012, HTTP 410, request req-1)");
    assert.match(error.remediation, /without `after`/);
    return true;
  });
  assert.equal(server.received.length, 4);
});

for (const body of [
  {},
  { ...NOTHING.body, more: undefined },
  { ...NOTHING.body, position: null },
  { ...NOTHING.body, position: { epoch: "e", offset: "1", msg_id: "" } },
  { ...NOTHING.body, messages: {} },
  { ...NOTHING.body, messages: [{ ...MESSAGE, data: [] }] },
  { ...NOTHING.body, messages: [{ ...MESSAGE, offset: undefined }] },
  { ...NOTHING.body, messages: [{ ...MESSAGE, from: 7 }] },
]) {
  test(`${JSON.stringify(body)} is not taken for a history`, async (t) => {
    const server = await startScript(t, [{ body }]);
    await assert.rejects(createClient(server.url).client.history("user_1"), /history: HTTP 200 with a body that is not xlvein's/);
  });
}

test("what is at fault is named before anything is sent", async (t) => {
  const server = await startScript(t, []);
  const { client } = createClient(server.url);
  const cases: [object, RegExp][] = [
    [{ after: { epoch: "e", offset: 1 }, before: 2 }, /^TypeError: history: give either after or before/],
    [{ after: "e:1" }, /^TypeError: history: after must be an object like/],
    [{ after: { epoch: "", offset: 1 } }, /^TypeError: history: after must be an object like/],
    [{ after: { epoch: "e", offset: -1 } }, /^RangeError: history: after\.offset must be 0 to/],
    [{ after: { epoch: "e", offset: "1" } }, /^TypeError: history: after\.offset must be a whole number/],
    [{ before: 0 }, /^RangeError: history: before must be 1 to/],
    [{ limit: 1_001 }, /^RangeError: history: limit must be 1 to 1000/],
    [{ limit: "5" }, /^TypeError: history: limit must be a whole number/],
  ];
  for (const [options, message] of cases) await assert.rejects(client.history("user_1", options), message);
  await assert.rejects(client.history(""), /^TypeError: history: account must be a non-empty string/);
  await assert.rejects(client.rooms.history("chat:*"), /^TypeError: rooms\.history: room must not hold a \*/);
  assert.equal(server.received.length, 0);
});
