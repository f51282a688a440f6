// Targets, buckets and bindings, against a broker by hand that answers when the test says so.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrorCode, type XlveinError } from "../../server/src/errors.ts";
import type { Binder } from "../../server/src/exchange/rabbitmq-bindings.ts";
import { bucketKey, bucketOf } from "../../server/src/exchange/rabbitmq-buckets.ts";
import { Holdings } from "../../server/src/exchange/rabbitmq-holdings.ts";
import { accountTarget, type Target } from "../../server/src/protocol/target.ts";
import { createDraw } from "../helpers/random.ts";
import { until } from "./rabbitmq-node.ts";

/** Carries orders out one after the other, as a channel does, each when `answer` is called. */
function channel() {
  const orders: string[] = [];
  const bound = new Set<number>();
  /** What is bound once every order given so far is carried out. */
  const ordered = new Set<number>();
  const queue: (() => void)[] = [];
  const order = (name: "bind" | "unbind", bucket: number) => {
    orders.push(`${name} ${bucket}`);
    if (name === "bind") ordered.add(bucket);
    else ordered.delete(bucket);
    const { promise, resolve } = Promise.withResolvers<void>();
    queue.push(() => {
      if (name === "bind") bound.add(bucket);
      else bound.delete(bucket);
      resolve();
    });
    return promise;
  };
  const binder: Binder = { bind: (bucket) => order("bind", bucket), unbind: (bucket) => order("unbind", bucket) };
  return {
    binder,
    orders,
    bound,
    ordered,
    answer(count = Number.POSITIVE_INFINITY) {
      for (let n = 0; n < count && queue.length > 0; n++) queue.shift()?.();
    },
  };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const unavailable = (error: XlveinError) => error.code === ErrorCode.EXCHANGE_UNAVAILABLE;
const user = (n: number) => accountTarget("app", `user_${n}`);

/** Two targets of one bucket. */
function neighbours(buckets: number): [Target, Target] {
  const first = user(0);
  for (let n = 1; ; n++) if (bucketOf(user(n), buckets) === bucketOf(first, buckets)) return [first, user(n)];
}

test("targets spread evenly over the buckets, whatever their names", () => {
  for (const nameOf of [(n: number) => `user_${n}`, (n: number) => String(n), (n: number) => `${"x".repeat(300)}${n}`, (n: number) => `用户${n}`]) {
    const sizes = new Map<number, number>();
    for (let n = 0; n < 102_400; n++) {
      const bucket = bucketOf(accountTarget("app", nameOf(n)), 1_024);
      sizes.set(bucket, (sizes.get(bucket) ?? 0) + 1);
    }
    assert.equal(sizes.size, 1_024);
    // 100 expected; a Poisson spread stays within six deviations.
    for (const size of sizes.values()) assert.ok(size > 40 && size < 160, `${nameOf(1)}: ${size}`);
  }
  assert.deepEqual(
    [user(1), user(2), accountTarget("用户", "")].map((target) => bucketKey(bucketOf(target, 1_024))),
    ["b883", "b458", "b595"],
  );
});

test("the first target of a bucket binds it, the others wait with it or come for nothing", async () => {
  const { binder, orders, answer } = channel();
  const holdings = new Holdings({ buckets: 16 });
  await holdings.attach(binder);
  const [one, two] = neighbours(16);
  const holds = [holdings.hold(one), holdings.hold(two), holdings.hold(one)];
  assert.equal(orders.length, 1);
  answer();
  await Promise.all(holds);
  await holdings.hold(user(0));
  assert.equal(orders.length, 1);
  assert.equal(holdings.boundBuckets, 1);
  holdings.close();
});

test("a hold that is not confirmed in time rejects, and the target is not held", async () => {
  const { binder } = channel();
  const holdings = new Holdings({ buckets: 16, holdTimeoutMs: 20 });
  await assert.rejects(holdings.hold(user(1)), unavailable);
  await holdings.attach(binder);
  await assert.rejects(holdings.hold(user(1)), unavailable);
  assert.equal(holdings.has(user(1)), false);
  holdings.close();
});

test("a burst that the broker works off gets more time once", async () => {
  const { binder, answer } = channel();
  const holdings = new Holdings({ buckets: 1_024, holdTimeoutMs: 40 });
  await holdings.attach(binder);
  const start = performance.now();
  const outcomes = Promise.allSettled(Array.from({ length: 10 }, (_, n) => holdings.hold(user(n))));
  await turn();
  answer(3);
  assert.deepEqual(
    (await outcomes).map(({ status }) => status),
    [...Array(3).fill("fulfilled"), ...Array(7).fill("rejected")],
  );
  assert.ok(performance.now() - start >= 65, `${performance.now() - start} ms`);
  holdings.close();
});

test("a later hold does not fall with an earlier one of the same target", async () => {
  const { binder, answer } = channel();
  const holdings = new Holdings({ buckets: 16, holdTimeoutMs: 60 });
  await holdings.attach(binder);
  const early = holdings.hold(user(1));
  await new Promise((resolve) => setTimeout(resolve, 30));
  const late = holdings.hold(user(1));
  await assert.rejects(early, unavailable);
  assert.equal(holdings.has(user(1)), true);
  answer();
  await late;
  assert.deepEqual(holdings.confirmed(), [user(1)]);
  holdings.close();
});

test("what is confirmed stays held through an outage, and is bound again on the next connection", async () => {
  const first = channel();
  const holdings = new Holdings({ buckets: 1_024, holdTimeoutMs: 20 });
  await holdings.attach(first.binder);
  const holds = [1, 2, 3].map((n) => holdings.hold(user(n)));
  first.answer();
  await Promise.all(holds);
  holdings.release(user(3));
  holdings.detach();
  assert.equal(holdings.boundBuckets, 0);
  await assert.rejects(holdings.hold(user(1)), unavailable);
  const waiting = holdings.hold(user(4));
  const second = channel();
  const attached = holdings.attach(second.binder);
  second.answer();
  await Promise.all([attached, waiting]);
  assert.deepEqual(second.orders.sort(), [1, 2, 4].map((n) => `bind ${bucketOf(user(n), 1_024)}`).sort());
  assert.deepEqual(holdings.confirmed(), [user(1), user(2), user(4)]);
  holdings.close();
});

test("an answer of a connection that has ended confirms nothing", async () => {
  const [first, second] = [channel(), channel()];
  const holdings = new Holdings({ buckets: 16 });
  await holdings.attach(first.binder);
  let held = false;
  const hold = holdings.hold(user(1)).then(() => {
    held = true;
  });
  holdings.detach();
  const attached = holdings.attach(second.binder);
  first.answer();
  await turn();
  assert.equal(held, false);
  assert.equal(holdings.boundBuckets, 0);
  second.answer();
  await Promise.all([hold, attached]);
  holdings.close();
});

test("a bucket that was left before it was bound is unbound too", async () => {
  const { binder, orders, answer } = channel();
  const holdings = new Holdings({ buckets: 16, unbindDelayMs: 5 });
  await holdings.attach(binder);
  const hold = holdings.hold(user(1));
  holdings.release(user(1));
  // Two sweeps and more.
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(orders.length, 1);
  answer();
  await hold;
  await until(() => orders.length === 2);
  assert.equal(orders[1], `unbind ${bucketOf(user(1), 16)}`);
  answer();
  holdings.close();
});

test("a bucket is unbound only after it has been empty for a while", async () => {
  const { binder, orders, answer } = channel();
  const holdings = new Holdings({ buckets: 16, unbindDelayMs: 10 });
  await holdings.attach(binder);
  const hold = holdings.hold(user(1));
  answer();
  await hold;
  for (let n = 0; n < 1_000; n++) {
    holdings.release(user(1));
    await holdings.hold(user(1));
  }
  holdings.release(user(1));
  assert.equal(orders.length, 1);
  await until(() => orders.length > 1);
  assert.equal(orders[1], `unbind ${bucketOf(user(1), 16)}`);
  // A hold while that is under way comes second and wins.
  const again = holdings.hold(user(1));
  answer();
  await again;
  assert.deepEqual(orders.slice(2), [`bind ${bucketOf(user(1), 16)}`]);
  assert.equal(holdings.boundBuckets, 1);
  holdings.close();
});

test("closing rejects what waits, and holds nothing afterwards", async () => {
  const holdings = new Holdings({ buckets: 16 });
  const waiting = holdings.hold(user(1));
  holdings.close();
  await assert.rejects(waiting, unavailable);
  await assert.rejects(holdings.hold(user(1)), unavailable);
  holdings.release(user(1));
  assert.deepEqual(holdings.confirmed(), []);
});

for (const seed of [1, 2, 3, 4, 5]) {
  test(`whatever comes and goes, every confirmed target's bucket is bound, and in the end no other (seed ${seed})`, async () => {
    const random = createDraw(seed);
    const holdings = new Holdings({ buckets: 8, unbindDelayMs: 1, holdTimeoutMs: 10_000 });
    let broker = channel();
    await holdings.attach(broker.binder);
    const wanted = new Set<number>();
    const holds: Promise<void>[] = [];
    for (let step = 0; step < 3_000; step++) {
      const n = random(20);
      const dice = random(100);
      if (dice < 45) {
        wanted.add(n);
        holds.push(
          holdings.hold(user(n)).then(() => {
            const bucket = bucketOf(user(n), 8);
            // Unless it was released again meanwhile.
            if (holdings.has(user(n))) assert.ok(broker.bound.has(bucket), `user_${n} is confirmed and bucket ${bucket} is not bound`);
          }),
        );
      } else if (dice < 85) {
        wanted.delete(n);
        holdings.release(user(n));
      } else if (dice < 96) broker.answer(random(6));
      else if (dice < 99) await new Promise((resolve) => setTimeout(resolve, 2));
      else {
        holdings.detach();
        broker = channel();
        holdings.attach(broker.binder).catch(() => {});
      }
      await turn();
      for (const held of wanted)
        assert.ok(broker.ordered.has(bucketOf(user(held), 8)), `step ${step}: user_${held} is held and its bucket neither bound nor ordered`);
    }
    const buckets = new Set([...wanted].map((n) => bucketOf(user(n), 8)));
    await until(() => {
      broker.answer();
      return holdings.boundBuckets === buckets.size && broker.bound.size === buckets.size;
    });
    await Promise.all(holds);
    assert.deepEqual(broker.bound, buckets);
    holdings.close();
  });
}
