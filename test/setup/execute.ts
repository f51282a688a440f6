// Runs test files, a few at a time, each in a process group of its own with a deadline.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endGroup, leftInGroup } from "./group.ts";
import type { Line } from "./reporter.ts";
import { environment, type Runtime } from "./runtimes.ts";

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
  readonly passed: number;
  readonly failures: readonly Failure[];
  readonly durationMs: number;
  /** The end of what the file printed. */
  readonly output: string;
}

/** Bounds of a run. */
export interface Bounds {
  /** Files at a time. */
  readonly concurrency: number;
  /** Milliseconds until a single test has failed. */
  readonly testMs: number;
  /** Milliseconds until a whole file is ended. */
  readonly fileMs: number;
}

const OUTPUT_CHARS = 4000;
/** Milliseconds that the processes a test started have to end after the last test. */
const LINGER_MS = 3000;

/** Runs every file on `runtime`; calls `done` as each ends. */
export async function execute(files: readonly string[], runtime: Runtime, bounds: Bounds, done: (outcome: Outcome) => void): Promise<Outcome[]> {
  const queue = [...files];
  const outcomes: Outcome[] = [];
  const worker = async (): Promise<void> => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const outcome = await executeFile(file, runtime, bounds);
      outcomes.push(outcome);
      done(outcome);
    }
  };
  await Promise.all(Array.from({ length: bounds.concurrency }, worker));
  return outcomes;
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

async function executeFile(file: string, runtime: Runtime, bounds: Bounds): Promise<Outcome> {
  const started = performance.now();
  const folder = mkdtempSync(join(tmpdir(), "xlvein-test-"));
  // Tests that change their user look into it as well.
  chmodSync(folder, 0o755);
  try {
    const ended = await runFile(file, runtime, bounds, folder);
    const failures = judge(ended, bounds).map((failure) => ({ ...failure, file, node: runtime.version }));
    const passed = ended.lines.filter((line) => "passed" in line).length;
    const printed = ended.lines.map((line) => ("output" in line ? line.output : "")).join("");
    return { file, passed, failures, durationMs: performance.now() - started, output: (ended.said + printed).slice(-OUTPUT_CHARS) };
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
