// What a measurement starts, ended in reverse order; fits where the test helpers want a test's `after`.
import type { TestContext } from "node:test";

export interface Stage extends Pick<TestContext, "after"> {
  close(): Promise<void>;
}

/** Those that are not closed. */
const open = new Set<Stage>();
let ending = false;
for (const [signal, status] of Object.entries({ SIGINT: 130, SIGTERM: 143 })) {
  process.once(signal, async () => {
    ending = true;
    for (const stage of open) await stage.close().catch(() => {});
    process.exit(status);
  });
}

/** An empty stage; whoever creates it closes it. Closing goes on when one end fails, and rejects with that failure at last. */
export function createStage(): Stage {
  const ends: (() => unknown)[] = [];
  let closed = false;
  const stage: Stage = {
    after(end) {
      ends.push(end as () => unknown);
      // Started by somebody who does not know yet that it is over.
      if (closed) void stage.close().catch(() => {});
    },
    async close() {
      closed = true;
      const failures: unknown[] = [];
      for (let end = ends.pop(); end !== undefined; end = ends.pop()) await run(end).catch((failure: unknown) => failures.push(failure));
      open.delete(stage);
      if (failures.length > 0) throw failures[0];
    },
  };
  open.add(stage);
  return stage;
}

async function run(end: () => unknown): Promise<void> {
  await end();
}

/** Whether a signal is ending this process: nothing more is to be started. */
export function isEnding(): boolean {
  return ending;
}
