// In order, without holes and without repeats, whatever the bus does: each case is a stream in a store and what the bus brings of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createLog } from "../../server/src/log.ts";
import { createMetrics } from "../../server/src/metrics/metrics.ts";
import { kickEnvelope, messageEnvelope } from "../../server/src/protocol/envelope.ts";
import type { Gap } from "../../server/src/protocol/gap.ts";
import { accountTarget } from "../../server/src/protocol/target.ts";
import { createOrder, type Order } from "../../server/src/recover/order.ts";
import { createRepair } from "../../server/src/recover/repair.ts";
import type { Entry, Store } from "../../server/src/store/store.ts";
import { createDraw } from "../helpers/random.ts";
import { StreamStore } from "./stream-store.ts";

const target = accountTarget("app", "user_1");

interface Scene {
  store: StreamStore;
  order: Order;
  metrics: ReturnType<typeof createMetrics>;
  /** The ids that reached the sockets. */
  delivered: string[];
  /** What readers were told to be missing. */
  gaps: Gap[];
  /** The bus brings an entry. */
  bring(entry: Entry): void;
  /** Resolves when so many have been delivered. */
  reaches(n: number): Promise<void>;
}

function scene(t: { after(end: () => void): void }): Scene {
  const store = new StreamStore();
  const delivered: string[] = [];
  const gaps: Gap[] = [];
  const metrics = createMetrics("test");
  let wake = () => {};
  const deliver: Parameters<typeof createOrder>[0]["deliver"] = (_target, envelope) => {
    delivered.push(envelope.kind === "message" ? envelope.message.msgId : envelope.kind);
    wake();
  };
  const whole = store as unknown as Store;
  const repair = createRepair({ store: whole, deliver, gap: (_target, gap) => void gaps.push(gap), metrics, log: createLog({ level: "silent" }) });
  const order = createOrder({ store: whole, repair, remember: 100, deliver });
  // The rooms' own timers let a process end.
  const alive = setInterval(() => {}, 1_000);
  t.after(() => {
    clearInterval(alive);
    order.close();
  });
  return {
    store,
    order,
    metrics,
    delivered,
    gaps,
    bring: ({ message, position }) => order.receive({ target, position }, messageEnvelope(message)),
    async reaches(n) {
      while (delivered.length < n)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    },
  };
}

