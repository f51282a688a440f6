// Runs test files, a few at a time, each in a process group of its own with a deadline.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
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

async function executeFile(file: string, runtime: Runtime, { testMs, fileMs }: Bounds): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), "xlvein-test-"));
  const report = join(folder, "report");
  const started = performance.now();
  const args = [
    "--test",
    `--test-timeout=${testMs}`,
    `--test-reporter=${join(import.meta.dirname, "reporter.ts")}`,
    `--test-reporter-destination=${report}`,
    file,
  ];
  const child = spawn(runtime.path, args, { detached: true, stdio: ["ignore", "pipe", "pipe"], env: environment(runtime) });
  const group = child.pid ?? Number.NaN;
  const interrupted = (): void => endGroup(group);
  process.once("exit", interrupted);
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => said.push(text));
  let late = false;
  const deadline = setTimeout(() => {
    late = true;
    endGroup(group);
  }, fileMs);
  const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
  clearTimeout(deadline);
  process.off("exit", interrupted);
  const lines = await readReport(report);
  const left = await leftBehind(group);
  endGroup(group);
  await rm(folder, { recursive: true, force: true });

  const failures: Failure[] = [];
  const fail = (test: string, message: string): number => failures.push({ file, node: runtime.version, test, message });
  for (const line of lines) if ("failed" in line) fail(line.failed, line.message);
  const passed = lines.filter((line) => "passed" in line).length;
  if (late) fail("(file)", `not finished after ${fileMs / 1000} s: a test hangs, or something it opened is still open`);
  else if (failures.length === 0 && code !== 0) fail("(file)", `the test runner ended with ${signal ?? `exit status ${code}`}`);
  else if (failures.length === 0 && passed === 0) fail("(file)", "the file has no test");
  if (left.length > 0 && !late) fail("(file)", `left processes running: ${left.join("; ")}`);
  const printed = lines.map((line) => ("output" in line ? line.output : "")).join("");
  return { file, passed, failures, durationMs: performance.now() - started, output: (said.join("") + printed).slice(-OUTPUT_CHARS) };
}

/** The complete lines of a report; the runner may have died in the middle of one. */
async function readReport(path: string): Promise<Line[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
}

function endGroup(group: number): void {
  try {
    process.kill(-group, "SIGKILL");
  } catch {
    // Nobody is left in the group.
  }
}

/** Waits for the group to end; answers the command lines of those that do not (on Linux; elsewhere nobody looks). */
async function leftBehind(group: number): Promise<string[]> {
  for (const until = performance.now() + LINGER_MS; ; ) {
    const members = await groupMembers(group);
    if (members.length === 0 || performance.now() > until) return members;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function groupMembers(group: number): Promise<string[]> {
  const pids = await readdir("/proc").catch(() => []);
  const found = pids.filter((pid) => /^\d+$/.test(pid)).map((pid) => commandIfMember(pid, group));
  return (await Promise.all(found)).filter((command) => command !== undefined);
}

/** /proc/PID/stat reads `pid (name) state ppid pgrp …`; a zombie is no longer running. */
async function commandIfMember(pid: string, group: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const [state, , pgrp] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (pgrp !== String(group) || state === "Z") return undefined;
  const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return command.replaceAll("\0", " ").trim().slice(0, 200) || `process ${pid}`;
}
