// Ratios are judged by their median.
import assert from "node:assert/strict";
import { test } from "node:test";
import { goalText, judge, passes } from "./judge.ts";
import type { Goal } from "./scenario.ts";

const stateOf = (goal: Goal | undefined, ...values: number[]) => judge({ name: "a", values, ...(goal ? { goal } : {}) }).state;

test("the median is judged, not the best repetition and not the worst", () => {
  assert.equal(stateOf({ atLeast: 0.9 }, 0.5, 0.91, 2), "passed");
  assert.equal(stateOf({ atLeast: 0.9 }, 0.5, 0.89, 2), "missed");
  assert.equal(stateOf({ atMost: 1.2 }, 3, 1.2, 0.1), "passed");
  assert.equal(stateOf({ atMost: 1.2 }, 3, 1.21, 0.1), "missed");
});

test("what the best prototype reached is told apart from what is good enough", () => {
  assert.equal(stateOf({ atLeast: 0.9, reach: 0.97 }, 0.95), "passed");
  assert.equal(stateOf({ atLeast: 0.9, reach: 0.97 }, 0.98), "reached");
  assert.equal(stateOf({ atMost: 1.35, reach: 1.2 }, 1.3), "passed");
  assert.equal(stateOf({ atMost: 1.35, reach: 1.2 }, 1.1), "reached");
});

test("what is further off than a busy machine explains is broken, on either side", () => {
  assert.equal(stateOf({ atLeast: 0.9, broken: 0.4 }, 0.4), "missed");
  assert.equal(stateOf({ atLeast: 0.9, broken: 0.4 }, 0.39), "broken");
  assert.equal(stateOf({ atMost: 1.2, broken: 2.5 }, 2.5), "missed");
  assert.equal(stateOf({ atMost: 1.2, broken: 2.5 }, 2.6), "broken");
});

test("a ratio without a goal is told, and never judged", () => {
  const { state, median, least, most } = judge({ name: "a", values: [3, 1, 2] });
  assert.deepEqual({ state, median, least, most }, { state: "told", median: 2, least: 1, most: 3 });
});

test("a ratio without values, or with one that is no number, is broken", () => {
  for (const values of [[], [Number.NaN, 5, 5], [Number.POSITIVE_INFINITY, 5, 5]])
    for (const goal of [{ atLeast: 1 }, { atMost: 9 }]) assert.equal(stateOf(goal, ...values), "broken", `${values} ${JSON.stringify(goal)}`);
});

test("a full run asks for every goal; a quick one only that nothing is broken", () => {
  const asked = (goals: boolean, goal: Goal | undefined, value: number) => passes(judge({ name: "a", values: [value], ...(goal ? { goal } : {}) }), { goals });
  const goal = { atLeast: 0.9, reach: 0.97, broken: 0.4 };
  assert.deepEqual(
    [1, 0.95, 0.5, 0.3].map((value) => asked(true, goal, value)),
    [true, true, false, false],
  );
  assert.deepEqual(
    [1, 0.95, 0.5, 0.3].map((value) => asked(false, goal, value)),
    [true, true, true, false],
  );
  // Nothing that could fail is counted as passed.
  assert.deepEqual([asked(false, { atLeast: 0.9 }, 1), asked(false, { atLeast: 0.9 }, 0.1), asked(true, { atLeast: 0.9 }, 0.1)], [undefined, undefined, false]);
  assert.deepEqual([asked(false, { atLeast: 0.9 }, Number.NaN), asked(false, undefined, 1), asked(true, undefined, 1)], [false, undefined, undefined]);
});

test("a goal with two bounds, with none, or with what reaches it called broken, is an error in the scenario", () => {
  for (const goal of [{}, { atLeast: 1, atMost: 2 }, { reach: 1 }]) assert.throws(() => stateOf(goal, 1), /either a floor or a ceiling/);
  for (const goal of [
    { atLeast: 1, broken: 1 },
    { atMost: 1, broken: 0.9 },
  ])
    assert.throws(() => stateOf(goal, 1), /what reaches its goal is not broken/);
});

test("a goal is told with all that belongs to it", () => {
  const text = (goal: Goal) => goalText({ name: "a", values: [], goal });
  assert.equal(text({ atMost: 1.35, reach: 1.2 }), "≤ 1.35 (reach 1.2)");
  assert.equal(text({ atLeast: 8 }), "≥ 8");
  assert.equal(text({ atLeast: 8, reach: 12, broken: 4 }), "≥ 8 (reach 12, broken below 4)");
  assert.equal(text({ atMost: 1, broken: 3 }), "≤ 1 (broken above 3)");
});
