// The test runner itself: whatever can go wrong with a test file is counted as a failure.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { expectedSeconds, slowFiles } from "../setup/durations.ts";
import { type Bounds, execute, type Job, type Outcome } from "../setup/execute.ts";
import { findTests, onEveryRuntime } from "../setup/files.ts";
import { idleMeter } from "../setup/idle.ts";
import { mainRuntime } from "../setup/runtimes.ts";

const ROOT = join(import.meta.dirname, "../..");
const HEAD = 'import { after, describe, it } from "node:test";\n';
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "xlvein-run-"));
});
after(() => rm(folder, { recursive: true }));

async function run(source: string, bounds: Partial<Bounds> = {}): Promise<Outcome> {
  const file = join(folder, "planted.test.ts");
  await writeFile(file, HEAD + source);
  const [outcome] = await execute([{ file, runtime: mainRuntime() }], { concurrency: 1, spare: 0, testMs: 20_000, fileMs: 20_000, ...bounds }, () => {});
  assert.ok(outcome);
  return outcome;
}

/** Runs two files with one worker and one to spare; answers how many tests of each passed. */
async function runTwo(sources: readonly [string, string], idleShare: () => number): Promise<number[]> {
  const files = sources.map((_, i) => join(folder, `planted-${i}.test.ts`));
  for (const [i, file] of files.entries()) await writeFile(file, HEAD + sources[i]);
  const jobs = files.map((file): Job => ({ file, runtime: mainRuntime() }));
  const outcomes = await execute(jobs, { concurrency: 1, spare: 1, testMs: 20_000, fileMs: 20_000 }, () => {}, idleShare);
  assert.deepEqual(outcomes.flatMap(failures), []);
  return outcomes.map(({ passed }) => passed);
}

function failures(outcome: Outcome): string[] {
  return outcome.failures.map(({ test, message }) => `${test}: ${message.split("\n")[0]}`);
}

