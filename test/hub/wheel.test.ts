// The timer wheel: one timer for every connection's next moment.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createWheel, type Timed } from "../../server/src/hub/wheel.ts";

function item(onTimer: Timed["onTimer"]): Timed {
  return { slot: -1, onTimer };
}

/** The mocked clock shows the end of a tick to everything within it, so it moves in small ones. */
function advance(t: TestContext, ms: number): void {
  for (let passed = 0; passed < ms; passed += 50) t.mock.timers.tick(50);
}

test("an item is called once its time has come, and again after the delay that it answers", (t) => {
  t.mock.timers.enable({ apis: ["setInterval", "Date"], now: 1_000_000 });
  const wheel = createWheel(Date.now);
  const calls: number[] = [];
  wheel.add(
    item((now) => {
      calls.push(now - 1_000_000);
      return calls.length < 3 ? 1_000 : undefined;
    }),
    500,
  );
  advance(t, 10_000);
  wheel.close();
  assert.deepEqual(calls, [500, 1_500, 2_500]);
});

test("a wait longer than a turn of the wheel still ends: the item is asked early and waits on", (t) => {
  t.mock.timers.enable({ apis: ["setInterval", "Date"], now: 0 });
  const wheel = createWheel(Date.now);
  const dueMs = 200_000;
  let done = 0;
  wheel.add(
    item((now) => {
      if (now < dueMs) return dueMs - now;
      done = now;
      return undefined;
    }),
    dueMs,
  );
  advance(t, 210_000);
  wheel.close();
  assert.equal(done, dueMs);
});

test("an item that was removed, or that removes another in its turn, is not called", (t) => {
  t.mock.timers.enable({ apis: ["setInterval", "Date"], now: 0 });
  const wheel = createWheel(Date.now);
  let called = 0;
  const removed = item(() => {
    called++;
    return undefined;
  });
  wheel.add(removed, 300);
  wheel.remove(removed);
  advance(t, 2_000);
  wheel.close();
  assert.equal(called, 0);
});

test("an item that another moves in the same step waits for its new moment, once", (t) => {
  t.mock.timers.enable({ apis: ["setInterval", "Date"], now: 0 });
  const wheel = createWheel(Date.now);
  const calls: number[] = [];
  const moved = item((now) => void calls.push(now) as undefined);
  wheel.add(
    item(() => {
      wheel.remove(moved);
      wheel.add(moved, 1_000);
      return undefined;
    }),
    500,
  );
  wheel.add(moved, 500);
  advance(t, 5_000);
  wheel.close();
  assert.deepEqual(calls, [1_500]);
});

test("ticks go on at their pace, whatever the clock does", (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  let nowMs = 10_000_000;
  const wheel = createWheel(() => nowMs);
  assert.equal(wheel.tick, 0);
  for (let step = 0; step < 4; step++) {
    nowMs += 250;
    t.mock.timers.tick(250);
  }
  assert.equal(wheel.tick, 4);
  nowMs -= 1_000;
  t.mock.timers.tick(250);
  assert.equal(wheel.tick, 8, "never back");
  wheel.close();
});

test("a clock that jumps an hour ahead calls everything that is due, once", (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  let nowMs = 0;
  const wheel = createWheel(() => nowMs);
  let called = 0;
  for (let i = 0; i < 100; i++)
    wheel.add(
      item(() => {
        called++;
        return undefined;
      }),
      i * 700,
    );
  nowMs = 3_600_000;
  t.mock.timers.tick(250);
  wheel.close();
  assert.equal(called, 100);
});
