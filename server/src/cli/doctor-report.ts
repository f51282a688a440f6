// What the doctor says: one line for each thing it has looked at.
import type { Io } from "./io.ts";

export interface Report {
  /** How many steps have failed. */
  readonly failures: number;
  /** A step: prints what it resolves with, or why it failed. Resolves with whether it succeeded. */
  step(name: string, run: () => Promise<string>): Promise<boolean>;
  /** The same for a step that others need: `all` ends with it when it fails. */
  need(name: string, run: () => Promise<string>): Promise<void>;
  /** Runs steps that need each other. */
  all(run: () => Promise<void>): Promise<void>;
  /** Something that is neither good nor bad. */
  note(name: string, text: string): void;
  /** Something that works and should be changed. */
  warn(name: string, text: string): void;
  fail(name: string, text: string): void;
}

/** Ends `all`; it has been reported. */
class Ended extends Error {}

export function createReport(io: Pick<Io, "out">): Report {
  let failures = 0;
  const line = (mark: string, name: string, text: string) => io.out(`${mark.padEnd(4)}  ${name}: ${text}`);
  const fail = (name: string, text: string) => {
    failures++;
    line("FAIL", name, text);
  };
  async function step(name: string, run: () => Promise<string>): Promise<boolean> {
    try {
      line("ok", name, await run());
      return true;
    } catch (error) {
      fail(name, (error as Error).message);
      return false;
    }
  }
  return {
    get failures() {
      return failures;
    },
    step,
    async need(name, run) {
      if (!(await step(name, run))) throw new Ended();
    },
    async all(run) {
      await run().catch((error) => {
        if (!(error instanceof Ended)) throw error;
      });
    },
    note: (name, text) => line("note", name, text),
    warn: (name, text) => line("warn", name, text),
    fail,
  };
}
