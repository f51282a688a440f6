// The configuration of a server once every source has been read, checked and merged.
import type { WireVersion } from "../protocol/envelope.ts";

export interface ListenAddress {
  /** An IP address or name; `0.0.0.0` when the file says `":8090"`. IPv6 without brackets. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

export interface TlsFiles {
  /** Path of the PEM certificate chain; read again when it changes. */
  readonly cert: string;
  /** Path of the PEM private key. */
  readonly key: string;
}

/** PEM files for the connections to the brokers; "" where unset. Relative paths have been resolved. */
export interface BrokerTlsFiles {
  /** Whom to trust instead of the system's authorities. */
  readonly ca: string;
  /** Our own certificate, for brokers that ask for one; set together with `key`. */
  readonly cert: string;
  readonly key: string;
}

export interface ExchangeConfig {
  readonly type: "local" | "redis" | "rabbitmq";
  /** Separates installations on one broker: `exchange_name`, else `queue_name`, else `xlvein`. Never "". */
  readonly exchangeName: string;
  /** `queue_name`, else `<exchangeName>.queue`. Never "". */
  readonly queueName: string;
  /**
   * One percent-encoded URL per host, tried in turn; empty when unset. With credentials: never logged, masked by print-config.
   * An address that could not be read stays as written; the server does not start with one that it uses.
   */
  readonly rabbitmq: readonly string[];
  /** One address per shard, each complete and percent-encoded: `parseRedisUrl` reads it. Empty when unset. The same care. */
  readonly redis: readonly string[];
  /** For `rediss://` and `amqps://`; `undefined` without any file. */
  readonly tls: BrokerTlsFiles | undefined;
  /** Routing keys that accounts are spread over on RabbitMQ; the same on every node. */
  readonly buckets: number;
  /** The version of envelopes that this node writes; it reads both. */
  readonly wireVersion: WireVersion;
  /** Between the checks that what is published arrives. */
  readonly probeMs: number;
}

/** How much of a stream is kept: whichever bound is reached first. */
export interface HistoryConfig {
  readonly messages: number;
  readonly ms: number;
}

/** Bounds of the whole node. What exceeds one is refused or closed as PROTOCOL.md says; nothing is cut short silently. */
export interface NodeLimits {
  /** Largest client frame, bytes; more closes 1009. An application may lower it. */
  readonly frameBytes: number;
  /** Largest HTTP body, bytes; more answers 413. */
  readonly bodyBytes: number;
  /** Deepest nesting of a message's `data`, itself being 1. */
  readonly jsonDepth: number;
  /** Longest connect or API token, bytes. */
  readonly tokenBytes: number;
  /** Live WebSockets on this node; more answers 503. */
  readonly connections: number;
  /** Bytes waiting for one socket; more closes it (classic 1013), or what the slow policy says (v2). */
  readonly outboxBytes: number;
  /** Messages of one stream that a v2 client may have missed and is sent; of more it is sent none (`too_many`). 0: never any. */
  readonly recoverMessages: number;
  /** TCP connections that are not (yet) a WebSocket and have not authenticated a request; more are dropped on arrival. */
  readonly unauthenticatedSockets: number;
  /** Time from the TCP connection to the complete request headers, also of an upgrade. */
  readonly headersTimeoutMs: number;
  /** Time to the complete request body. */
  readonly requestTimeoutMs: number;
  /** Time that an upgrade may wait for the exchange's confirmation; then 503. */
  readonly upgradeTimeoutMs: number;
}

/** When and how fast a node with too many sockets closes some, so that their clients spread over all nodes. */
export interface RebalanceConfig {
  readonly enabled: boolean;
  /** Multiple of the nodes' mean above which it closes down to the mean. */
  readonly threshold: number;
  readonly closesPerSecond: number;
}

export interface Config {
  /** Raises the log level to debug. */
  readonly debug: boolean;
  /** The name of this installation in logs. */
  readonly app: string;
  readonly listen: ListenAddress;
  readonly tls: TlsFiles | undefined;
  /** The internal listener: health, metrics. `explicit`: its port was set, so a busy one is an error. */
  readonly internal: ListenAddress & { readonly enabled: boolean; readonly explicit: boolean };
  readonly exchange: ExchangeConfig;
  readonly store: { readonly type: "memory" | "redis" | "none"; readonly history: HistoryConfig };
  /** As written; `apps/parse.ts` names what is wrong with it. */
  readonly applications: unknown;
  /** Who said so. The configuration file is read again for its applications only where nothing stands above it; `file` when absent. */
  readonly applicationsFrom?: "default" | "file" | "environment" | "flags";
  /** A file holding `{revision, applications}`, or "". */
  readonly applicationsFile: string;
  /** A directory holding `applications.json` (a mounted Secret), or "". */
  readonly applicationsDir: string;
  /** The name of a Kubernetes Secret of the pod's own namespace that holds the same as `applicationsDir`, or "". */
  readonly applicationsSecret: string;
  readonly limits: NodeLimits;
  readonly ping: { readonly intervalMs: number; readonly missed: number };
  readonly drain: { readonly windowMs: number };
  readonly rebalance: RebalanceConfig;
  readonly podDeletionCost: { readonly enabled: boolean };
  readonly ready: { readonly eventLoopLagMs: number; readonly heapUsedRatio: number; readonly exchange: boolean };
  readonly log: { readonly level: "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent" };
  readonly console: { readonly enabled: boolean };
  readonly docs: { readonly enabled: boolean };
}

/** Something to tell about a configuration: where, what, and what might have been meant. */
export interface Finding {
  readonly severity: "error" | "warning";
  /** The dotted key (`limits.frame_bytes`, `applications[1].app_key`), the variable's name, or what else is at fault (`syntax`, `file`). */
  readonly key: string;
  readonly message: string;
  /** `conf.yaml`, `environment`, `flags`. */
  readonly source: string;
  /** 1-based, for files. */
  readonly line?: number;
  /** "did you mean …". */
  readonly suggestion?: string;
  /** A warning that `check-config --strict` counts as an error. */
  readonly strict?: true;
}

/** Thrown when a configuration cannot be used; `findings` holds every fault, not only the first. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly findings: readonly Finding[];

  constructor(findings: readonly Finding[]) {
    super(findings.map(formatFinding).join("\n"));
    this.findings = findings;
  }
}

/** `conf.yaml:12: limits.frame_byte: unknown key; did you mean limits.frame_bytes?` */
export function formatFinding({ source, line, key, message, suggestion }: Finding): string {
  const where = line === undefined ? source : `${source}:${line}`;
  return `${where}: ${key}: ${message}${suggestion === undefined ? "" : `; did you mean ${suggestion}?`}`;
}
