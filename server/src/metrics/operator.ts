// Every metric of the operator.
import { collectDefaultMetrics, Gauge, Registry } from "prom-client";
import { register, TallyCounter, TallyHistogram } from "./tally.ts";

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export type OperatorMetrics = ReturnType<typeof createOperatorMetrics>;

/** Creates the metrics of one operator with a registry of their own. */
export function createOperatorMetrics(version: string) {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of ["handles", "requests", "resources"]) registry.removeSingleMetric(`nodejs_active_${name}_total`);
  const registers = [registry];
  const buildInfo = new Gauge({ name: "xlvein_build_info", help: "Always 1; the version runs as a label.", labelNames: ["version"], registers });
  buildInfo.set({ version }, 1);
  return {
    registry,
    leader: new Gauge({ name: "xlvein_operator_leader", help: "1 while this operator is the one that writes.", registers }),
    watchUp: new Gauge({
      name: "xlvein_operator_watch_up",
      help: "1 while the applications of a namespace (*: of all) are followed, 0 while they cannot be.",
      labelNames: ["watched_namespace"],
      registers,
    }),
    reconciled: register(
      registry,
      new TallyCounter({ name: "xlvein_operator_reconcile_total", help: "Applications looked at, by result: success or error." }, ["result"]),
    ),
    reconcileDuration: register(
      registry,
      new TallyHistogram({ name: "xlvein_operator_reconcile_duration_seconds", help: "Time to look at an application and do what it needs." }, SECONDS),
    ),
    applicationReady: new Gauge({
      name: "xlvein_operator_application_ready",
      help: "1 while an application serves as its spec says, 0 while it does not; none where it is disabled.",
      labelNames: ["application", "application_namespace"],
      registers,
    }),
  };
}
