// One program of a cluster: its output in a file, its end by its own pid, and never outliving the test.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";

const TAIL_CHARS = 3_000;

export interface Program {
  readonly name: string;
  readonly running: boolean;
  /** Its pid as this process sees it; undefined before it is there, and once it has ended. */
  readonly pid: number | undefined;
  /** The end of what it has written. */
  tail(): string;
  /** Ends it, if need be the hard way after `withinMs`; resolves when it is gone. */
  stop(signal?: NodeJS.Signals, withinMs?: number): Promise<void>;
}

/** Where programs run: on the machine itself, or in namespaces of their own. */
export interface Place {
  /** Starts a program; what it writes goes to FOLDER/NAME.log. */
  start(name: string, argv: readonly string[], env?: Readonly<Record<string, string>>): Program;
}

/** The machine itself. A program is killed when this process ends, however it ends. */
export function here(folder: string): Place {
  return { start: (name, argv, env) => startProgram({ name, folder, argv: ["setpriv", "--pdeathsig", "KILL", ...argv], ...(env && { env }) }) };
}

export interface ProgramOptions {
  readonly name: string;
  readonly folder: string;
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The process to signal, where it is not the one that was started. */
  readonly target?: (child: ChildProcess) => number | undefined;
}

export function startProgram({ name, folder, argv, env, target = (child) => child.pid }: ProgramOptions): Program {
  const path = join(folder, `${name}.log`);
  const log = openSync(path, "a");
  const [command = "", ...args] = argv;
  const child = spawn(command, args, { stdio: ["ignore", log, log], env: { ...process.env, ...env } });
  closeSync(log);
  const exited = once(child, "exit").catch(() => undefined);
  const running = (): boolean => child.exitCode === null && child.signalCode === null && child.pid !== undefined;
  return {
    name,
    get running() {
      return running();
    },
    get pid() {
      return running() ? target(child) : undefined;
    },
    tail: () => readFileSync(path, "utf8").slice(-TAIL_CHARS),
    async stop(signal = "SIGTERM", withinMs = 5_000) {
      if (!running()) return;
      end(target(child) ?? child.pid, signal);
      const hard = setTimeout(() => end(target(child) ?? child.pid, "SIGKILL"), withinMs);
      await exited;
      clearTimeout(hard);
    },
  };
}

function end(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
