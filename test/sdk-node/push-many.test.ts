// Pushing many messages: how they are split, what is sent again, and what is told of each.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Message, type PushManyResult, XlveinAuthenticationError, XlveinConnectionError, XlveinUnavailableError } from "../../sdk-node/src/index.ts";
import { createClient, problem, type Received, type Reply, startScript } from "./scripted-server.ts";

interface WireMessage {
  accounts: string[];
  data: { n: number };
  idempotency_key: string;
}

function messagesOf({ text }: Received): WireMessage[] {
  return (JSON.parse(text) as { messages: WireMessage[] }).messages;
}

/** `n`: accepted as message n; a code: failed. */
type Item = { id: string } | { code: number; retryable: boolean };

function batch(items: readonly Item[]): Reply {
  const results = items.map((item) => ("id" in item ? { msg_id: item.id, duplicate: false } : { error: { ...item, message: "not now" } }));
  return { body: { results } };
}

function acceptAll(request: Received): Reply {
  return batch(messagesOf(request).map(({ data }) => ({ id: `m-${data.n}` })));
}

function numbered(count: number, extra: object = {}): Message[] {
  return Array.from({ length: count }, (_, n) => ({ account: `user_${n}`, data: { n, ...extra } }));
}

function brief(results: readonly PushManyResult[]): (string | number)[] {
  return results.map(({ msgId, error }) => msgId ?? (error && "code" in error ? (error.code as number) : error.name));
}

test("2,500 messages are three requests, with the results in order", async (t) => {
  const server = await startScript(t, acceptAll);
  const results = await createClient(server.url).client.pushMany(numbered(2_500));
  assert.deepEqual(
    server.received.map((request) => messagesOf(request).length),
    [1_000, 1_000, 500],
  );
  assert.ok(server.received.every(({ path, method }) => path === "/api/v1/messages/batch" && method === "POST"));
  assert.deepEqual(
    results,
    Array.from({ length: 2_500 }, (_, n) => ({ msgId: `m-${n}`, duplicate: false })),
  );
});

test("messages that would exceed the server's body limit go in several requests", async (t) => {
  const server = await startScript(t, acceptAll);
  const results = await createClient(server.url).client.pushMany(numbered(50, { text: "é".repeat(30_000) }));
  assert.equal(results.length, 50);
  assert.ok(server.received.length >= 3);
  for (const { text } of server.received) assert.ok(Buffer.byteLength(text) < 1_048_576);
});

test("no messages are no request", async (t) => {
  const server = await startScript(t, []);
  assert.deepEqual(await createClient(server.url).client.pushMany([]), []);
  assert.equal(server.received.length, 0);
});

test("only the messages that may succeed later are sent again, with their keys", async (t) => {
  const server = await startScript(t, [
    batch([{ id: "a" }, { code: 1007, retryable: true }, { code: 1003, retryable: false }, { code: 600, retryable: true }]),
    batch([{ code: 1007, retryable: true }, { id: "d" }]),
    batch([{ id: "b" }]),
  ]);
  const { client, waits } = createClient(server.url);
  assert.deepEqual(brief(await client.pushMany(numbered(4))), ["a", "b", 1003, "d"]);
  const [all, second, third] = server.received.map(messagesOf);
  assert.deepEqual(second, [all?.[1], all?.[3]]);
  assert.deepEqual(third, [all?.[1]]);
  assert.equal(waits.length, 2);
});

test("a message that keeps failing ends with its error after all retries", async (t) => {
  const server = await startScript(t, () => batch([{ code: 1008, retryable: true }]));
  const [result] = await createClient(server.url).client.pushMany(numbered(1));
  assert.equal(server.received.length, 3);
  assert.ok(result?.error instanceof XlveinUnavailableError);
  assert.deepEqual([result.error.code, result.error.status, result.error.retryable], [1008, 200, true]);
  assert.equal(result.error.message, "pushMany: not now (code 1008, HTTP 200)");
});

test("when sending again fails as a whole, the messages accepted before keep their results", async (t) => {
  const server = await startScript(t, [batch([{ id: "a" }, { code: 1007, retryable: true }]), problem(401, 1000)]);
  assert.deepEqual(brief(await createClient(server.url).client.pushMany(numbered(2))), ["a", 1000]);
});

test("it rejects when no request was answered", async (t) => {
  const server = await startScript(t, [problem(401, 1000)]);
  await assert.rejects(createClient(server.url).client.pushMany(numbered(3)), XlveinAuthenticationError);
  assert.equal(server.received.length, 1);
});

test("a later request that fails gives its error to its messages and to the rest, which are not sent", async (t) => {
  const server = await startScript(t, (request) => (messagesOf(request)[0]?.data.n === 0 ? acceptAll(request) : "cut"));
  const results = await createClient(server.url).client.pushMany(numbered(2_001));
  assert.equal(server.received.length, 4, "one request, then one with two retries");
  assert.equal(results.length, 2_001);
  assert.ok(results.slice(0, 1_000).every(({ error }, n) => error === undefined && results[n]?.msgId === `m-${n}`));
  assert.ok(results.slice(1_000).every(({ error }) => error instanceof XlveinConnectionError));
});

test("an aborted signal rejects with its reason, also between two requests", async (t) => {
  const controller = new AbortController();
  const reason = new Error("enough");
  const server = await startScript(t, (request) => {
    controller.abort(reason);
    return acceptAll(request);
  });
  await assert.rejects(createClient(server.url).client.pushMany(numbered(2_000), { signal: controller.signal }), (error) => error === reason);
  assert.equal(server.received.length, 1);
});

test("an answer with too few results is no answer", async (t) => {
  const server = await startScript(t, [batch([{ id: "a" }])]);
  await assert.rejects(createClient(server.url).client.pushMany(numbered(2)), /pushMany: HTTP 200 with a body that is not xlvein's/);
});

test("a message at fault is named before anything is sent", async (t) => {
  const server = await startScript(t, []);
  const { client } = createClient(server.url);
  await assert.rejects(
    client.pushMany([
      { account: "a", data: {} },
      { account: "b", data: [] },
    ]),
    /^TypeError: pushMany: messages\[1\]: data must be an object/,
  );
  await assert.rejects(client.pushMany("user_1" as unknown as Message[]), /^TypeError: pushMany: pass an array of messages/);
  assert.equal(server.received.length, 0);
});
