// The order of a single node: everything goes straight through, and streams that clients know live on.
import assert from "node:assert/strict";
import { test } from "node:test";
import { kickEnvelope, messageEnvelope } from "../../server/src/protocol/envelope.ts";
import { newMsgId } from "../../server/src/protocol/message.ts";
import { accountTarget, type Target } from "../../server/src/protocol/target.ts";
import { createLocalOrder } from "../../server/src/recover/local-order.ts";
import { createMemoryStore } from "../../server/src/store/memory.ts";
import { createNoStore } from "../../server/src/store/none.ts";
import type { Appended, Store } from "../../server/src/store/store.ts";

const HOUR_MS = 3_600_000;
const [alice, bob] = [accountTarget("app", "alice"), accountTarget("app", "bob")];

function append(store: Store, target: Target): Appended {
  const appended = store.append(target, { msgId: newMsgId(), event: 0, sendAt: 0, data: "{}" }, 0);
  assert.ok(!(appended instanceof Promise));
  return appended;
}

test("whatever comes is delivered in the turn in which it comes, and the place of a stream is the store's", async (t) => {
  const store = createMemoryStore({ now: Date.now });
  t.after(() => store.close());
  const delivered: string[] = [];
  const order = createLocalOrder({
    store,
    streams: () => [],
    deliver: ({ name }, { kind }, position) => void delivered.push(`${kind} ${name} ${position?.offset}`),
  });
  t.after(() => order.close());
  assert.equal(order.follow(alice), undefined);
  const { position } = append(store, alice);
  order.receive({ target: alice, position }, messageEnvelope({ msgId: "m", event: 0, sendAt: 0, data: "{}" }));
  order.receive({ target: bob, position: undefined }, kickEnvelope());
  assert.deepEqual(delivered, ["message alice 1", "kick bob undefined"]);
  assert.deepEqual([order.positionOf(alice)?.offset, order.positionOf(bob)?.offset], [1, 0]);
});

test("without a store nobody can tell where a stream is", (t) => {
  const order = createLocalOrder({ store: createNoStore(), streams: () => [], deliver() {} });
  t.after(() => order.close());
  assert.equal(order.positionOf(alice), undefined);
});

test("a stream whose place a client knows is not forgotten, however long nothing comes; another one is", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  let nowMs = 0;
  const store = createMemoryStore({ now: () => nowMs });
  t.after(() => store.close());
  const order = createLocalOrder({ store, streams: () => [alice], deliver() {} });
  t.after(() => order.close());
  for (const target of [alice, bob]) append(store, target);
  const known = order.positionOf(alice);
  for (; nowMs < 48 * HOUR_MS; nowMs += HOUR_MS) t.mock.timers.tick(30_000);
  assert.deepEqual(order.positionOf(alice), known);
  assert.equal(order.positionOf(bob)?.offset, 0);
});
