// What a new client sees of a node that is busy with others: measured by a process that does nothing else.
import { fork } from "node:child_process";
import { once } from "node:events";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { tokenFor } from "../../helpers/client.ts";

export type ProbeOrder =
  | { readonly kind: "start"; readonly url: string; readonly tokens: readonly string[]; readonly everyMs: number }
  | { readonly kind: "stop" };

export interface ProbeReport {
  /** From the making of a socket to the server's hello, ms; infinite where there was none. */
  readonly helloMs: readonly number[];
}

export interface Probe {
  /** Connects one client after the other from now on, whether those before are through or not. */
  start(everyMs: number): void;
  /** Resolves with what those saw that are through. */
  stop(): Promise<readonly number[]>;
}

/** More than any test connects. */
const TOKENS = 10_000;
const PROCESS = fileURLToPath(new URL("./probe-process.ts", import.meta.url));

/** A process of its own; resolves when it has connected once. */
export async function startProbe(t: Pick<TestContext, "after">, url: string): Promise<Probe> {
  const tokens = Array.from({ length: TOKENS }, (_, nth) => tokenFor(`probe_${nth}`));
  const child = fork(PROCESS, [], { execArgv: [] });
  t.after(() => child.kill("SIGKILL"));
  const probe: Probe = {
    start: (everyMs) => void child.send({ kind: "start", url, tokens, everyMs } satisfies ProbeOrder),
    async stop() {
      const reported = once(child, "message");
      child.send({ kind: "stop" } satisfies ProbeOrder);
      const [{ helloMs }] = (await reported) as [ProbeReport];
      return helloMs;
    },
  };
  // The first connection is slower by what the process has yet to load.
  do {
    probe.start(10);
    await new Promise((resolve) => setTimeout(resolve, 200));
  } while ((await probe.stop()).length === 0);
  return probe;
}
