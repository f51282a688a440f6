// Runs test files, as many at a time as keep the machine busy, each in a process group of its own with a deadline.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { endGroup, leftInGroup } from "./group.ts";
import { idleMeter } from "./idle.ts";
import type { Line } from "./reporter.ts";
import { environment, type Runtime } from "./runtimes.ts";

/** A test file, and the Node that runs it. */
export interface Job {
  readonly file: string;
  readonly runtime: Runtime;
}

/** One failure, as the summary shows it. */
export interface Failure {
  readonly file: string;
  readonly node: string;
  readonly test: string;
  readonly message: string;
}

/** What became of one file. */
export interface Outcome {
  readonly file: string;
  /** The version that ran it. */
  readonly node: string;
  readonly passed: number;
  readonly failures: readonly Failure[];
  readonly durationMs: number;
  /** The end of what the file printed. */
  readonly output: string;
}

/** Bounds of a run. */
export interface Bounds {
  /** Files at a time, however busy the machine is. */
  readonly concurrency: number;
  /** Files beyond those while the processors idle, as they do where tests wait for something. */
  readonly spare: number;
  /** Milliseconds until a single test has failed. */
  readonly testMs: number;
  /** Milliseconds until a whole file is ended. */
  readonly fileMs: number;
}

const OUTPUT_CHARS = 4000;
/** Milliseconds that the processes a test started have to end after the last test. */
const LINGER_MS = 3000;

/** Between two looks at whether the processors idle; a file that was just started has begun to work by then. */
const SAMPLE_MS = 700;
/** The share of idle time from which one file more is started. */
const IDLE_SHARE = 0.25;

/** Runs every job, the first one first; calls `done` as each ends. `idleShare` tells which share of the processors has idled since it was last asked. */
export async function execute(jobs: readonly Job[], bounds: Bounds, done: (outcome: Outcome) => void, idleShare = idleMeter()): Promise<Outcome[]> {
  const queue = [...jobs];
  const outcomes: Outcome[] = [];
  const run = async (job: Job): Promise<void> => {
    const outcome = await executeFile(job, bounds);
    outcomes.push(outcome);
    done(outcome);
  };
  const worker = async (): Promise<void> => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) await run(job);
  };
  await Promise.all([...Array.from({ length: bounds.concurrency }, worker), fill(queue, bounds.spare, run, idleShare)]);
  return outcomes;
}

/** Takes one job more from the queue whenever the processors idle; at most `spare` at a time. */
async function fill(queue: Job[], spare: number, run: (job: Job) => Promise<void>, idleShare: () => number): Promise<void> {
  const running = new Set<Promise<void>>();
  while (spare > 0 && queue.length > 0) {
    await sleep(SAMPLE_MS);
    if (idleShare() < IDLE_SHARE || running.size >= spare) continue;
    const job = queue.shift();
    if (job === undefined) break;
    const ended = run(job).finally(() => running.delete(ended));
    running.add(ended);
  }
  await Promise.all(running);
}

/** How a runner's process ended, and what it left. */
interface Ended {
  readonly lines: readonly Line[];
  /** What the runner itself printed. */
  readonly said: string;
  /** "exit status 1", "SIGKILL"; undefined when all was well. */
  readonly fault: string | undefined;
  readonly late: boolean;
  /** Command lines of the processes still running. */
  readonly left: readonly string[];
}

async function executeFile({ file, runtime }: Job, bounds: Bounds): Promise<Outcome> {
  const started = performance.now();
  const folder = mkdtempSync(join(tmpdir(), "xlvein-test-"));
  // Tests that change their user look into it as well.
  chmodSync(folder, 0o755);
  try {
    const ended = await runFile(file, runtime, bounds, folder);
    const failures = judge(ended, bounds).map((failure) => ({ ...failure, file, node: runtime.version }));
    const passed = ended.lines.filter((line) => "passed" in line).length;
    const printed = ended.lines.map((line) => ("output" in line ? line.output : "")).join("");
    return { file, node: runtime.version, passed, failures, durationMs: performance.now() - started, output: (ended.said + printed).slice(-OUTPUT_CHARS) };
  } finally {
    removeFolder(folder);
  }
}

/** Runs one file; its temporary files are in `folder` and go with it, also when this process is stopped. */
async function runFile(file: string, runtime: Runtime, { testMs, fileMs }: Bounds, folder: string): Promise<Ended> {
  const report = join(folder, "report");
  const reporter = [`--test-reporter=${join(import.meta.dirname, "reporter.ts")}`, `--test-reporter-destination=${report}`];
  const env = { ...environment(runtime), TMPDIR: folder };
  const child = spawn(runtime.path, ["--test", `--test-timeout=${testMs}`, ...reporter, file], { detached: true, stdio: ["ignore", "pipe", "pipe"], env });
  const group = child.pid ?? Number.NaN;
  const stopped = (): void => {
    endGroup(group);
    removeFolder(folder);
  };
  process.once("exit", stopped);
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  let late = false;
  const deadline = setTimeout(() => {
    late = true;
    endGroup(group);
  }, fileMs);
  const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
  clearTimeout(deadline);
  const left = await leftInGroup(group, LINGER_MS);
  endGroup(group);
  process.off("exit", stopped);
  return { lines: await readReport(report), said, fault: code === 0 ? undefined : (signal ?? `exit status ${code}`), late, left };
}

/** What failed: tests, and the file itself where it did not end as it should. */
function judge({ lines, fault, late, left }: Ended, { fileMs }: Bounds): Pick<Failure, "test" | "message">[] {
  const failures = lines.flatMap((line) => ("failed" in line ? [{ test: line.failed, message: line.message }] : []));
  const file = (message: string): number => failures.push({ test: "(file)", message });
  if (late) file(`not finished after ${fileMs / 1000} s: a test hangs, or something it opened is still open`);
  else if (failures.length === 0 && fault !== undefined) file(`the test runner ended with ${fault}`);
  else if (failures.length === 0 && !lines.some((line) => "passed" in line)) file("the file has no test");
  if (left.length > 0 && !late) file(`left processes running: ${left.join("; ")}`);
  return failures;
}

function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

/** The complete lines of a report; the runner may have died in the middle of one. */
async function readReport(path: string): Promise<Line[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
}
