// When which application is looked at.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createQueue } from "../../server/src/operator/queue.ts";

test("each key is taken once, when it is due, the longest due first", () => {
  const queue = createQueue();
  queue.add("b", 20);
  queue.add("a", 10);
  queue.add("b", 30);
  queue.add("c", 40);
  assert.equal(queue.nextMs(), 10);
  assert.deepEqual(queue.take(9, 9), []);
  assert.deepEqual(queue.take(30, 1), ["a"]);
  assert.deepEqual(queue.take(30, 9), ["b"]);
  assert.equal(queue.nextMs(), 40);
  queue.remove("c");
  assert.equal(queue.nextMs(), Number.POSITIVE_INFINITY);
});

test("failures wait longer and longer, up to five minutes, and success ends that", () => {
  const queue = createQueue(() => 0.5);
  const waits = Array.from({ length: 11 }, () => Math.round(queue.fail("a", 0) / 1_000));
  assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
  queue.succeed("a");
  assert.equal(queue.fail("a", 0), 1_000);
});

test("a change makes a failed key due at once", () => {
  const queue = createQueue(() => 0.5);
  queue.fail("a", 0);
  assert.equal(queue.nextMs(), 1_000);
  queue.add("a", 5);
  assert.deepEqual(queue.take(5, 1), ["a"]);
});
