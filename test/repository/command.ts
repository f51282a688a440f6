// Runs one of the repository's commands to its end.
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { environment, mainRuntime } from "../setup/runtimes.ts";
import { ROOT } from "./sources.ts";

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  /** Default: the repository. */
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Resolves with what the program printed and its exit status, whatever that is; the pinned Node is first on its PATH, then the repository's own programs. */
export async function command(program: string, args: readonly string[], { cwd = ROOT, env = {} }: CommandOptions = {}): Promise<Ended> {
  const own = environment(mainRuntime());
  const child = spawn(program, args, {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...own, PATH: `${ROOT}/node_modules/.bin:${own.PATH ?? ""}`, NO_COLOR: "1", ...env },
  });
  const closed = new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve));
  const [code, stdout, stderr] = await Promise.all([closed, text(child.stdout), text(child.stderr)]);
  return { code, stdout, stderr };
}
