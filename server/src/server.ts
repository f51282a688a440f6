// The server, put together: the only file that constructs its rooms and joins them.
import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { createServer as createHttpsServer, type Server as HttpsServer } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createAppRegistry } from "./apps/registry.ts";
import type { AppSource } from "./apps/sources.ts";
import { createSecretUse } from "./auth/secret-use.ts";
import type { Config } from "./config/config.ts";
import { closeRemoved } from "./control/close-removed.ts";
import { createControl } from "./control/control.ts";
import { readGauges, stats } from "./control/gauges.ts";
import type { Exchange } from "./exchange/exchange.ts";
import { createLocalExchange } from "./exchange/local.ts";
import { CloseCode } from "./generated/codes.ts";
import { createApi } from "./http/api.ts";
import { createInternal } from "./http/internal.ts";
import { watchReadiness } from "./http/readiness.ts";
import { httpServerOptions } from "./http/server-options.ts";
import { watchSockets } from "./http/sockets.ts";
import { readKeyPair, watchKeyPair } from "./http/tls.ts";
import { drain } from "./hub/drain.ts";
import { createHub } from "./hub/hub.ts";
import { createWheel } from "./hub/wheel.ts";
import type { Log } from "./log.ts";
import { createMetrics } from "./metrics/metrics.ts";
import { createPublish } from "./publish/publish.ts";
import { createMemoryStore } from "./store/memory.ts";
import { createNoStore } from "./store/none.ts";
import type { Store } from "./store/store.ts";
import { createInbound } from "./ws/inbound.ts";
import { createUpgrade } from "./ws/upgrade.ts";

/** Longest wait of a drain for requests that have arrived. */
const FINISH_MS = 5_000;

export interface ServerOptions {
  config: Config;
  /** Where the applications come from. */
  source: AppSource;
  log: Log;
  /** Of the program, for `xlvein_build_info`. */
  version: string;
  now?: () => number;
}

export interface Listening {
  /** `http://host:port` or `https://…` of the public listener. */
  readonly url: string;
  /** Of the internal listener; `undefined` when it is off or its port was busy. */
  readonly internalUrl: string | undefined;
}

export interface Server {
  /** Connects the exchange, then opens the listeners. Rejects with a sentence when a port is taken. */
  listen(): Promise<Listening>;
  /** Reads the applications again. A bad set changes nothing. */
  reload(): Promise<void>;
  /** Unready at once; refuses new sockets, closes the others over `drain.window_seconds`, pushes go on; then closes. */
  drain(): Promise<void>;
  /** Ends everything at once; may be called twice. */
  close(): Promise<void>;
}