describe("the test runner", () => {
  it("counts tests and subtests, but not suites", async () => {
    const outcome = await run('describe("s", () => { it("a", () => {}); it("b", async (t) => { await t.test("c", () => {}); }); });');
    assert.deepEqual([outcome.passed, failures(outcome)], [3, []]);
  });

  it("names a failed test by its suites and says what it threw", async () => {
    const outcome = await run('describe("s", () => { it("a", () => { throw new Error("boom"); }); it("b", () => {}); });');
    assert.deepEqual([outcome.passed, failures(outcome)], [1, ["s > a: Error: boom"]]);
  });

  it("counts a skipped test and one left to do as failed", async () => {
    const outcome = await run('it("a", { skip: "later" }, () => {}); it("b", { todo: true }, () => {}); it("c", (t) => t.skip());');
    assert.deepEqual([outcome.passed, failures(outcome)], [0, ["a: skipped: later", "b: left to do: no reason given", "c: skipped: no reason given"]]);
  });

  it("counts a hook that throws as failed", async () => {
    const outcome = await run('describe("s", () => { after(() => { throw new Error("boom"); }); it("a", () => {}); });');
    assert.deepEqual([outcome.passed, failures(outcome)], [1, ["s: Error: boom"]]);
  });

  it("counts a file without a test as failed", async () => {
    assert.deepEqual(failures(await run("")), ["(file): the file has no test"]);
  });

  it("counts a file that cannot be loaded as failed, and shows why", async () => {
    const outcome = await run('import "./absent.ts";');
    assert.deepEqual(failures(outcome), ["(file): the file failed outside its tests: exit status 1"]);
    assert.match(outcome.output, /Cannot find module .*absent\.ts/);
  });

  it("counts a file whose process dies as failed", async () => {
    const outcome = await run('it("a", async () => { process.kill(process.pid, "SIGKILL"); await new Promise(() => {}); });');
    assert.deepEqual(failures(outcome), ["(file): the file failed outside its tests: ended by SIGKILL"]);
  });

  it("counts an error after the last test as failed", async () => {
    const outcome = await run('it("a", () => { setTimeout(() => { throw new Error("late"); }, 10); });');
    assert.deepEqual([outcome.passed, failures(outcome)], [1, ["(file): the file failed outside its tests: exit status 1"]]);
    assert.match(outcome.output, /late/);
  });

  it("ends a test at its deadline", async () => {
    const outcome = await run(
      'it("a", async () => { const timer = setTimeout(() => {}, 60_000); await new Promise(() => {}).finally(() => clearTimeout(timer)); });',
      {
        testMs: 300,
        fileMs: 3000,
      },
    );
    assert.match(failures(outcome).join("\n"), /^a: .*timed out after 300ms/);
  });

  it("ends a file that leaves something open, or never yields, at its deadline", async () => {
    const open = await run('it("a", () => { setInterval(() => {}, 1000); });', { fileMs: 2000 });
    assert.deepEqual(failures(open), ["(file): not finished after 2 s: a test hangs, or something it opened is still open"]);
    const busy = await run('it("a", () => { for (;;); });', { fileMs: 2000 });
    assert.deepEqual([busy.passed, failures(busy)], [0, ["(file): not finished after 2 s: a test hangs, or something it opened is still open"]]);
  });

  it("ends and reports processes that a file leaves running", async () => {
    const outcome = await run(
      'import { spawn } from "node:child_process"; it("a", () => { spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" }).unref(); });',
    );
    assert.equal(outcome.passed, 1);
    assert.match(failures(outcome).join("\n"), /^\(file\): left processes running: .*setInterval/);
  });

  it("starts one file more while the processors idle, and none while they are busy", async () => {
    // The first file waits for the second one, or for a second look at processors that are busy.
    const [seen, looked] = [join(folder, "seen"), join(folder, "looked")];
    const waits = (path: string): string => `while (!existsSync(${JSON.stringify(path)})) await new Promise((next) => setTimeout(next, 20));`;
    const imports = 'import { existsSync, writeFileSync } from "node:fs";';
    const second = `${imports} it("second", () => writeFileSync(${JSON.stringify(seen)}, ""));`;
    const idle = await runTwo([`${imports} it("first", async () => { ${waits(seen)} });`, second], () => 1);
    assert.deepEqual(idle, [1, 1]);

    await rm(seen);
    let looks = 0;
    const busy = (): number => {
      if (++looks === 2) writeFileSync(looked, "");
      return 0;
    };
    const alone = `${imports} it("first", async () => { ${waits(looked)} if (existsSync(${JSON.stringify(seen)})) throw new Error("not alone"); });`;
    assert.deepEqual(await runTwo([alone, second], busy), [1, 1]);
  });

  it("measures what share of the processors' time has passed idle", () => {
    const readings = [
      { all: 100, idle: 50 },
      { all: 200, idle: 125 },
      { all: 300, idle: 125 },
      { all: 300, idle: 125 },
    ];
    const share = idleMeter(() => readings.shift() ?? { all: 0, idle: 0 });
    assert.deepEqual([share(), share(), share()], [0.75, 0, 0]);
    const real = idleMeter();
    assert.ok(real() >= 0 && real() <= 1);
  });

  it("begins with the files that are known to be slow, which are there", () => {
    const all = findTests(ROOT, []);
    for (const file of slowFiles) assert.ok(all.includes(file), file);
    assert.ok(expectedSeconds(slowFiles[0] ?? "") > expectedSeconds("test/absent.test.ts"));
  });

  it("finds test files by folder or name, and refuses a path that holds none", () => {
    assert.ok(findTests(ROOT, ["./test/repository/"]).includes("test/repository/run.test.ts"));
    assert.deepEqual(findTests(ROOT, ["test/repository/run.test.ts"]), ["test/repository/run.test.ts"]);
    assert.throws(() => findTests(ROOT, ["test/absent"]), /test\/absent: there is no test file here/);
    assert.equal(onEveryRuntime("test/repository/run.test.ts"), false);
  });
});
