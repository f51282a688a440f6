// What a measurement starts, ended in reverse order; fits where the test helpers want a test's `after`.
import { readFile } from "node:fs/promises";
import type { TestContext } from "node:test";

export interface Stage extends Pick<TestContext, "after"> {
  close(): Promise<void>;
}

/** Those that are not closed. */
const open = new Set<Stage>();
for (const [signal, status] of Object.entries({ SIGINT: 130, SIGTERM: 143 })) {
  process.once(signal, async () => {
    for (const stage of open) await stage.close();
    process.exit(status);
  });
}

export function createStage(): Stage {
  const ends: (() => unknown)[] = [];
  const stage: Stage = {
    after: (end) => void ends.push(end as () => unknown),
    async close() {
      for (const end of ends.splice(0).reverse()) await end();
      open.delete(stage);
    },
  };
  open.add(stage);
  return stage;
}

/** The CPU time that a process has used, ms. Linux counts it in steps of 10 ms. */
export async function cpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The nearest of the sorted values; NaN of none. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

/** Three figures that matter. */
export function round(value: number): number {
  return Number(value.toPrecision(3));
}