/** Builds a server; nothing listens before `listen`. Rejects when the applications or the certificate cannot be used. */
export async function createServer(options: ServerOptions): Promise<Server> {
  const { config, source, log, now = Date.now } = options;
  let state: "created" | "listening" | "draining" | "closed" = "created";
  const stop = new AbortController();
  const rooms = await build({ ...options, now }, () => state === "draining" || state === "closed");
  const { api, internal, http, hub, exchange, store, apps, metrics } = rooms;
  const watches: (() => void)[] = [];

  async function listenInternal(): Promise<string | undefined> {
    if (!config.internal.enabled) return undefined;
    try {
      return await internal.listen(config.internal);
    } catch (error) {
      if (config.internal.explicit || (error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
      const message = "the port is in use; set internal.port to have health checks and metrics";
      log.warn({ event: "no internal listener", port: config.internal.port, message });
      return undefined;
    }
  }

  async function close(): Promise<void> {
    if (state === "closed") return;
    state = "closed";
    stop.abort();
    for (const end of watches) end();
    for (const connection of hub.all()) connection.cut(CloseCode.SERVICE_RESTART);
    const closed = Promise.all([api.close(), internal.close()]);
    rooms.sockets.destroy();
    await closed;
    rooms.wheel.close();
    rooms.readiness.close();
    await exchange.close();
    await store.close();
    log.info({ event: "closed" });
  }

  return {
    async listen() {
      await exchange.open((target, envelope) => {
        metrics.exchangeReceived.inc();
        hub.deliver(target, envelope);
      });
      const address = await api.listen(config.listen);
      const url = config.tls ? address.replace(/^http:/, "https:") : address;
      const internalUrl = await listenInternal();
      watches.push(source.watch((set) => apps.replace(set)));
      if (config.tls) watches.push(watchKeyPair(http as HttpsServer, config.tls, log));
      if (state === "created") state = "listening";
      log.info({ event: "listening", url, internal_url: internalUrl, exchange: exchange.type, store: store.type, revision: apps.revision });
      return { url, internalUrl };
    },
    async reload() {
      await source.reload();
    },
    async drain() {
      if (state === "draining" || state === "closed") return;
      state = "draining";
      log.info({ event: "draining", connections: hub.count, window_ms: config.drain.windowMs });
      await drain(hub, { windowMs: config.drain.windowMs, now, metrics, signal: stop.signal });
      // Requests that have arrived are answered before the rest is ended.
      await Promise.race([api.close(), sleep(FINISH_MS, undefined, { ref: false, signal: stop.signal }).catch(() => {})]);
      await close();
    },
    close,
  };
}

/** The rooms, joined; each is handed what it needs and no more. */
async function build({ config, source, log, version, now }: Required<ServerOptions>, draining: () => boolean) {
  const { limits } = config;
  const metrics = createMetrics(version);
  const apps = createAppRegistry(await source.load());
  source.report(metrics);
  const exchange = createExchange(config);
  const store = createStore(config, now);
  const wheel = createWheel(now);
  const hub = createHub({
    hold: exchange.hold,
    release: exchange.release,
    maxConnections: limits.connections,
    holdTimeoutMs: limits.upgradeTimeoutMs,
    metrics,
    now,
  });
  const publish = createPublish({ store, exchange, metrics, now });
  const control = createControl(hub, exchange);
  const readiness = watchReadiness(config.ready, exchange, draining, () => [...apps.list()].length);

  const http = createListener(config);
  const sockets = watchSockets(http, limits.unauthenticatedSockets, metrics.unauthenticatedSockets);
  const shared = { apps, metrics, log, limits, now, draining, noteSecretUse: createSecretUse(metrics, now), onAuthenticated: sockets.authenticated };
  const api = await createApi({
    ...shared,
    serverFactory: (handler) => http.on("request", handler),
    publish,
    control,
    assetsDir: fileURLToPath(new URL("../dist/assets/", import.meta.url)),
    console: config.console.enabled,
    docs: config.docs.enabled,
  });
  const settings = { outboxBytes: limits.outboxBytes, pingIntervalMs: config.ping.intervalMs, missedPings: config.ping.missed, now, wheel };
  const inbound = createInbound({ publish, metrics, log, jsonDepth: limits.jsonDepth, now });
  http.on("upgrade", createUpgrade({ ...shared, hub, inbound, settings }));

  const internal = createInternal({ metrics, log, readiness: readiness.state, revision: () => apps.revision, stats: () => stats(hub, apps) });
  metrics.nodeConnectionLimit.set(limits.connections);
  readGauges(metrics, hub, apps, exchange);
  apps.onChange((change) => closeRemoved(hub, change));
  return { metrics, apps, exchange, store, wheel, hub, readiness, http, sockets, api, internal };
}

function createExchange({ exchange: { type } }: Config): Exchange {
  if (type !== "local") throw new Error(`exchange.type: ${type} is not available in this version; use local`);
  return createLocalExchange();
}

function createStore({ store: { type } }: Config, now: () => number): Store {
  if (type === "none") return createNoStore();
  if (type !== "memory") throw new Error(`store.type: ${type} is not available in this version; use memory or none`);
  return createMemoryStore({ now });
}

function createListener({ limits, tls }: Config): HttpServer {
  const options = httpServerOptions(limits);
  const http = tls
    ? createHttpsServer({ ...options, ...readKeyPair(tls), minVersion: "TLSv1.2", handshakeTimeout: limits.headersTimeoutMs })
    : createHttpServer(options);
  http.maxConnections = limits.connections + limits.unauthenticatedSockets;
  return http;
}
