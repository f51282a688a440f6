// The real command as a child process, watched line by line and ended with the test.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";
import type { TestContext } from "node:test";
import { run } from "../../server/src/cli/main.ts";

export const BIN = join(import.meta.dirname, "../../server/bin/xlvein.js");

export interface RunOptions {
  /** Added to an environment without anything that would configure the command. */
  env?: Record<string, string>;
  /** A folder without a configuration by default. */
  cwd?: string;
  /** What starts the command; the Node that runs the test by default. */
  node?: string;
  /** For standard input, which is empty by default. */
  input?: string;
  /** Instead of the repository's own. */
  bin?: string;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Result extends Ended {
  readonly stdout: string;
  readonly stderr: string;
}

/** The environment of the test without what would configure a server, a client or a test runner. */
export function cleanEnv(added: Record<string, string> = {}): NodeJS.ProcessEnv {
  const rest = Object.entries(process.env).filter(([name]) => !/^(XLVEIN_.*|NODE_TEST_CONTEXT|NODE_OPTIONS|PORT|REDIS_URL|RABBITMQ_URL)$/.test(name));
  return { ...Object.fromEntries(rest), ...added };
}

/** Runs a command to its end. */
export async function xlvein(
  args: readonly string[],
  { env, cwd = import.meta.dirname, node = process.execPath, input, bin = BIN }: RunOptions = {},
): Promise<Result> {
  const child = spawn(node, [bin, ...args], { cwd, env: cleanEnv(env), stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.end(input ?? "");
  const [stdout, stderr, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>,
  ]);
  return { code, signal, stdout, stderr };
}

/** Runs a command line to its end in this process, which spares a test of many refusals as many processes. */
export async function xlveinHere(args: readonly string[], { env, cwd = import.meta.dirname }: Pick<RunOptions, "env" | "cwd"> = {}): Promise<Result> {
  const printed = { stdout: "", stderr: "" };
  const code = await run(args, {
    env: cleanEnv(env),
    cwd,
    terminal: false,
    out: (line) => void (printed.stdout += `${line}\n`),
    err: (line) => void (printed.stderr += `${line}\n`),
  });
  return { code, signal: null, ...printed };
}

/** A command that goes on until a signal ends it. */
export interface Running {
  readonly child: ChildProcess;
  /** Of each stream, what has been printed so far. */
  readonly printed: { readonly stdout: string; readonly stderr: string };
  /** The first complete line of either stream that matches, also one printed already. Rejects, with all that was printed, when the process ends without it. */
  line(pattern: RegExp): Promise<string>;
  readonly ended: Promise<Ended>;
}

/** Starts a command in a process group of its own, and kills the group when the test ends. */
export function startXlvein(
  t: Pick<TestContext, "after">,
  args: readonly string[],
  { env, cwd = import.meta.dirname, node = process.execPath, bin = BIN }: RunOptions = {},
): Running {
  const child = spawn(node, [bin, ...args], { cwd, env: cleanEnv(env), stdio: ["ignore", "pipe", "pipe"], detached: true });
  const printed = { stdout: "", stderr: "" };
  const news = new EventEmitter();
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (chunk: string) => {
      printed[name] += chunk;
      news.emit("news");
    });
  }
  let over = false;
  const ended = new Promise<Ended>((resolve) => {
    child.once("close", (code, signal) => {
      over = true;
      news.emit("news");
      resolve({ code, signal });
    });
  });
  t.after(async () => {
    if (!over && child.pid) process.kill(-child.pid, "SIGKILL");
    await ended;
  });
  const find = (pattern: RegExp) => [printed.stdout, printed.stderr].flatMap((all) => all.split("\n").slice(0, -1)).find((line) => pattern.test(line));
  async function line(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = find(pattern);
      if (found !== undefined) return found;
      if (over) throw new Error(`ended without a line that matches ${pattern}:\n${printed.stdout}\n${printed.stderr}`);
      await once(news, "news");
    }
  }
  return { child, printed, line, ended };
}

export interface Serving extends Running {
  readonly url: string;
  readonly internalUrl: string;
  /** The configuration file it was started from. */
  readonly file: string;
}

/** Starts `xlvein start` with a configuration file on ports that the system chooses. */
export async function startServing(t: Pick<TestContext, "after">, config: Record<string, unknown>, options: RunOptions = {}): Promise<Serving> {
  const folder = await temporaryFolder(t);
  const file = join(folder, "conf.yaml");
  await writeFile(file, JSON.stringify({ host: "127.0.0.1:0", internal: { host: "127.0.0.1", port: 0 }, ...config }));
  const running = startXlvein(t, ["start", "--config", file], { cwd: folder, ...options });
  const { url, internal_url: internalUrl } = JSON.parse(await running.line(/"event":"listening"/)) as { url: string; internal_url: string };
  return { ...running, url, internalUrl, file };
}

/** A folder that is removed with the test. */
export async function temporaryFolder(t: Pick<TestContext, "after">): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "xlvein-cli-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The first `node` of the PATH that no package brought, with its version; undefined where there is none. */
export function systemNode(): { path: string; major: number; minor: number } | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "" && !folder.includes("node_modules"));
  const path = folders.map((folder) => join(folder, "node")).find(existsSync);
  if (path === undefined) return undefined;
  const [major = 0, minor = 0] = spawnSync(path, ["--version"], { encoding: "utf8" }).stdout.trim().slice(1).split(".").map(Number);
  return { path, major, minor };
}
