// Ratios are judged by their median, with slack in a quick run.
import assert from "node:assert/strict";
import { test } from "node:test";
import { goalText, judge } from "./judge.ts";

const full = { quick: false };
const quick = { quick: true };

test("the median is judged, not the best repetition and not the worst", () => {
  assert.equal(judge({ name: "a", values: [0.5, 0.91, 2], goal: { atLeast: 0.9 } }, full).state, "passed");
  assert.equal(judge({ name: "a", values: [0.5, 0.89, 2], goal: { atLeast: 0.9 } }, full).state, "missed");
  assert.equal(judge({ name: "a", values: [3, 1.2, 0.1], goal: { atMost: 1.2 } }, full).state, "passed");
  assert.equal(judge({ name: "a", values: [3, 1.21, 0.1], goal: { atMost: 1.2 } }, full).state, "missed");
});

test("a quick run loosens every goal by 15 %, in the right direction", () => {
  assert.equal(judge({ name: "a", values: [0.86], goal: { atLeast: 1 } }, quick).state, "passed");
  assert.equal(judge({ name: "a", values: [0.84], goal: { atLeast: 1 } }, quick).state, "missed");
  assert.equal(judge({ name: "a", values: [1.14], goal: { atMost: 1 } }, quick).state, "passed");
  assert.equal(judge({ name: "a", values: [1.16], goal: { atMost: 1 } }, quick).state, "missed");
});

test("a ratio without a goal is told, and never judged", () => {
  const { state, median, least, most } = judge({ name: "a", values: [3, 1, 2] }, full);
  assert.deepEqual({ state, median, least, most }, { state: "told", median: 2, least: 1, most: 3 });
});

test("a ratio without values, or with one that is no number, misses its goal", () => {
  for (const values of [[], [Number.NaN, 5, 5], [Number.POSITIVE_INFINITY, 5, 5]])
    for (const goal of [{ atLeast: 1 }, { atMost: 9 }])
      assert.equal(judge({ name: "a", values, goal }, full).state, "missed", `${values} ${JSON.stringify(goal)}`);
});

test("a goal with two bounds, or with none, is an error in the scenario", () => {
  for (const goal of [{}, { atLeast: 1, atMost: 2 }, { reach: 1 }])
    assert.throws(() => judge({ name: "a", values: [1], goal }, full), /either a floor or a ceiling/);
});

test("what the best prototype reached is told apart from what is good enough", () => {
  assert.equal(judge({ name: "a", values: [0.95], goal: { atLeast: 0.9, reach: 0.97 } }, full).reached, false);
  assert.equal(judge({ name: "a", values: [0.98], goal: { atLeast: 0.9, reach: 0.97 } }, full).reached, true);
  assert.equal(judge({ name: "a", values: [1.3], goal: { atMost: 1.35, reach: 1.2 } }, full).reached, false);
  assert.equal(judge({ name: "a", values: [1.1], goal: { atMost: 1.35, reach: 1.2 } }, full).reached, true);
  assert.equal(goalText({ name: "a", values: [], goal: { atMost: 1.35, reach: 1.2 } }), "≤ 1.35 (reach 1.2)");
  assert.equal(goalText({ name: "a", values: [], goal: { atLeast: 8 } }), "≥ 8");
});
