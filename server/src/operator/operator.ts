// The operator: turns Application objects into the Secrets that servers and backends read.

import { randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";
import { hostname } from "node:os";
import type { ReadyState } from "../http/internal.ts";
import { createInternal } from "../http/internal.ts";
import type { Log } from "../log.ts";
import { createOperatorMetrics } from "../metrics/operator.ts";
import { createApplications } from "./applications.ts";
import type { ClaimRules } from "./claims.ts";
import { runController } from "./controller.ts";
import { type ElectionTimes, leadAlone, runElection } from "./election.ts";
import type { Kube } from "./kube.ts";
import { isReady } from "./status.ts";
import type { Addresses } from "./tenant-secret.ts";

export interface OperatorOptions {
  readonly kube: Kube;
  /** Where the servers, their Secret and the Lease are. */
  readonly namespace: string;
  readonly rules: ClaimRules;
  readonly addresses: Addresses;
  /** The Secret that the servers read. */
  readonly applicationsSecret: string;
  /** The Service that selects the servers, and the port of their internal listener. */
  readonly serverService: string;
  readonly serverPort: number;
  /** Where Applications count; `undefined`: everywhere. */
  readonly watchNamespaces: readonly string[] | undefined;
  /** `undefined`: there is no other operator. */
  readonly election: ({ readonly lease: string } & ElectionTimes) | undefined;
  /** Health and metrics. */
  readonly internal: { readonly host: string; readonly port: number };
  /** The pod; the host's name by default. */
  readonly pod?: string | undefined;
  readonly version: string;
  readonly log: Log;
  /** See the controller. */
  readonly resyncMs?: number;
  readonly askServer?: (address: string, port: number) => Promise<number | undefined>;
}

export interface Operator {
  /** Opens the internal listener and begins. Resolves with its address; rejects when the port cannot be had. */
  start(): Promise<string>;
  /** Ends the work, lets go of the Lease, and closes. May be called twice. */
  close(): Promise<void>;
}

/** Creates an operator; nothing happens before `start`. */
export function createOperator(options: OperatorOptions): Operator {
  const { kube, namespace, election, internal, log, version, watchNamespaces } = options;
  const metrics = createOperatorMetrics(version);
  const applications = createApplications({
    ...{ kube, namespaces: watchNamespaces, log },
    onUp: (watched, up) => metrics.watchUp.set({ watched_namespace: watched ?? "*" }, up ? 1 : 0),
  });
  const instance = options.pod || hostname();
  const stop = new AbortController();
  let leading = false;
  let work: Promise<unknown> = Promise.resolve();

  function readiness(): ReadyState {
    const checks = [
      { name: "stopping", ok: !stop.signal.aborted, detail: "the operator is shutting down", gates: true },
      { name: "applications", ok: applications.view === "complete", detail: "not every namespace has been listed", gates: applications.view === "pending" },
      { name: "leader", ok: leading, detail: "another operator leads", gates: false },
    ];
    return { ready: checks.every(({ ok, gates }) => ok || !gates), checks };
  }

  const stats = () => ({
    leading,
    applications: applications.all().length,
    ready: applications.all().filter(({ status }) => isReady(status) === true).length,
  });
  const listener = createInternal({ metrics, log, readiness, stats, revision: () => "" });

  function onChange(leads: boolean): void {
    leading = leads;
    metrics.leader.set(leads ? 1 : 0);
    // Who leads next shows them.
    if (!leads) metrics.applicationReady.reset();
  }

  const lead = (signal: AbortSignal): Promise<void> => runController({ ...options, applications, instance, metrics }, signal);

  async function begin(): Promise<void> {
    onChange(false);
    const following = applications.follow(stop.signal);
    // A pod's name is nobody else's: its next process goes on with the Lease at once.
    const identity = options.pod || `${instance}_${randomBytes(4).toString("hex")}`;
    const duties = { log, lead, onChange };
    if (election === undefined) await leadAlone(duties, stop.signal);
    else await runElection({ ...election, ...duties, name: election.lease, kube, namespace, identity }, stop.signal);
    await following;
  }

  return {
    async start() {
      await listener.listen({ host: internal.host, port: internal.port });
      const { address, port } = listener.server.address() as AddressInfo;
      work = begin();
      return `http://${address.includes(":") ? `[${address}]` : address}:${port}`;
    },
    async close() {
      stop.abort();
      await work;
      await listener.close();
    },
  };
}
