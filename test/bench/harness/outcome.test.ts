// Whatever happens in a scenario, it is counted.
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { count, runScenario, tally } from "./outcome.ts";
import type { Context, Result } from "./scenario.ts";
import { createStage } from "./stage.ts";

const options = { quick: false, runStage: createStage(), progress() {} };
const run = (work: (context: Context) => Promise<Result>, limits: Parameters<typeof runScenario>[2] = {}) =>
  runScenario({ name: "a", title: "A", run: work }, options, limits);

test("each ratio of which something is asked counts, and that nothing was lost; what is only told does not", async () => {
  const outcome = await run(async () => ({
    ratios: [
      { name: "best", values: [2], goal: { atLeast: 1, reach: 2 } },
      { name: "good", values: [2], goal: { atLeast: 1 } },
      { name: "missed", values: [2], goal: { atMost: 1, broken: 3 } },
      { name: "broken", values: [2], goal: { atLeast: 8, broken: 4 } },
      { name: "told", values: [2] },
    ],
  }));
  assert.deepEqual(count([outcome], { goals: true }), { passed: 3, failed: 2 });
  assert.deepEqual(count([outcome], { goals: false }), { passed: 2, failed: 1 });
  assert.equal(tally([outcome]), "1 reached, 1 passed, 1 missed, 1 broken");
});

test("a scenario that rejects has failed, and what it started is ended", async () => {
  let ended = false;
  const outcome = await run(async ({ stage }) => {
    stage.after(() => {
      ended = true;
    });
    throw new Error("3 messages were lost");
  });
  assert.equal(outcome.failure?.message, "3 messages were lost");
  assert.ok(ended);
  for (const goals of [true, false]) assert.deepEqual(count([outcome], { goals }), { passed: 0, failed: 1 });
});

test("an error that nobody catches fails the scenario that it happens in", async () => {
  // The process's own would end this test.
  const events = new EventEmitter();
  for (const event of ["uncaughtException", "unhandledRejection"]) {
    const outcome = await run(
      () => {
        setImmediate(() => events.emit(event, new Error("a receiver was disconnected")));
        return new Promise(() => {});
      },
      { events },
    );
    assert.equal(outcome.failure?.message, "a receiver was disconnected");
    assert.equal(events.listenerCount(event), 0);
  }
});

test("a scenario that does not end fails after its time", async () => {
  const outcome = await run(() => new Promise(() => {}), { limitMs: 50 });
  assert.match(outcome.failure?.message ?? "", /has not ended within 0.05 s/);
});

test("a scenario whose servers cannot be ended has failed", async () => {
  const outcome = await run(async ({ stage }) => {
    stage.after(() => Promise.reject(new Error("it lives on")));
    return { ratios: [] };
  });
  assert.equal(outcome.failure?.message, "it lives on");
});
