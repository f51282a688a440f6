// Starts the servers that are measured, and ends them.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { configFile } from "../../helpers/server.ts";
import type { Stage } from "../exchange/stage.ts";

const OURS = fileURLToPath(new URL("../../../server/bin/xlvein.js", import.meta.url));

/** Runs a script of this folder; its first line is the port it listens on. */
export async function startScript(stage: Stage, script: string): Promise<{ pid: number; port: number }> {
  const child = start(stage, [fileURLToPath(new URL(script, import.meta.url))], tmpdir());
  return { pid: child.pid ?? 0, port: Number(await lineOf(child, /^\d+$/)) };
}

/** Starts `xlvein start`; `bin` may be that of another checkout. */
export async function startOurs(stage: Stage, config: Record<string, unknown>, bin = OURS): Promise<{ pid: number; url: string }> {
  const directory = await mkdtemp(join(tmpdir(), "xlvein-bench-"));
  stage.after(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, "conf.yaml");
  await writeFile(file, configFile({ config: { log: { level: "info" }, ...config } }));
  const child = start(stage, [bin, "start", "--config", file], directory);
  const { url } = JSON.parse(await lineOf(child, /"event":"listening"/)) as { url: string };
  return { pid: child.pid ?? 0, url };
}

function start(stage: Stage, args: readonly string[], cwd: string): ChildProcess {
  const child = spawn(process.execPath, args, { cwd, env: { PATH: process.env["PATH"] }, stdio: ["ignore", "pipe", "inherit"] });
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
