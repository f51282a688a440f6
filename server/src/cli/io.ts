// What a command may touch of the process around it, and how it says that it failed.

/** The process as a command sees it. */
export interface Io {
  readonly env: NodeJS.ProcessEnv;
  /** Where files without a path are looked for. */
  readonly cwd: string;
  /** Whether a person reads standard output. */
  readonly terminal: boolean;
  /** Writes one line (or several, joined by newlines) to standard output: results only. */
  out(text: string): void;
  /** The same to standard error: everything that is not the result. */
  err(text: string): void;
}

/** What the exit code says. */
export const Exit = { OK: 0, FAILURE: 1, USAGE: 2 } as const;
export type Exit = (typeof Exit)[keyof typeof Exit];

/** Ends the command: `message` goes to standard error (nothing when empty), without a stack. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly exitCode: Exit;

  constructor(message: string, exitCode: Exit = Exit.FAILURE) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The real process. */
export function processIo(): Io {
  return {
    env: process.env,
    cwd: process.cwd(),
    terminal: process.stdout.isTTY === true,
    out: (text) => void process.stdout.write(`${text}\n`),
    err: (text) => void process.stderr.write(`${text}\n`),
  };
}

/** For `process.stdout`'s errors: the reader of a pipe may leave (`xlvein listen | head -1`), and there is nobody left to tell. A server outlives it instead. */
export function endWithReader(error: NodeJS.ErrnoException): never {
  process.exit(error.code === "EPIPE" ? Exit.OK : Exit.FAILURE);
}
