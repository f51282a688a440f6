// The token bucket against a clock that the test moves.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createTokenBucket } from "../../server/src/limits/token-bucket.ts";

function clock(startMs = 1_000): { now: () => number; advance: (ms: number) => void } {
  let nowMs = startMs;
  return { now: () => nowMs, advance: (ms) => void (nowMs += ms) };
}

function takeAll(take: () => boolean): number {
  let taken = 0;
  while (take()) taken++;
  return taken;
}

describe("a token bucket", () => {
  it("lets the burst pass, then the rate", () => {
    const { now, advance } = clock();
    const bucket = createTokenBucket(10, 5, now);
    assert.equal(takeAll(bucket.take), 5);
    advance(99);
    assert.equal(bucket.take(), false);
    advance(1);
    assert.equal(takeAll(bucket.take), 1);
    advance(60_000);
    assert.equal(takeAll(bucket.take), 5, "it never holds more than the burst");
  });

  it("passes rate × time over a long run, however it is asked", () => {
    const { now, advance } = clock();
    const bucket = createTokenBucket(7, 7, now);
    let taken = takeAll(bucket.take);
    for (let i = 0; i < 10_000; i++) {
      advance(i % 13);
      if (bucket.take()) taken++;
    }
    const allowed = 7 + (7 * (now() - 1_000)) / 1_000;
    assert.ok(taken <= allowed && taken > allowed - 2, `${taken} of ${allowed}`);
  });

  it("tells whole seconds to wait, at least one", () => {
    const { now } = clock();
    const fast = createTokenBucket(100, 1, now);
    fast.take();
    assert.equal(fast.retryAfterSeconds(), 1);
    const slow = createTokenBucket(0.25, 1, now);
    slow.take();
    assert.equal(slow.retryAfterSeconds(), 4);
    const never = createTokenBucket(0, 1, now);
    assert.equal(never.take(), true);
    assert.equal(never.take(), false);
    assert.equal(never.retryAfterSeconds(), 3_600);
  });

  it("takes several at once or none, and more than the burst only when full", () => {
    const { now, advance } = clock();
    const bucket = createTokenBucket(10, 10, now);
    assert.equal(bucket.take(4), true);
    assert.equal(bucket.take(7), false);
    assert.equal(bucket.take(6), true);
    assert.equal(bucket.take(50), false);
    assert.equal(bucket.retryAfterSeconds(50), 1);
    advance(1_000);
    assert.equal(bucket.take(50), true);
    assert.equal(bucket.take(), false);
    assert.equal(bucket.retryAfterSeconds(), 5);
    advance(4_000);
    assert.equal(bucket.take(), false, "the debt is paid first");
    advance(100);
    assert.equal(bucket.take(), true);
  });

  it("never refuses at an infinite rate", () => {
    const bucket = createTokenBucket(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, () => 0);
    for (let i = 0; i < 1_000; i++) assert.equal(bucket.take(1_000), true);
    assert.equal(bucket.retryAfterSeconds(), 1);
  });

  it("stands still while the clock goes back", () => {
    const { now, advance } = clock(10_000);
    const bucket = createTokenBucket(1, 1, now);
    bucket.take();
    advance(-9_000);
    assert.equal(bucket.take(), false);
    advance(1_000);
    assert.equal(bucket.take(), true);
  });
});
