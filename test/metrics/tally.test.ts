// The tallies of hot paths say what prom-client's own metrics would say.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Counter, Histogram, Registry } from "prom-client";
import { register, TallyCounter, TallyHistogram } from "../../server/src/metrics/tally.ts";

const BOUNDS = [0.0005, 0.25, 1, 2.5];

describe("a counter", () => {
  it("without labels reads as prom-client's", async () => {
    const [ours, theirs] = [new Registry(), new Registry()];
    const tally = register(ours, new TallyCounter({ name: "a_total", help: "Help." }, []));
    const counter = new Counter({ name: "a_total", help: "Help.", registers: [theirs] });
    assert.equal(await ours.metrics(), await theirs.metrics(), "it starts at 0");
    for (const by of [undefined, 1, 0, 2.5, 1e9]) {
      tally.inc(by);
      counter.inc(by);
    }
    assert.equal(await ours.metrics(), await theirs.metrics());
    assert.deepEqual(await ours.getMetricsAsJSON(), await theirs.getMetricsAsJSON());
    ours.resetMetrics();
    theirs.resetMetrics();
    assert.equal(await ours.metrics(), await theirs.metrics());
  });

  it("with labels reads as prom-client's, whatever the values hold", async () => {
    const [ours, theirs] = [new Registry(), new Registry()];
    const names = ["app", "code"] as const;
    const tally = register(ours, new TallyCounter<"app" | "code">({ name: "a_total", help: 'H "e"\nlp.' }, names));
    const counter = new Counter({ name: "a_total", help: 'H "e"\nlp.', labelNames: names, registers: [theirs] });
    assert.equal(await ours.metrics(), await theirs.metrics(), "there is no series yet");
    for (const labels of [
      { app: "test", code: "200" },
      { code: "200", app: "test" },
      { app: "a", code: "bc" },
      { app: "ab", code: "c" },
      { app: "1:a", code: "" },
      { app: "", code: "1:a" },
      { app: 'q"uo\\te\n', code: "用户" },
      { app: "__proto__", code: "constructor" },
    ]) {
      tally.inc(labels);
      tally.inc(labels, 2);
      counter.inc(labels);
      counter.inc(labels, 2);
    }
    assert.equal(await ours.metrics(), await theirs.metrics());
  });

  it("hands out a series that goes on after a reset, and is not shown before it is counted in", async () => {
    const tally = new TallyCounter<"app">({ name: "a_total", help: "Help." }, ["app"]);
    const series = tally.labels({ app: "test" });
    assert.deepEqual((await tally.get()).values, []);
    series.inc();
    tally.inc({ app: "test" }, 2);
    assert.deepEqual((await tally.get()).values, [{ labels: { app: "test" }, value: 3 }]);
    tally.reset();
    assert.deepEqual((await tally.get()).values, []);
    series.inc(0);
    assert.deepEqual((await tally.get()).values, [{ labels: { app: "test" }, value: 0 }]);
  });

  it("never goes down", () => {
    const tally = new TallyCounter({ name: "a_total", help: "Help." }, []);
    for (const by of [-1, Number.NaN, Number.POSITIVE_INFINITY]) assert.throws(() => tally.inc(by), RangeError);
  });
});

describe("a histogram", () => {
  it("reads as prom-client's, at and around its bounds", async () => {
    const [ours, theirs] = [new Registry(), new Registry()];
    const tally = register(ours, new TallyHistogram({ name: "a_seconds", help: "Help." }, BOUNDS));
    const histogram = new Histogram({ name: "a_seconds", help: "Help.", buckets: BOUNDS, registers: [theirs] });
    assert.equal(await ours.metrics(), await theirs.metrics(), "it starts at 0");
    for (const value of [0, 0.0005, 0.00050001, 0.25, 0.9, 1, 2.5, 2.6, 1e6]) {
      tally.observe(value);
      histogram.observe(value);
    }
    assert.equal(await ours.metrics(), await theirs.metrics());
    tally.reset();
    assert.deepEqual(
      (await tally.get()).values.map(({ value }) => value),
      [0, 0, 0, 0, 0, 0, 0],
    );
  });

  it("takes finite values only", () => {
    const tally = new TallyHistogram({ name: "a_seconds", help: "Help." }, BOUNDS);
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) assert.throws(() => tally.observe(value), RangeError);
  });
});

describe("a tally", () => {
  it("does not share its name with another metric of the registry", () => {
    const registry = new Registry();
    register(registry, new TallyCounter({ name: "a_total", help: "Help." }, []));
    assert.throws(() => register(registry, new TallyCounter({ name: "a_total", help: "Help." }, [])), /already been registered/);
  });
});
