// The whole test suite: `npm test`, or `npm test -- test/http --node=22` for a part of it.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { expectedSeconds } from "./setup/durations.ts";
import { type Bounds, execute, type Failure, type Job, type Outcome } from "./setup/execute.ts";
import { findTests, isOnRequest, onEveryRuntime } from "./setup/files.ts";
import { kubernetesTools } from "./setup/kubernetes.ts";
import { environment, mainRuntime, otherRuntimes, type Runtime } from "./setup/runtimes.ts";
import { provideSystem } from "./setup/system.ts";

const ROOT = join(import.meta.dirname, "..");
const CORES = Math.max(2, availableParallelism());
const BOUNDS: Bounds = { concurrency: CORES, spare: CORES, testMs: 120_000, fileMs: 240_000 };
/** What runs on request is slow, and needs the machine for itself. */
const SLOW_BOUNDS: Bounds = { concurrency: 1, spare: 0, testMs: 300_000, fileMs: 1_200_000 };

interface Wish {
  /** Files or folders; none: all of them. */
  readonly paths: readonly string[];
  /** Major versions of Node; none: the pinned one for `paths`, else every one. */
  readonly nodes: readonly string[];
}

interface Part {
  readonly runtime: Runtime;
  readonly files: readonly string[];
}

process.chdir(ROOT);
// Whoever stops this stops the tests with it: each of them hears of the exit.
for (const [signal, status] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 })) process.once(signal, () => process.exit(status));
process.exitCode = await main().catch((error: Error) => {
  console.error(error.message);
  return 1;
});

async function main(): Promise<number> {
  const wish = readWish();
  await step("System packages", provideSystem);
  const parts = await step("Node versions", () => plan(wish));
  if (parts.some(({ files }) => files.some((file) => file.startsWith("test/helm/")))) await step("Kubernetes tools", kubernetesTools);
  if (wish.paths.length === 0) await step("Build", () => build(mainRuntime()));
  shareCompiledCode();
  return summarise(parts, await runParts(parts));
}

function readWish(): Wish {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { node: { type: "string", multiple: true } } });
  return { paths: positionals, nodes: values.node ?? [] };
}

/** The pinned Node runs everything; the others what a Node version can break. */
function plan({ paths, nodes }: Wish): Part[] {
  const files = findTests(ROOT, paths);
  const main = mainRuntime();
  const wanted = (runtime: Runtime): boolean => nodes.length === 0 || nodes.includes(major(runtime));
  const alone = nodes.length === 0 ? paths.length > 0 : nodes.every((node) => node === major(main));
  const others = alone ? [] : otherRuntimes();
  const parts = [{ runtime: main, files }, ...others.map((runtime) => ({ runtime, files: files.filter(onEveryRuntime) }))].filter((part) =>
    wanted(part.runtime),
  );
  for (const node of nodes)
    if (!parts.some((part) => major(part.runtime) === node)) throw new Error(`--node=${node}: there is Node ${[main, ...others].map(major).join(", ")}`);
  return parts;
}

function major(runtime: Runtime): string {
  return runtime.version.split(".")[0] ?? "";
}

/** The tests use what is built as well: the command, the SDK bundles, the console. */
function build(runtime: Runtime): void {
  const { status } = spawnSync("npm", ["run", "--silent", "build"], { cwd: ROOT, stdio: ["ignore", "inherit", "inherit"], env: environment(runtime) });
  if (status !== 0) throw new Error("The build failed; its messages are above");
}

/** Hundreds of processes load the same files: each is compiled once for each Node version, not once for each process. */
function shareCompiledCode(): void {
  const folder = mkdtempSync(join(tmpdir(), "xlvein-compiled-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  process.env["NODE_COMPILE_CACHE"] = folder;
}

/** Runs all parts as one queue. What takes longest comes first, so that nobody waits for it at the end. */
function runParts(parts: readonly Part[]): Promise<Outcome[]> {
  for (const { runtime, files } of parts) console.log(`Node ${runtime.version}: ${files.length} files`);
  const jobs = parts.flatMap(({ runtime, files }): Job[] => files.map((file) => ({ file, runtime })));
  jobs.sort((a, b) => expectedSeconds(b.file) - expectedSeconds(a.file));
  return execute(jobs, jobs.every(({ file }) => isOnRequest(file)) ? SLOW_BOUNDS : BOUNDS, printOutcome);
}

function printOutcome({ file, node, passed, failures, durationMs, output }: Outcome): void {
  console.log(`${failures.length === 0 ? "  ok  " : "  FAIL"} ${file} on Node ${node} (${passed + failures.length} in ${seconds(durationMs)})`);
  for (const { test, message } of failures) console.log(indent(`${test}\n${indent(message)}`, 8));
  if (failures.length > 0 && output.trim() !== "") console.log(indent(`The end of its output:\n${indent(output.trimEnd())}`, 8));
}

/** Prints every failure again, then the totals, those of all versions as the last line; answers the exit status. */
function summarise(parts: readonly Part[], outcomes: readonly Outcome[]): number {
  const failures = outcomes.flatMap((outcome) => outcome.failures);
  if (failures.length > 0) console.log(`\nFailed:\n${failures.map(printFailure).join("\n")}`);
  console.log("");
  for (const { runtime } of parts) {
    const here = count(outcomes.filter(({ node }) => node === runtime.version));
    console.log(`Node ${runtime.version}: ${here.passed} passed and ${here.failed} failed`);
  }
  const { passed, failed } = count(outcomes);
  if (passed + failed === 0) console.log("No test was run.");
  console.log(`\n${passed} passed, ${failed} failed`);
  return failed > 0 || passed === 0 ? 1 : 0;
}

function printFailure({ file, node, test, message }: Failure): string {
  return indent(`${file} on Node ${node}: ${test}\n${indent(message.split("\n").slice(0, 12).join("\n"))}`, 2);
}

function count(outcomes: readonly Outcome[]): { passed: number; failed: number } {
  const sum = (of: (outcome: Outcome) => number): number => outcomes.reduce((total, outcome) => total + of(outcome), 0);
  return { passed: sum((outcome) => outcome.passed), failed: sum((outcome) => outcome.failures.length) };
}

async function step<T>(name: string, work: () => T | Promise<T>): Promise<T> {
  const started = performance.now();
  const result = await work();
  console.log(`${name}: ready after ${seconds(performance.now() - started)}`);
  return result;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function indent(text: string, by = 4): string {
  return text.replaceAll(/^/gm, " ".repeat(by));
}
