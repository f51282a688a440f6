// The CPU time of other processes, exact enough for short rounds. Linux only.
import { readdir, readFile } from "node:fs/promises";

/** Nanoseconds that all threads of a process have run, user and system; those of threads that have ended are gone. */
export async function cpuNs(pid: number): Promise<number> {
  const folder = `/proc/${pid}/task`;
  const threads = await readdir(folder);
  const stats = await Promise.all(threads.map((thread) => readFile(`${folder}/${thread}/schedstat`, "utf8")));
  return stats.reduce((sum, stat) => sum + Number(stat.split(" ", 1)[0]), 0);
}

/** Starts to watch; the function returned answers how many cores all processes but these and this one have used on average since. */
export async function foreignCores(pids: readonly number[]): Promise<() => Promise<number>> {
  const read = async () => {
    const own = await Promise.all([...new Set([process.pid, ...pids])].map(cpuNs));
    return { foreignMs: (await busyMs()) - own.reduce((sum, ns) => sum + ns / 1_000_000, 0), atMs: performance.now() };
  };
  const start = await read();
  return async () => {
    const end = await read();
    return Math.max(0, (end.foreignMs - start.foreignMs) / (end.atMs - start.atMs));
  };
}

/** Milliseconds that all cores together have worked; Linux counts them in steps of 10. */
async function busyMs(): Promise<number> {
  const [line = ""] = (await readFile("/proc/stat", "utf8")).split("\n");
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = line.split(/ +/).slice(1).map(Number);
  return (user + nice + system + irq + softirq) * 10;
}

/** Does something and answers the CPU time that the processes have used meanwhile, µs. */
export async function cpuUsOf(pids: readonly number[], work: () => Promise<unknown>): Promise<number> {
  const read = async () => (await Promise.all(pids.map(cpuNs))).reduce((sum, ns) => sum + ns, 0);
  const before = await read();
  await work();
  return ((await read()) - before) / 1_000;
}

/** The CPU time that a process has used, ms. */
export async function cpuMs(pid: number): Promise<number> {
  return (await cpuNs(pid)) / 1_000_000;
}
