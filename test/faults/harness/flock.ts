// Many SDK clients in processes of their own, dropped all at once on request.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { constants, setPriority } from "node:os";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { tokenFor } from "../../helpers/client.ts";

/** What a process of clients is told. */
export type FlockOrder =
  | { readonly kind: "start"; readonly url: string; readonly tokens: readonly string[] }
  | { readonly kind: "cut" }
  | { readonly kind: "tell" };

/** What the clients of one process have seen since they were cut. */
export interface FlockFigures {
  readonly kind: "figures";
  /** From the making of a socket until it opened, by the clock of the clients' own process; with whatever that had to do besides. */
  readonly handshakesMs: readonly number[];
  /** Sockets that one client had at a time, at most. */
  readonly mostAtOnce: number;
  /** Sockets that are open. */
  readonly open: number;
  /** Of them, those from before the cut. */
  readonly old: number;
  /** The longest time for which the process itself was busy. */
  readonly lagMs: number;
}

/** What it answers. `back`: all its clients are connected again, that long after they were cut. */
export type FlockReport = { readonly kind: "started" } | { readonly kind: "back"; readonly afterMs: number } | FlockFigures;

export interface Flock {
  /** Ends the TCP connections of all clients at once; resolves when all are back, with how long that took, ms. */
  drop(): Promise<number>;
  figures(): Promise<readonly FlockFigures[]>;
}

const PROCESS = fileURLToPath(new URL("./flock-process.ts", import.meta.url));

export interface FlockOptions {
  readonly processes: number;
  /** They get what others of this machine leave, as if they had machines of their own. Only where nothing else runs: what is left may be nothing. */
  readonly standBack: boolean;
}

/** Resolves when all are connected. */
export async function startFlock(t: Pick<TestContext, "after">, url: string, count: number, { processes, standBack }: FlockOptions): Promise<Flock> {
  const tokens = Array.from({ length: count }, (_, nth) => tokenFor(`user_${nth}`));
  const share = Math.ceil(count / processes);
  const children = Array.from({ length: processes }, () => fork(PROCESS, [], { execArgv: [] }));
  t.after(() => Promise.all(children.map(end)));
  if (standBack) for (const child of children) setPriority(child.pid as number, constants.priority.PRIORITY_LOW);
  const ask = (order: (nth: number) => FlockOrder, kind: FlockReport["kind"]) =>
    Promise.all(
      children.map((child, nth) => {
        child.send(order(nth));
        return reportOf(child, kind);
      }),
    );
  await ask((nth) => ({ kind: "start", url, tokens: tokens.slice(nth * share, (nth + 1) * share) }), "started");
  return {
    async drop() {
      const startMs = performance.now();
      await ask(() => ({ kind: "cut" }), "back");
      return performance.now() - startMs;
    },
    figures: async () => (await ask(() => ({ kind: "tell" }), "figures")) as FlockFigures[],
  };
}

async function reportOf(child: ChildProcess, kind: FlockReport["kind"]): Promise<FlockReport> {
  for (;;) {
    const [report] = (await once(child, "message")) as [FlockReport];
    if (report.kind === kind) return report;
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}
