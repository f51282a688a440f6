// Starts the servers that are measured, each a process of its own, and ends them with the stage.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { configFile } from "../../helpers/server.ts";
import type { Stage } from "./stage.ts";

const OURS = fileURLToPath(new URL("../../../server/bin/xlvein.js", import.meta.url));

export interface StartOptions {
  readonly args?: readonly string[];
  /** Of Node itself: `--expose-gc`. */
  readonly nodeArgs?: readonly string[];
}

export interface Running {
  readonly pid: number;
  readonly port: number;
  /** With an IPC channel: `child.send`, `child.on("message")`. */
  readonly child: ChildProcess;
}

/** Runs a script, named as `new URL("./script.ts", import.meta.url)`; its first line of digits is the port it listens on. */
export async function startScript(stage: Stage, script: URL, { args = [], nodeArgs = [] }: StartOptions = {}): Promise<Running> {
  const child = start(stage, [...nodeArgs, fileURLToPath(script), ...args], tmpdir());
  return { pid: child.pid ?? 0, port: Number(await lineOf(child, /^\d+$/)), child };
}

/** Starts `xlvein start` with a configuration in the shape of conf.yaml. */
export async function startOurs(
  stage: Stage,
  config: Record<string, unknown>,
  applications?: readonly Record<string, unknown>[],
): Promise<{ pid: number; url: string }> {
  const directory = await mkdtemp(join(tmpdir(), "xlvein-bench-"));
  stage.after(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, "conf.yaml");
  await writeFile(file, configFile({ config: { log: { level: "info" }, ...config }, ...(applications ? { applications } : {}) }));
  const child = start(stage, [OURS, "start", "--config", file], directory);
  const { url } = JSON.parse(await lineOf(child, /"event":"listening"/)) as { url: string };
  return { pid: child.pid ?? 0, url };
}

function start(stage: Stage, args: readonly string[], cwd: string): ChildProcess {
  const child = spawn(process.execPath, args, { cwd, env: { PATH: process.env["PATH"] }, stdio: ["ignore", "pipe", "inherit", "ipc"] });
  const exited = once(child, "exit");
  stage.after(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  return child;
}

/** The first line that fits; what a server says later is read and let go. */
function lineOf(child: ChildProcess, pattern: RegExp): Promise<string> {
  if (!child.stdout) throw new Error("the process has no output");
  const lines = createInterface({ input: child.stdout });
  const said: string[] = [];
  return new Promise((resolve, reject) => {
    lines.on("line", (line) => {
      if (pattern.test(line)) resolve(line);
      else if (said.length < 100) said.push(line);
    });
    child.once("exit", () => reject(new Error(`the process ended:\n${said.join("\n")}`)));
  });
}
