// What the bench prints, and what it keeps.
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { judge } from "./judge.ts";
import { describeMachine } from "./machine.ts";
import type { Outcome } from "./outcome.ts";
import { outcomeText } from "./report.ts";
import { save } from "./save.ts";
import type { Ratio, Result } from "./scenario.ts";

const ratios: Ratio[] = [
  { name: "ours / raw", values: [0.95, 0.91, 0.99], goal: { atLeast: 0.9, reach: 0.94 } },
  { name: "ours / a|b", values: [1, 1.5, 3], goal: { atMost: 1.2 }, noisy: 2 },
  { name: "ours / half", values: [0.3], goal: { atLeast: 0.9, broken: 0.4 } },
  { name: "only told", values: [7] },
];
const result: Result = {
  ratios,
  figures: [{ name: "hub", value: 123_456, unit: "messages" }],
  curves: [
    {
      name: "growth",
      title: "CPU & <memory>",
      x: "connections",
      y: "µs",
      lines: [
        { name: "push", points: [[1_000, 1] as const, [15_000, 1.25] as const] },
        { name: "loop", points: [[1_000, 1] as const] },
      ],
    },
  ],
};
const scenario = { name: "fanout", title: "Many sockets", run: async () => result };
const good: Outcome = { scenario, result, verdicts: ratios.map(judge), failure: undefined, seconds: 12.3 };
const bad: Outcome = { scenario: { ...scenario, name: "storm" }, result: { ratios: [] }, verdicts: [], failure: new Error("3 messages were lost"), seconds: 1 };

test("a table says what was missed, what was noisy, and what failed", () => {
  const text = outcomeText(good);
  assert.match(text, /^fanout: Many sockets \(12 s\)$/m);
  assert.match(text, /^ {2}reached +ours \/ raw +0\.95 \[0\.91\.\.0\.99\] +≥ 0\.9 \(reach 0\.94\)$/m);
  assert.match(text, /^ {2}MISSED +ours \/ a\|b +1\.5 \[1\.\.3\] +≤ 1\.2 +noisy: 2 of 3$/m);
  assert.match(text, /^ {2}BROKEN +ours \/ half +0\.3 \[0\.3\.\.0\.3\] +≥ 0\.9 \(broken below 0\.4\)$/m);
  assert.match(text, /^ +15000 +1\.25 *$/m);
  assert.match(outcomeText(bad), /FAILED: 3 messages were lost/);
});

test("a page is kept with the machine, the ratios and a drawing of each curve; those of an earlier run go", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "xlvein-bench-"));
  t.after(() => rm(directory, { recursive: true }));
  await writeFile(join(directory, "old.svg"), "old");
  const machine = describeMachine(new Date(0));
  await save(directory, [good, bad], machine, { quick: false });
  assert.deepEqual((await readdir(directory)).sort(), ["RESULTS.md", "growth.svg"]);
  const page = await readFile(join(directory, "RESULTS.md"), "utf8");
  for (const line of [
    "| date | 1970-01-01 00:00 |",
    "| fanout | ours / raw | 0.95 [0.91..0.99] | ≥ 0.9 (reach 0.94) | reached |",
    "| fanout | ours / a\\|b | 1.5 [1..3] | ≤ 1.2 | **missed**, noisy: 2 of 3 |",
    "| fanout | ours / half | 0.3 [0.3..0.3] | ≥ 0.9 (broken below 0.4) | **broken** |",
    "Goals: 1 reached, 0 passed, 1 missed, 1 broken. A scenario in which a message is lost or comes twice fails, and so does the run.",
    "| storm | | | | **failed**: 3 messages were lost |",
    "| hub | 123000 messages |",
    "![CPU & <memory>](growth.svg)",
    "| 15000 | 1.25 |  |",
  ])
    assert.ok(page.split("\n").includes(line), `${line}\nis missing in\n${page}`);
  assert.match(page, new RegExp(`\\| Node\\.js \\| ${process.versions.node.replaceAll(".", "\\.")} \\|`));
});

test("a drawing is SVG with every line's name, and text that is escaped", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "xlvein-bench-"));
  t.after(() => rm(directory, { recursive: true }));
  await save(directory, [good], {}, { quick: false });
  const svg = await readFile(join(directory, "growth.svg"), "utf8");
  assert.match(svg, /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  assert.match(svg, /<title>CPU &amp; &lt;memory&gt;<\/title>/);
  assert.ok(!svg.includes("<style"), "rules of a page");
  for (const name of ["push", "loop", "connections", "µs"]) assert.ok(svg.includes(name), name);
});

test("the machine's description names the commit and the versions that were measured", () => {
  const machine = describeMachine();
  assert.match(machine["commit"] ?? "", /^([0-9a-f]{12}( and changes on top of it)?|unknown)$/);
  assert.match(machine["socket.io"] ?? "", /^4\./);
});
