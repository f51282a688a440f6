// The one road of a message, on a store and an exchange made for the test.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrorCode, XlveinError } from "../../server/src/errors.ts";
import { createLocalExchange } from "../../server/src/exchange/local.ts";
import { createMetrics } from "../../server/src/metrics/metrics.ts";
import type { Envelope } from "../../server/src/protocol/envelope.ts";
import { accountTarget, type Target } from "../../server/src/protocol/target.ts";
import { createPublish, type RequestKey } from "../../server/src/publish/publish.ts";
import { createMemoryStore } from "../../server/src/store/memory.ts";

const targets = ["one", "two"].map((name) => accountTarget("app", name));
const draft = { event: 0, data: '{"n":1}' } as const;
const key: RequestKey = { kind: "nonce", value: "n", ttlMs: 1_000, onOtherBody: "refuse" };

async function setUp(t: { after(end: () => unknown): void }) {
  const delivered: { target: Target; envelope: Envelope }[] = [];
  const exchange = createLocalExchange();
  await exchange.open(
    ({ target }, envelope) => void delivered.push({ target, envelope }),
    () => {},
  );
  for (const target of targets) await exchange.hold(target);
  const store = createMemoryStore({ now: () => 5 });
  t.after(() => store.close());
  const metrics = createMetrics("test");
  return { delivered, store, exchange, publish: createPublish({ store, exchange, metrics, now: () => 5 }), metrics };
}

test("a message has one id for all its targets, and the text that was published", async (t) => {
  const { publish, delivered } = await setUp(t);
  const { msgId, duplicate } = await publish("app", targets, { ...draft, from: "me" });
  assert.equal(duplicate, false);
  assert.match(msgId, /^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  assert.deepEqual(
    delivered,
    targets.map((target) => ({ target, envelope: { kind: "message", message: { ...draft, from: "me", msgId, sendAt: 5 } } })),
  );
});

test("the same key and body deliver once, also 50 at a time, and answer the same id", async (t) => {
  const { publish, delivered } = await setUp(t);
  const results = await Promise.all(Array.from({ length: 50 }, () => publish("app", targets, draft, key)));
  assert.equal(delivered.length, 2);
  assert.equal(new Set(results.map(({ msgId }) => msgId)).size, 1);
  assert.equal(results.filter(({ duplicate }) => !duplicate).length, 1);
});

test("the same key with other data or other receivers is refused, or is another message where the application says so", async (t) => {
  const { publish, delivered } = await setUp(t);
  await publish("app", targets, draft, key);
  const reused = (error: unknown) => error instanceof XlveinError && error.code === ErrorCode.KEY_REUSED;
  await assert.rejects(publish("app", targets, { ...draft, data: "{}" }, key), reused);
  await assert.rejects(publish("app", targets.slice(1), draft, key), reused);
  assert.equal(delivered.length, 2);
  const lax: RequestKey = { ...key, value: "constant", onOtherBody: "allow_other_body" };
  await publish("app", targets, draft, lax);
  await publish("app", targets, { ...draft, data: "{}" }, lax);
  await publish("app", targets, draft, lax);
  assert.equal(delivered.length, 6, "the third was the first again");
});

test("a nonce and an idempotency key of the same spelling, and two applications, do not meet", async (t) => {
  const { publish, delivered } = await setUp(t);
  await publish("app", targets, draft, key);
  await publish("app", targets, draft, { ...key, kind: "idempotency_key" });
  await publish("app2", targets, draft, key);
  assert.equal(delivered.length, 6);
});

test("an exchange that refuses makes the publish fail, and nothing counts as published", async (t) => {
  const { store, metrics } = await setUp(t);
  const refusal = new XlveinError(ErrorCode.EXCHANGE_UNAVAILABLE, "down");
  const exchange = { ...createLocalExchange(), publish: () => Promise.reject(refusal) };
  const publish = createPublish({ store, exchange, metrics, now: () => 5 });
  await assert.rejects(publish("app", targets, draft), refusal);
  assert.equal((await metrics.exchangePublished.get()).values[0]?.value ?? 0, 0);
});
