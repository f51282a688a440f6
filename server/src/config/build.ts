// Turns the tree of values, in the file's spelling, into the Config that the server is handed.
import { addressList } from "./addresses.ts";
import { parseRabbitmqUrl, parseRedisUrl } from "./broker-url.ts";
import type { Config, ExchangeConfig } from "./config.ts";
import { parseHost, parseListen } from "./listen.ts";
import type { ConfigValues } from "./schema.ts";

/** What the tree cannot tell: who gave a key its value. */
export interface BuildContext {
  /** Whether a source (not the default) gave the key its value. */
  isSet(key: string): boolean;
  /** Whether the process runs in a Kubernetes pod. */
  inPod: boolean;
  /** The port of `host` where none is named. */
  defaultPort: number;
}

/** The values must have passed their formats. */
export function buildConfig(values: ConfigValues, applications: Pick<Config, "applications" | "applicationsFrom">, context: BuildContext): Config {
  const { host, port } = parseListen(values.host);
  const { tls, ready, ping, drain, rebalance } = values;
  return {
    debug: values.debug,
    app: values.app,
    listen: { host: host ?? "0.0.0.0", port: port ?? context.defaultPort },
    tls: tls.cert === "" && tls.key === "" ? undefined : tls,
    internal: buildInternal(values, context),
    exchange: buildExchange(values.exchange),
    store: {
      type: context.isSet("store.type") ? values.store.type : defaultStore(values.exchange.type),
      history: { messages: values.store.history.messages, ms: toMs(values.store.history.seconds) },
    },
    ...applications,
    applicationsFile: values.applications_file,
    applicationsDir: values.applications_dir,
    applicationsSecret: values.applications_secret,
    limits: buildLimits(values.limits),
    ping: { intervalMs: toMs(ping.seconds), missed: ping.missed },
    drain: { windowMs: toMs(drain.window_seconds) },
    rebalance: { enabled: rebalance.enabled, threshold: rebalance.threshold, closesPerSecond: rebalance.closes_per_second },
    podDeletionCost: values.pod_deletion_cost,
    ready: { eventLoopLagMs: toMs(ready.event_loop_lag_seconds), heapUsedRatio: ready.heap_used_ratio, exchange: ready.exchange },
    log: { level: values.debug && !context.isSet("log.level") ? "debug" : values.log.level },
    console: values.console,
    docs: values.docs,
  };
}

function buildInternal({ internal }: ConfigValues, { isSet, inPod }: BuildContext): Config["internal"] {
  // The kubelet probes a pod from outside, a laptop's metrics are nobody else's business.
  const host = inPod && !isSet("internal.host") ? "0.0.0.0" : parseHost(internal.host);
  return { host, port: internal.port, enabled: internal.enabled, explicit: isSet("internal.port") };
}

function buildExchange({
  type,
  exchange_name,
  queue_name,
  rabbitmq,
  redis,
  tls,
  buckets,
  wire_version,
  probe_seconds,
}: ConfigValues["exchange"]): ExchangeConfig {
  const exchangeName = exchange_name || queue_name || "xlvein";
  return {
    type,
    exchangeName,
    queueName: queue_name || `${exchangeName}.queue`,
    rabbitmq: normalise(rabbitmq, (text) => parseRabbitmqUrl(text).urls),
    redis: normalise(redis, (text) => [parseRedisUrl(text).url]),
    tls: tls.ca === "" && tls.cert === "" && tls.key === "" ? undefined : tls,
    buckets,
    wireVersion: wire_version === 2 ? 2 : 1,
    probeMs: toMs(probe_seconds),
  };
}

/** What cannot be read stays as written: the checks that follow name it. */
function normalise(written: string | readonly string[], read: (text: string) => readonly string[]): readonly string[] {
  return addressList(written).flatMap((text) => {
    try {
      return read(text);
    } catch {
      return [text];
    }
  });
}

/** A file of the classic service names no store: what goes with its exchange. */
function defaultStore(exchange: Config["exchange"]["type"]): Config["store"]["type"] {
  if (exchange === "local") return "memory";
  return exchange === "redis" ? "redis" : "none";
}

function buildLimits(limits: ConfigValues["limits"]): Config["limits"] {
  return {
    frameBytes: limits.frame_bytes,
    bodyBytes: limits.body_bytes,
    jsonDepth: limits.json_depth,
    tokenBytes: limits.token_bytes,
    connections: limits.connections,
    outboxBytes: limits.outbox_bytes,
    recoverMessages: limits.recover_messages,
    unauthenticatedSockets: limits.unauthenticated_sockets,
    headersTimeoutMs: toMs(limits.headers_timeout_seconds),
    requestTimeoutMs: toMs(limits.request_timeout_seconds),
    upgradeTimeoutMs: toMs(limits.upgrade_timeout_seconds),
  };
}

function toMs(seconds: number): number {
  return Math.round(seconds * 1000);
}
