// How fast the client of a v2 connection may send.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createRate } from "../../server/src/ws/rate.ts";

test("a second's worth may come at once, up to ten times as much is refused, and beyond is far over", () => {
  let nowMs = 0;
  const rate = createRate(5, () => nowMs);
  const taken = Array.from({ length: 51 }, () => rate?.take());
  assert.deepEqual([taken.slice(0, 5), taken.slice(5, 50), taken[50]], [Array(5).fill("within"), Array(45).fill("over"), "far_over"]);
  assert.equal(rate?.retryAfterSeconds, 1);
  nowMs = 1_000;
  assert.deepEqual([rate?.take(), rate?.take()], ["within", "within"]);
});

test("a client that keeps on at five times the rate is refused for ever, and never far over", () => {
  let nowMs = 0;
  const rate = createRate(10, () => nowMs);
  const taken = Array.from({ length: 500 }, () => {
    nowMs += 20;
    return rate?.take();
  });
  assert.ok(!taken.includes("far_over"));
  const within = taken.filter((each) => each === "within").length;
  assert.ok(within >= 105 && within <= 115, `${within} of 500 within ten seconds`);
});

test("without a limit there is nothing to count", () => {
  assert.equal(
    createRate(Number.POSITIVE_INFINITY, () => 0),
    undefined,
  );
});
