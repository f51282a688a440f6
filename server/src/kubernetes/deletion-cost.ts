// Tells the pod's sockets as its deletion cost: a scale-down then takes the pod that disturbs the fewest clients.
import type { Log } from "../log.ts";
import type { KubernetesAccess } from "./access.ts";
import { callApi } from "./call.ts";

/** Read by the ReplicaSet controller: of pods that are otherwise alike, those with the smallest cost go first. */
const ANNOTATION = "controller.kubernetes.io/pod-deletion-cost";
const EVERY_MS = 30_000;
/** Changes below this share are not worth a write. */
const CHANGE = 0.1;

export interface DeletionCostOptions {
  access: KubernetesAccess;
  connections: () => number;
  log: Log;
  /** Between two looks, milliseconds; 30,000 by default. */
  everyMs?: number;
}

/** Returns a function that starts to tell, and answers one that stops. Throws a sentence when the pod's name is not known. */
export function createDeletionCost({ access, connections, log, everyMs = EVERY_MS }: DeletionCostOptions): () => () => void {
  const { namespace, pod } = access;
  if (pod === undefined) throw new Error("pod_deletion_cost.enabled needs the pod's name: POD_NAME is not set");
  const stop = new AbortController();
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}`;
  // Nothing said yet: what the annotation holds may be from a container before this one.
  let told: number | undefined;
  let failing = false;
  let busy = false;

  async function tell(): Promise<void> {
    const cost = connections();
    if (busy || (told !== undefined && Math.abs(cost - told) < Math.max(1, told * CHANGE))) return;
    busy = true;
    try {
      await callApi(access, { method: "PATCH", path, patch: { metadata: { annotations: { [ANNOTATION]: String(cost) } } }, signal: stop.signal });
      told = cost;
      failing = false;
    } catch (error) {
      if (!failing && !stop.signal.aborted) log.warn({ event: "deletion cost not told", pod, message: (error as Error).message });
      failing = true;
    } finally {
      busy = false;
    }
  }

  return () => {
    const timer = setInterval(() => void tell(), everyMs);
    timer.unref();
    void tell();
    return () => {
      clearInterval(timer);
      stop.abort();
    };
  };
}
