// Which metrics there are, asked of a real server, and which ones an expression names.
import type { TestContext } from "node:test";
import { createLog } from "../../server/src/log.ts";
import { createMetrics } from "../../server/src/metrics/metrics.ts";
import { createOperatorMetrics } from "../../server/src/metrics/operator.ts";
import { type Kube, KubeError } from "../../server/src/operator/kube.ts";
import { createOperator } from "../../server/src/operator/operator.ts";
import { startServer } from "../helpers/server.ts";

/** Of Prometheus itself and of kube-state-metrics. */
const OTHERS: Readonly<Record<string, readonly string[]>> = { up: [], kube_deployment_spec_replicas: ["deployment"] };
/** What Prometheus adds when it scrapes. */
const SCRAPED = ["namespace", "job", "pod"];

/** Every metric with its labels. The names are those of the live `/metrics` of a server and of an operator. */
export async function knownMetrics(t: Pick<TestContext, "after">): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const known = new Map<string, Set<string>>(Object.entries(OTHERS).map(([name, labels]) => [name, new Set([...SCRAPED, ...labels])]));
  const { internalUrl } = await startServer(t);
  for (const [url, { registry }] of [
    [internalUrl, createMetrics("0")],
    [await startOperator(t), createOperatorMetrics("0")],
  ] as const) {
    const labels = new Map(registry.getMetricsAsArray().map((metric) => [metric.name, (metric as unknown as { labelNames?: string[] }).labelNames]));
    const text = await (await fetch(`${url}/metrics`)).text();
    for (const [, name = "", type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
      known.set(name, new Set([...SCRAPED, ...(labels.get(name) ?? [])]));
      if (type === "histogram") known.set(`${name}_bucket`, new Set([...SCRAPED, "le", ...(labels.get(name) ?? [])]));
    }
  }
  return known;
}

/** An operator without a cluster: it says so in its log, and has its metrics all the same. */
async function startOperator(t: Pick<TestContext, "after">): Promise<string> {
  const away = () => Promise.reject(new KubeError(0, "there is no cluster"));
  const operator = createOperator({
    kube: new Proxy({}, { get: () => away }) as Kube,
    ...{ namespace: "push", applicationsSecret: "applications", serverService: "servers", serverPort: 1, watchNamespaces: ["shop"], version: "0" },
    rules: { server: "xlvein", allowForeign: false },
    addresses: { connectUrl: "ws://x", pushUrl: "http://x" },
    election: undefined,
    internal: { host: "127.0.0.1", port: 0 },
    log: createLog({ level: "silent" }),
  });
  t.after(() => operator.close());
  return operator.start();
}

/** One selector of an expression. */
export interface Selector {
  readonly metric: string;
  readonly labels: readonly string[];
}

/** The selectors of an expression, and the labels that it groups by. */
export function readExpression(expression: string): { selectors: readonly Selector[]; groups: readonly string[] } {
  const texts = expression.replaceAll(/"[^"]*"/g, '""');
  const groups = [...texts.matchAll(/\bby\s*\(([^)]*)\)/g)].flatMap(([, list = ""]) => list.split(",").map((label) => label.trim()));
  const rest = texts.replaceAll(/\bby\s*\([^)]*\)/g, "");
  const selectors = [...rest.matchAll(/\b(up|(?:xlvein|process|nodejs|kube)_\w+)\b(?:\s*\{([^}]*)\})?/g)].map(([, metric = "", inner = ""]) => ({
    metric,
    labels: inner.split(",").flatMap((matcher) => /^\s*(\w+)\s*[=!]/.exec(matcher)?.[1] ?? []),
  }));
  return { selectors, groups };
}

/** What is wrong with the names in an expression. */
export function unknownNames(expression: string, known: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const { selectors, groups } = readExpression(expression);
  if (selectors.length === 0) return [`${expression}: names no metric`];
  const all = new Set(selectors.flatMap(({ metric }) => [...(known.get(metric) ?? [])]));
  return [
    ...selectors.filter(({ metric }) => !known.has(metric)).map(({ metric }) => `${metric}: no such metric`),
    ...selectors.flatMap(({ metric, labels }) =>
      labels.filter((label) => known.has(metric) && !known.get(metric)?.has(label)).map((label) => `${metric}: no label ${label}`),
    ),
    ...groups.filter((label) => !all.has(label)).map((label) => `by (${label}): no metric of ${expression} has it`),
  ];
}
