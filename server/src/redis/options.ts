// What every connection to Redis is told: bounded waits, nothing queued while it is away, nothing sent twice, back at once.
import { readFileSync } from "node:fs";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import { Cluster, type ClusterOptions, Redis, type RedisOptions } from "ioredis";
import type { RedisAddress } from "../config/broker-url.ts";
import type { BrokerTlsFiles } from "../config/config.ts";

/** To connect, and on a Cluster to be answered, ms. */
export const COMMAND_MS = 1_000;
/** Longest pause between two attempts to connect, ms. */
const RETRY_MS = 200;

/** `replyMapping` chooses the types of replies, so they want it said. */
type Options = RedisOptions & { replyMapping: "legacy" };

const retry = (times: number) => Math.min(times * 50, RETRY_MS);

/** Reads the PEM files. Throws a sentence that names the file at fault. */
export function readTlsFiles(files: BrokerTlsFiles | undefined): SecureContextOptions {
  const options: SecureContextOptions = {};
  for (const name of ["ca", "cert", "key"] as const) {
    const path = files?.[name] ?? "";
    if (path === "") continue;
    try {
      options[name] = readFileSync(path);
    } catch (error) {
      throw new Error(`exchange.tls.${name}: ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
    }
  }
  try {
    createSecureContext(options);
  } catch (error) {
    throw new Error(`exchange.tls: the PEM files cannot be used (${(error as NodeJS.ErrnoException).code ?? (error as Error).message})`);
  }
  return options;
}

function common({ user, password, tls }: RedisAddress, pem: SecureContextOptions): Options {
  return {
    replyMapping: "legacy",
    ...(user === "" ? {} : { username: user }),
    ...(password === "" ? {} : { password }),
    ...(tls ? { tls: pem } : {}),
    connectionName: "xlvein",
    disableClientInfo: true,
    lazyConnect: true,
    connectTimeout: COMMAND_MS,
    // How long a half-open connection may take to say goodbye.
    disconnectTimeout: 100,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxLoadingRetryTime: 100,
    reconnectOnError: (error) => error.message.startsWith("READONLY"),
    retryStrategy: retry,
  };
}

function single(address: RedisAddress, pem: SecureContextOptions): Options {
  const { host, port } = address.hosts[0] ?? { host: "localhost", port: 6379 };
  return { ...common(address, pem), host, port, db: address.db };
}

function sentinel(address: RedisAddress, pem: SecureContextOptions): Options {
  const { hosts, master, db, tls, sentinelUser, sentinelPassword } = address;
  return {
    ...common(address, pem),
    sentinels: hosts.map((host) => ({ ...host })),
    name: master,
    role: "master",
    db,
    ...(sentinelUser === "" ? {} : { sentinelUsername: sentinelUser }),
    ...(sentinelPassword === "" ? {} : { sentinelPassword }),
    sentinelCommandTimeout: COMMAND_MS,
    sentinelRetryStrategy: retry,
    // A master that is replaced while it lives takes writes for seconds, until it is told: what it takes then is not on the new one.
    failoverDetector: true,
    sentinelReconnectStrategy: retry,
    ...(tls ? { enableTLSForSentinelMode: true, sentinelTLS: pem } : {}),
  };
}

/**
 * One connection to one server, to the master that Sentinels name, or to `node` of a Cluster; not yet connecting. Without a time-out per command:
 * a timer for each costs, and a pause of our own would set off those of thousands of subscriptions under way, to start them all again. The watchdog finds it dead.
 */
export function createConnection(address: RedisAddress, pem: SecureContextOptions, node?: { host: string; port: number }): Redis {
  if (node) return new Redis({ ...common(address, pem), ...node });
  return new Redis(address.kind === "sentinel" ? sentinel(address, pem) : single(address, pem));
}

/** For commands to a Cluster; not yet connecting. It follows MOVED and ASK, and sends nothing again that may have been done. */
export function createCluster(address: RedisAddress, pem: SecureContextOptions): Cluster {
  const { retryStrategy: _, lazyConnect: __, ...redisOptions } = common(address, pem);
  const options = {
    redisOptions: { ...redisOptions, lazyConnect: false, commandTimeout: COMMAND_MS },
    lazyConnect: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: retry,
    maxRedirections: 5,
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    slotsRefreshTimeout: COMMAND_MS,
    slotsRefreshInterval: 5_000,
    // Names go to the socket as they are: TLS certificates name them.
    dnsLookup: (host, callback) => callback(null, host),
  } satisfies ClusterOptions;
  return new Cluster(
    address.hosts.map((host) => ({ ...host })),
    options,
  );
}
