// Runs what the documents tell a reader to run, from the repository's root, as a shell would.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { startProcess } from "../helpers/process.ts";
import { ROOT } from "./markdown.ts";

/** The address that every document names. */
export const DOCUMENTED_URL = "http://127.0.0.1:8090";

type Context = Pick<TestContext, "after">;

/** Serves the repository's own conf.yaml, as `npm start` does, on ports that the system chooses. */
export function startSample(t: Context) {
  return startProcess(t, { file: join(ROOT, "conf.yaml") }, { PORT: "0", XLVEIN_INTERNAL_PORT: "0" });
}

export interface Run {
  /** The first line of standard output or error, past or to come, that matches; rejects when the command ends without. */
  line(pattern: RegExp): Promise<string>;
  /** Resolves with standard output when the command ends; rejects when it fails. */
  readonly output: Promise<string>;
}

/** Starts a shell command; it is ended with the test. `env` is added to this process's own. */
export function run(t: Context, command: string, env: Record<string, string> = {}, cwd = ROOT): Run {
  // A process group of its own, so that whatever the shell has started ends with it.
  const child = spawn("sh", ["-c", command], { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"], detached: true });
  const results: string[] = [];
  const lines: string[] = [];
  const take = (line: string) => {
    lines.push(line);
    child.emit("wrote");
  };
  createInterface({ input: child.stderr }).on("line", take);
  createInterface({ input: child.stdout }).on("line", (line) => {
    results.push(line);
    take(line);
  });
  let closed = false;
  const ended = once(child, "close").then(([code]) => {
    closed = true;
    child.emit("wrote");
    return code as number | null;
  });
  t.after(async () => {
    if (!closed && child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    await ended;
  });
  const output = ended.then((code) => {
    if (code !== 0) throw new Error(`${command}\nended with ${code}:\n${lines.join("\n")}`);
    return results.join("\n");
  });
  // Whoever only waits for a line does not look at the end.
  output.catch(() => {});

  async function line(pattern: RegExp): Promise<string> {
    for (let seen = 0; ; ) {
      for (; seen < lines.length; seen++) if (pattern.test(lines[seen] as string)) return lines[seen] as string;
      if (closed) throw new Error(`${command}\nended without ${pattern}:\n${lines.join("\n")}`);
      await once(child, "wrote");
    }
  }
  return { line, output };
}

/** Runs a JavaScript module as it stands in a document; it finds the packages of this repository. */
export async function runModule(t: Context, source: string): Promise<string> {
  const directory = await mkdtemp(join(ROOT, "node_modules/.docs-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, "example.mjs");
  await writeFile(file, source);
  return run(t, `"${process.execPath}" "${file}"`).output;
}