/** Nothing is under way any more: every promise that the scene started has had its turn. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
}

const lost = async ({ metrics }: Scene) => (await metrics.messagesDropped.get()).values.find(({ labels }) => labels["reason"] === "lost")?.value ?? 0;

test("entries in order pass without asking the store", async (t) => {
  const s = scene(t);
  await s.order.follow(target);
  s.store.asked = 0;
  for (const id of ["a", "b", "c"]) s.bring(s.store.add(id));
  assert.deepEqual(s.delivered, ["a", "b", "c"]);
  assert.equal(s.store.asked, 0);
});

test("what was sent before the target was followed is not delivered", async (t) => {
  const s = scene(t);
  for (const id of ["old1", "old2"]) s.store.add(id);
  await s.order.follow(target);
  s.bring(s.store.add("new"));
  assert.deepEqual(s.delivered, ["new"]);
});

test("a repeated entry is delivered once, also one from before a repair", async (t) => {
  const s = scene(t);
  await s.order.follow(target);
  const [a, b] = [s.store.add("a"), s.store.add("b")];
  for (const entry of [a, a, b, a, b]) s.bring(entry);
  await settled();
  assert.deepEqual(s.delivered, ["a", "b"]);
});

test("a repeat that is older than what the reader remembers is recognised by the store", async (t) => {
  const s = scene(t);
  await s.order.follow(target);
  const entries = Array.from({ length: 160 }, (_, i) => s.store.add(`m${i}`));
  for (const entry of entries) s.bring(entry);
  s.bring(entries[0] as Entry);
  await settled();
  assert.equal(s.delivered.length, 160);
  s.bring(s.store.add("next"));
  assert.equal(s.delivered.at(-1), "next");
});

test("two entries that change places on the bus are delivered in their order, each once", async (t) => {
  const s = scene(t);
  await s.order.follow(target);
  const [a, b] = [s.store.add("a"), s.store.add("b")];
  s.bring(b);
  s.bring(a);
  await s.reaches(2);
  await settled();
  assert.deepEqual(s.delivered, ["a", "b"]);
});

test("a hole is read from the store before what came after it, while more arrives", async (t) => {
  const s = scene(t);
  await s.order.follow(target);
  s.bring(s.store.add("a"));
  for (const id of ["b", "c", "d"]) s.store.add(id);
  s.bring(s.store.add("e"));
  s.bring(s.store.add("f"));
  await s.reaches(6);
  await settled();
  assert.deepEqual(s.delivered, ["a", "b", "c", "d", "e", "f"]);
});

test("a hole of many pages is read whole", async (t) => {
  const s = scene(t);
  await s.order.follow(target);
  const ids = Array.from({ length: 950 }, (_, i) => `m${i}`);
  const last = ids.map((id) => s.store.add(id)).at(-1) as Entry;
  s.bring(last);
  await s.reaches(950);
  assert.deepEqual(s.delivered, ids);
});

test("while the store does not answer the stream waits, and goes on in order afterwards", async (t) => {
  const s = scene(t);
  await s.order.follow(target);
  s.store.down = true;
  s.store.add("a");
  s.bring(s.store.add("b"));
  await settled();
  assert.deepEqual(s.delivered, []);
  s.bring(s.store.add("c"));
  s.store.down = false;
  await s.reaches(3);
  assert.deepEqual(s.delivered, ["a", "b", "c"]);
});

test("after the bus was away, what it did not bring is read from the store", async (t) => {
  const s = scene(t);
  await s.order.follow(target);
  s.bring(s.store.add("a"));
  for (const id of ["b", "c"]) s.store.add(id);
  await s.order.compare([target]);
  await s.reaches(3);
  assert.deepEqual(s.delivered, ["a", "b", "c"]);
  await s.order.compare([target]);
  await settled();
  assert.equal(s.delivered.length, 3, "comparing again brings nothing again");
});

test("what the store no longer has is counted as lost, and what it has comes in order", async (t) => {
  const s = scene(t);
  await s.order.follow(target);
  s.bring(s.store.add("a"));
  for (const id of ["b", "c", "d", "e"]) s.store.add(id);
  s.store.entries.splice(0, 3);
  await s.order.compare([target]);
  await s.reaches(3);
  assert.deepEqual(s.delivered, ["a", "d", "e"]);
  assert.equal(await lost(s), 2);
  assert.deepEqual(s.gaps, [{ reason: "lost", epoch: "e1", from: 2, to: 3 }], "readers are told what is missing");
});

test("with a store that keeps no history a hole is lost and counted, and what arrives goes on", async (t) => {
  const s = scene(t);
  await s.order.follow(target);
  const forget = () => s.store.entries.splice(0);
  const keepLast = (entry: Entry) => {
    forget();
    s.bring(entry);
  };
  keepLast(s.store.add("a"));
  s.store.offset++;
  s.store.last = "b";
  keepLast(s.store.add("c"));
  await s.reaches(2);
  keepLast(s.store.add("d"));
  await s.reaches(3);
  assert.deepEqual(s.delivered, ["a", "c", "d"]);
  assert.equal(await lost(s), 1);
});

test("a wiped store is another stream: its entries are delivered from the first", async (t) => {
  const s = scene(t);
  await s.order.follow(target);
  for (const id of ["a", "b", "c"]) s.bring(s.store.add(id));
  s.store.wipe("e2");
  s.store.add("d");
  s.bring(s.store.add("e"));
  await s.reaches(5);
  s.bring(s.store.add("f"));
  await s.reaches(6);
  assert.deepEqual(s.delivered, ["a", "b", "c", "d", "e", "f"]);
  assert.equal((await s.metrics.epochChanges.get()).values[0]?.value, 1);
  assert.deepEqual(s.gaps, [{ reason: "lost", epoch: "e2", from: undefined, to: undefined }], "readers are told that it is another stream");
});

test("an older copy put back under a running system is noticed by the ids, gets a new epoch, and loses nothing that is sent from then on", async (t) => {
  const s = scene(t);
  await s.order.follow(target);
  s.bring(s.store.add("a"));
  s.store.save();
  for (const id of ["b", "c"]) s.bring(s.store.add(id));
  s.store.restore();
  s.bring(s.store.add("d"));
  await s.reaches(4);
  s.bring(s.store.add("e"));
  await s.reaches(5);
  await settled();
  assert.deepEqual(s.delivered, ["a", "b", "c", "d", "e"]);
  assert.equal(s.store.epoch, "e1'");
});

test("an older copy from far back, further than the store keeps, brings nothing again", async (t) => {
  const s = scene(t);
  await s.order.follow(target);
  const id = (n: number) => `m${String(n).padStart(4, "0")}`;
  for (let n = 0; n < 150; n++) {
    s.bring(s.store.add(id(n)));
    if (s.store.entries.length > 100) s.store.entries.shift();
    if (n === 120) s.store.save();
  }
  for (let n = 150; n < 400; n++) s.bring(s.store.add(id(n)));
  s.store.restore();
  s.bring(s.store.add(id(400)));
  await s.reaches(401);
  await settled();
  assert.deepEqual(
    s.delivered,
    Array.from({ length: 401 }, (_, n) => id(n)),
  );
});

for (const [what, kept] of [
  ["the whole stream", 3_000],
  ["all but its beginning", 2_900],
] as const) {
  test(`an older copy that has ${what} brings nothing again, wherever in it the node was, and all that is new, however much`, async (t) => {
    const s = scene(t);
    const id = (n: number) => `m${String(n).padStart(5, "0")}`;
    for (let n = 0; n < 1_600; n++) s.store.add(id(n));
    await s.order.follow(target);
    for (let n = 1_600; n < 1_650; n++) s.bring(s.store.add(id(n)));
    s.store.save();
    for (let n = 1_650; n < 1_660; n++) s.bring(s.store.add(id(n)));
    s.store.restore();
    for (let n = 1_660; n < 3_000; n++) s.store.add(id(n));
    s.store.entries.splice(0, s.store.entries.length - kept);
    s.bring(s.store.add(id(3_000)));
    await s.reaches(1_401);
    await settled();
    assert.deepEqual(
      s.delivered,
      Array.from({ length: 1_401 }, (_, n) => id(1_600 + n)),
    );
    assert.equal(s.gaps.length, 1);
  });
}

test("an older copy that has already been filled up beyond where the node was is noticed too", async (t) => {
  const s = scene(t);
  await s.order.follow(target);
  s.bring(s.store.add("a"));
  s.store.save();
  s.bring(s.store.add("b"));
  s.store.restore();
  for (const id of ["x", "y"]) s.store.add(id);
  await s.order.compare([target]);
  await s.reaches(4);
  await settled();
  assert.deepEqual(s.delivered, ["a", "b", "x", "y"]);
});

test("kicks and messages without a position pass at once, also during a repair", async (t) => {
  const s = scene(t);
  await s.order.follow(target);
  s.store.down = true;
  s.store.add("a");
  s.bring(s.store.add("b"));
  s.order.receive({ target, position: undefined }, kickEnvelope());
  assert.deepEqual(s.delivered, ["kick"]);
});

test("a target that has been left is not repaired any more", async (t) => {
  const s = scene(t);
  await s.order.follow(target);
  s.store.down = true;
  s.store.add("a");
  s.bring(s.store.add("b"));
  s.order.leave(target);
  s.store.down = false;
  await settled();
  assert.deepEqual(s.delivered, []);
});

test("random buses: whatever is dropped, repeated and reordered, the sockets see the stream", async (t) => {
  for (let seed = 1; seed <= 40; seed++) {
    const s = scene(t);
    await s.order.follow(target);
    const random = createDraw(seed);
    const ids = Array.from({ length: 50 }, (_, i) => `${seed}-${i}`);
    const bus: Entry[] = [];
    for (const id of ids) {
      const entry = s.store.add(id);
      for (let copies = random(3); copies > 0; copies--) bus.splice(Math.max(0, bus.length - random(4)), 0, entry);
      while (bus.length > random(6)) s.bring(bus.shift() as Entry);
      if (random(5) === 0) await settled();
    }
    for (const entry of bus) s.bring(entry);
    await s.order.compare([target]);
    await s.reaches(ids.length);
    await settled();
    assert.deepEqual(s.delivered, ids, `seed ${seed}`);
  }
});
