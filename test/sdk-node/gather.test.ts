// Gathering pushes: when a request is sent, and that every push gets its own answer.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Push, XlveinAuthenticationError, XlveinConflictError } from "../../sdk-node/src/index.ts";
import { ACCEPTED, createClient, problem, type Received, type Reply, startScript } from "./scripted-server.ts";

interface WireMessage {
  data: { n: number };
  idempotency_key: string;
}

function messagesOf({ text }: Received): WireMessage[] {
  return (JSON.parse(text) as { messages: WireMessage[] }).messages;
}

function acceptAll(request: Received): Reply {
  return { body: { results: messagesOf(request).map(({ data }) => ({ msg_id: `m-${data.n}`, duplicate: false })) } };
}

const numbered = (n: number, extra: object = {}): Push => ({ account: "user_1", data: { n }, ...extra });

test("what is pushed within the delay goes in one request, in order, and each push gets its own answer", async (t) => {
  const server = await startScript(t, acceptAll);
  const { client } = createClient(server.url, { batch: { maxDelayMs: 20 } });
  const results = await Promise.all([1, 2, 3].map((n) => client.push(numbered(n))));
  assert.deepEqual(
    results,
    [1, 2, 3].map((n) => ({ msgId: `m-${n}`, duplicate: false })),
  );
  assert.equal(server.received.length, 1);
  const [request] = server.received;
  assert.ok(request);
  assert.deepEqual([request.method, request.path, messagesOf(request).map(({ data }) => data.n)], ["POST", "/api/v1/messages/batch", [1, 2, 3]]);
  assert.equal(new Set(messagesOf(request).map(({ idempotency_key }) => idempotency_key)).size, 3);
  await client.push(numbered(4));
  assert.equal(server.received.length, 2);
});

test("a request is sent at once when it is full", async (t) => {
  const server = await startScript(t, acceptAll);
  const { client } = createClient(server.url, { batch: { maxMessages: 2, maxDelayMs: 1_000 } });
  const [first, second] = [client.push(numbered(1)), client.push(numbered(2))];
  const late = client.push(numbered(3));
  assert.deepEqual([(await first).msgId, (await second).msgId], ["m-1", "m-2"]);
  assert.equal(server.received.length, 1, "the third waits for others");
  await client.push(numbered(4));
  assert.equal((await late).msgId, "m-3");
  assert.deepEqual(
    server.received.map((request) => messagesOf(request).length),
    [2, 2],
  );
});

test("one that fails has its own error; those that may succeed later are sent again", async (t) => {
  const failed = (code: number, retryable: boolean) => ({ error: { code, message: "a sentence", retryable } });
  const server = await startScript(t, [
    { body: { results: [{ msg_id: "a", duplicate: false }, failed(1005, false), failed(1007, true)] } },
    { body: { results: [{ msg_id: "c", duplicate: false }] } },
  ]);
  const { client } = createClient(server.url, { batch: {} });
  const [a, b, c] = await Promise.allSettled([1, 2, 3].map((n) => client.push(numbered(n))));
  assert.equal(a?.status === "fulfilled" && a.value.msgId, "a");
  assert.equal(c?.status === "fulfilled" && c.value.msgId, "c");
  assert.ok(b?.status === "rejected" && b.reason instanceof XlveinConflictError);
  assert.equal(b.reason.message, "push: a sentence (code 1005, HTTP 200)");
});

test("a request that is refused rejects all its pushes", async (t) => {
  const server = await startScript(t, [problem(401, 1000)]);
  const { client } = createClient(server.url, { batch: {} });
  const outcomes = await Promise.allSettled([1, 2].map((n) => client.push(numbered(n))));
  assert.ok(outcomes.every((outcome) => outcome.status === "rejected" && outcome.reason instanceof XlveinAuthenticationError));
  assert.equal(server.received.length, 1);
});

test("a push with a signal or a time-out of its own goes alone", async (t) => {
  const server = await startScript(t, () => ACCEPTED);
  const { client } = createClient(server.url, { batch: { maxDelayMs: 1_000 } });
  await client.push(numbered(1, { signal: new AbortController().signal }));
  await client.push(numbered(2, { timeoutMs: 1_000 }));
  assert.deepEqual(
    server.received.map(({ path }) => path),
    ["/api/v1/messages", "/api/v1/messages"],
  );
});

test("a push at fault is named at once and holds up no other", async (t) => {
  const server = await startScript(t, acceptAll);
  const { client } = createClient(server.url, { batch: {} });
  const good = client.push(numbered(1));
  await assert.rejects(client.push({ account: "", data: {} }), /^TypeError: push: account must be a non-empty string/);
  await assert.rejects(client.push(undefined as unknown as Push), /^TypeError: push: pass an object like/);
  assert.equal((await good).msgId, "m-1");
  await assert.rejects(client.push(numbered(1, { timeoutMs: 0 })), RangeError);
});
