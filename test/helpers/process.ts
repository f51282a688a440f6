// A real server in a process of its own, started through the command line, ended by its pid.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { configFile, type StartOptions } from "./server.ts";

const MAIN = fileURLToPath(new URL("../../server/bin/xlvein.js", import.meta.url));

export interface ServerProcess {
  readonly child: ChildProcess;
  readonly url: string;
  readonly internalUrl: string;
  /** The configuration file it was started from. */
  readonly file: string;
  /** Everything it has written, line by line. */
  readonly lines: string[];
  /** The exit code, or the signal's name. */
  readonly exited: Promise<number | string>;
  /** The first line, past or to come, that matches; rejects when the process ends without. */
  line(pattern: RegExp): Promise<string>;
}

export interface ProcessOptions extends StartOptions {
  /** A configuration file to start from instead of one written from the other options. */
  file?: string;
}

/** Starts `xlvein start --config FILE` and waits until it listens. */
export async function startProcess(t: Pick<TestContext, "after">, options: ProcessOptions = {}, env: Record<string, string> = {}): Promise<ServerProcess> {
  const directory = await mkdtemp(join(tmpdir(), "xlvein-"));
  const file = options.file ?? join(directory, "conf.yaml");
  if (options.file === undefined) await writeFile(file, configFile(options));
  const child = spawn(process.execPath, [MAIN, "start", "--config", file], {
    cwd: directory,
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      lines.push(line);
      child.emit("wrote");
    });
  }
  const exited = new Promise<number | string>((resolve) => {
    child.once("exit", (code, signal) => {
      resolve(code ?? signal ?? "unknown");
      child.emit("wrote");
    });
  });
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    await exited;
    await rm(directory, { recursive: true, force: true });
  });

  async function line(pattern: RegExp): Promise<string> {
    for (let seen = 0; ; ) {
      for (; seen < lines.length; seen++) if (pattern.test(lines[seen] as string)) return lines[seen] as string;
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the server ended:\n${lines.join("\n")}`);
      await once(child, "wrote");
    }
  }
  const { url, internal_url: internalUrl } = JSON.parse(await line(/"event":"listening"/)) as { url: string; internal_url: string };
  return { child, url, internalUrl, file, lines, exited, line };
}
