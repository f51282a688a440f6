// The work of the operator that leads: a loop that looks at the applications that are due, and puts back what somebody has taken away.
import type { Log } from "../log.ts";
import type { OperatorMetrics } from "../metrics/operator.ts";
import type { Applications } from "./applications.ts";
import { createApplicationsSecret } from "./applications-secret.ts";
import { createBell } from "./bell.ts";
import type { ClaimRules } from "./claims.ts";
import { type Kube, KubeError } from "./kube.ts";
import { whileLeading } from "./leading.ts";
import { createPass } from "./pass.ts";
import { createQueue, type Queue } from "./queue.ts";
import { createServerWatch } from "./server-watch.ts";
import { askServers } from "./servers.ts";
import { createStatusWriter } from "./status-writer.ts";
import type { Addresses } from "./tenant-secret.ts";

export interface ControllerOptions {
  readonly kube: Kube;
  readonly applications: Applications;
  readonly rules: ClaimRules;
  readonly addresses: Addresses;
  /** Where the servers are, and the Secret that they read. */
  readonly namespace: string;
  readonly applicationsSecret: string;
  readonly serverService: string;
  readonly serverPort: number;
  /** Asks one server which revision it serves; by HTTP unless given. */
  readonly askServer?: (address: string, port: number) => Promise<number | undefined>;
  /** Who reports events: the pod. */
  readonly instance: string;
  readonly metrics: OperatorMetrics;
  readonly log: Log;
  readonly now?: () => number;
  /** How often each Secret is looked at although nothing has happened, milliseconds; by the number of applications unless given. */
  readonly resyncMs?: number;
}

/** What comes together is looked at together: after so long without news, at the latest after so long. */
const QUIET_MS = 100;
const MOST_MS = 500;
/** Applications in one go. */
const BATCH = 200;
/** Between looks at the Secret of the servers. */
const RESTORE_MS = 30_000;
const UNKNOWN_RETRY_MS = 2_000;
/** Ten reads of a Secret a second at most, unless that takes too long. */
const RESYNC_EACH_MS = 100;
const SHORTEST_RESYNC_MS = 30_000;
const LONGEST_RESYNC_MS = 300_000;

/** Works until the signal. Rejects with a KubeError when what the leader before has left cannot be read. */
export async function runController(options: ControllerOptions, signal: AbortSignal): Promise<void> {
  const { applications, namespace, applicationsSecret, serverService, serverPort, instance, log, now = Date.now } = options;
  const kube = whileLeading(options.kube, signal);
  const [bell, queue] = [createBell(), createQueue()];
  const secret = createApplicationsSecret({ kube, namespace, name: applicationsSecret, log, now });
  const servers = createServerWatch({ ask: () => askServers({ kube, namespace, service: serverService, port: serverPort, ask: options.askServer }), log, now });
  const statuses = createStatusWriter({ kube, instance, log, now });
  const resyncMs = (): number => options.resyncMs ?? resyncOf(applications.all().length);
  /** The servers have been given nothing yet, perhaps because there is no application: tried again all the same. */
  const unknownMs = (): number => (secret.current === undefined ? now() + UNKNOWN_RETRY_MS : Number.POSITIVE_INFINITY);
  const pass = createPass({ ...options, kube, queue, secret, servers, statuses, now, resyncMs });

  await untilDone(applications.settled, signal);
  const stopListening = applications.onChange((key) => {
    queue.add(key, now());
    bell.ring();
  });
  try {
    if (!signal.aborted) await secret.load();
    for (const app of applications.all()) queue.add(`${app.namespace}/${app.name}`, now());
    // Without any application there is something to say, too.
    await pass.run(queue.take(now(), Number.POSITIVE_INFINITY));
    let restoreMs = now() + RESTORE_MS;
    while (!signal.aborted) {
      await bell.sleep(Math.min(queue.nextMs(), servers.dueMs(pass.waiting), restoreMs, unknownMs()) - now(), signal);
      if (signal.aborted) break;
      if (now() >= restoreMs) {
        await attempt(secret.restore, log);
        restoreMs = now() + RESTORE_MS;
      }
      if (now() >= servers.dueMs(pass.waiting)) await pass.askServers();
      if (queue.nextMs() > now() && secret.current !== undefined) continue;
      await bell.settle(QUIET_MS, MOST_MS, signal);
      if (!signal.aborted) await pass.run(takeDue(queue, secret.current === undefined, now()));
    }
  } finally {
    stopListening();
  }
}

/** All of them while nothing is known of what the servers have: to write a part of it would take the others away. */
function takeDue(queue: Queue, isUnknown: boolean, nowMs: number): string[] {
  return queue.take(isUnknown ? Number.POSITIVE_INFINITY : nowMs, isUnknown ? Number.POSITIVE_INFINITY : BATCH);
}

function resyncOf(count: number): number {
  return Math.min(LONGEST_RESYNC_MS, Math.max(SHORTEST_RESYNC_MS, count * RESYNC_EACH_MS));
}

async function untilDone(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise: aborted, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve(), { once: true });
  if (!signal.aborted) await Promise.race([promise, aborted]);
}

/** A failure is said, and tried again with the next look. */
async function attempt(work: () => Promise<void>, log: Log): Promise<void> {
  await work().catch((error: unknown) => {
    if (!(error instanceof KubeError)) throw error;
    log.warn({ event: "applications not restored", message: error.message });
  });
}
