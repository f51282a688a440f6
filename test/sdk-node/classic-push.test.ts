// The classic push: the signed form, its answers, and that it delivers nothing twice by itself.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { XlveinApiError, XlveinAuthenticationError, XlveinConnectionError, XlveinTimeoutError } from "../../sdk-node/src/index.ts";
import { createClient, SECRET, startScript } from "./scripted-server.ts";

const ACCEPTED = { body: { error: 0, message: "", data: {} } };
const MESSAGE = { account: "用户&=1", data: { text: "a=b&c 😀" } };

test("a classic push is a form with the signature over its raw values", async (t) => {
  const server = await startScript(t, [ACCEPTED]);
  const { client } = createClient(server.url);
  assert.equal(await client.classicPush({ ...MESSAGE, nonce: "n-1" }), undefined);
  const [request] = server.received;
  assert.deepEqual([request?.method, request?.path], ["POST", "/api/v1/im/push"]);
  assert.equal(request?.headers["content-type"], "application/x-www-form-urlencoded");
  assert.equal(request?.headers.authorization, undefined);
  const form = Object.fromEntries(new URLSearchParams(request?.text));
  const { sign, ...fields } = form;
  assert.deepEqual(fields, { app_key: "test", send_to: "用户&=1", message: '{"text":"a=b&c 😀"}', nonce: "n-1" });
  const signed = `app_key=test&message={"text":"a=b&c 😀"}&nonce=n-1&send_to=用户&=1&key=${SECRET}`;
  assert.equal(sign, createHash("md5").update(signed).digest("hex").toUpperCase());
});

test("a classic push without a nonce gets one of its own", async (t) => {
  const server = await startScript(t, () => ACCEPTED);
  const { client } = createClient(server.url);
  await client.classicPush(MESSAGE);
  await client.classicPush(MESSAGE);
  const nonces = server.received.map(({ text }) => new URLSearchParams(text).get("nonce"));
  assert.match(nonces[0] ?? "", /^[0-9a-f-]{36}$/);
  assert.notEqual(nonces[0], nonces[1]);
});

test("an error within HTTP 200 is an error", async (t) => {
  const server = await startScript(t, [{ body: { error: 1002, message: "sign does not match", data: {} } }]);
  await assert.rejects(createClient(server.url).client.classicPush(MESSAGE), (error: unknown) => {
    assert.ok(error instanceof XlveinAuthenticationError);
    assert.deepEqual([error.code, error.status, error.retryable], [1002, 200, false]);
    assert.equal(error.message, "classicPush: sign does not match (code 1002, HTTP 200)");
    return true;
  });
  assert.equal(server.received.length, 1);
});

test("what the server refused for now is repeated with the same nonce, Retry-After honoured", async (t) => {
  const server = await startScript(t, [{ body: { error: 1007, message: "no broker", data: {} }, headers: { "retry-after": "1" } }, ACCEPTED]);
  const { client, waits } = createClient(server.url);
  await client.classicPush(MESSAGE);
  assert.equal(server.received[0]?.text, server.received[1]?.text);
  assert.deepEqual(waits, [1_250]);
});

test("what the server may have delivered is not repeated", async (t) => {
  const server = await startScript(t, ["cut", "hang"]);
  const { client } = createClient(server.url, { timeoutMs: 1_000 });
  await assert.rejects(client.classicPush(MESSAGE), XlveinConnectionError);
  await assert.rejects(client.classicPush(MESSAGE), XlveinTimeoutError);
  assert.equal(server.received.length, 2);
});

test("an answer that is not classic is told as such", async (t) => {
  const server = await startScript(t, [{ body: { ok: true } }]);
  await assert.rejects(createClient(server.url).client.classicPush(MESSAGE), XlveinApiError);
});

test("a classic push at fault is named before it is sent", async (t) => {
  const server = await startScript(t, []);
  const { client } = createClient(server.url);
  await assert.rejects(client.classicPush(undefined as never), /^TypeError: classicPush: pass an object like/);
  await assert.rejects(client.classicPush({ account: "", data: {} }), /^TypeError: classicPush: account must be a non-empty string/);
  await assert.rejects(client.classicPush({ account: "a", data: [] }), /^TypeError: classicPush: data must be an object/);
  await assert.rejects(client.classicPush({ account: "a", data: {}, nonce: "" }), /^TypeError: classicPush: nonce must be a non-empty string/);
  assert.equal(server.received.length, 0);
});
