// Subjects take turns, and a repetition that others disturbed is made again.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Effort, interleave, type Subject, watchEffort } from "./measure.ts";

const context = (quick = true) => ({ quick, progress() {} });

/** Subjects that note when they are measured; each answers what it is given, then counts on. */
function subjects(...names: string[]): { calls: string[]; all: Subject[] } {
  const calls: string[] = [];
  const all = names.map((name): Subject => {
    let next = 0;
    return {
      name,
      pids: [],
      async measure() {
        calls.push(name);
        return ++next;
      },
    };
  });
  return { calls, all };
}

/** Answers the foreign cores in order, one for each repetition, 0 at the end. */
function watching(...foreign: number[]): typeof watchEffort {
  return async () => async (): Promise<Effort> => ({ foreign: foreign.shift() ?? 0, generator: 0.5, servers: 1 });
}

test("subjects are measured in turns, each second time in reverse, after a warm-up", async () => {
  const { calls, all } = subjects("a", "b");
  await interleave(context(), all, { watch: watching() });
  assert.equal(calls.join(""), "ab" + "ab" + "ba" + "ab");
});

test("a quick run has three repetitions, a full one five", async () => {
  for (const [quick, repetitions] of [
    [true, 3],
    [false, 5],
  ] as const) {
    const { all } = subjects("a");
    const measured = await interleave(context(quick), all, { watch: watching() });
    assert.equal(measured.of(all[0] as Subject).length, repetitions);
  }
});

test("the warm-up is left out of the values, and can be left out altogether", async () => {
  const { calls, all } = subjects("a");
  const measured = await interleave(context(), all, { repetitions: 2, watch: watching() });
  assert.deepEqual(measured.of(all[0] as Subject), [2, 3]);
  await interleave(context(), all, { repetitions: 2, warmUp: false, watch: watching() });
  assert.equal(calls.length, 3 + 2);
});

test("a noisy repetition is made again, and the quiet one counts", async () => {
  const { all } = subjects("a");
  const measured = await interleave(context(false), all, { repetitions: 2, warmUp: false, watch: watching(0.1, 0.9, 0.2) });
  assert.deepEqual(measured.of(all[0] as Subject), [1, 3]);
  assert.equal(measured.noisy, 0);
});

test("a repetition that stays noisy is tried twice more; the quietest counts, and is flagged", async () => {
  const { all } = subjects("a");
  const measured = await interleave(context(false), all, { repetitions: 2, warmUp: false, watch: watching(0.9, 0.5, 0.7, 0) });
  assert.deepEqual(measured.of(all[0] as Subject), [2, 4]);
  assert.equal(measured.noisy, 1);
  assert.equal(measured.ratio("name", all[0] as Subject, all[0] as Subject).noisy, 1);
});

test("on a machine that stays noisy nothing is tried again for ever", async () => {
  const { calls, all } = subjects("a");
  const measured = await interleave(context(false), all, { repetitions: 5, warmUp: false, watch: watching(...Array<number>(50).fill(1)) });
  assert.equal(measured.noisy, 5);
  assert.equal(calls.length, 3 + 3 + 1 + 1 + 1);
});

test("a quick run flags what is noisy, and goes on", async () => {
  const { calls, all } = subjects("a");
  const measured = await interleave(context(), all, { repetitions: 2, warmUp: false, watch: watching(0.9, 0.1) });
  assert.deepEqual([calls.length, measured.noisy], [2, 1]);
});

test("ratios are made of repetitions next to one another, either way round", async () => {
  const { all } = subjects("a", "b");
  const [a, b] = all as [Subject, Subject];
  await b.measure();
  const measured = await interleave(context(), all, { repetitions: 3, warmUp: false, watch: watching() });
  assert.deepEqual(measured.ratios(a, b), [1 / 2, 2 / 3, 3 / 4]);
  assert.deepEqual(measured.ratio("name", a, b, { atLeast: 1 }, "inverse"), { name: "name", values: [2, 3 / 2, 4 / 3], noisy: 0, goal: { atLeast: 1 } });
});

test("a subject that loses a message ends the measurement", async () => {
  const lost: Subject = { name: "a", pids: [], measure: () => Promise.reject(new Error("1 message was lost")) };
  await assert.rejects(interleave(context(), [lost], { watch: watching() }), /1 message was lost/);
});

test("the cores that this process and others have used are found out", async () => {
  const effort = await watchEffort([process.ppid]);
  const until = performance.now() + 300;
  while (performance.now() < until) Math.sqrt(until);
  await sleep(20);
  const { foreign, generator, servers } = await effort();
  assert.ok(generator > 0.05 && generator <= 1.2, `this process used ${generator} cores`);
  assert.ok(foreign >= 0 && servers >= 0);
});
