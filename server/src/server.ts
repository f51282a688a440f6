// The server, put together: the only file that constructs its rooms and joins them.
import { randomBytes } from "node:crypto";
import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { createServer as createHttpsServer, type Server as HttpsServer } from "node:https";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { getHeapStatistics } from "node:v8";
import { type AppRegistry, createAppRegistry } from "./apps/registry.ts";
import { historyOf, slowOf } from "./apps/rules.ts";
import type { AppSource } from "./apps/sources.ts";
import { createSecretUse } from "./auth/secret-use.ts";
import type { Config } from "./config/config.ts";
import { closeRemoved } from "./control/close-removed.ts";
import { createControl } from "./control/control.ts";
import { readGauges, stats } from "./control/gauges.ts";
import { createMembership } from "./control/membership.ts";
import type { Deliver, Exchange, Resumed } from "./exchange/exchange.ts";
import { createLocalExchange } from "./exchange/local.ts";
import { createRabbitmqExchange } from "./exchange/rabbitmq.ts";
import { createRedisExchange } from "./exchange/redis.ts";
import { CloseCode } from "./generated/codes.ts";
import { createApi } from "./http/api.ts";
import { createInternal } from "./http/internal.ts";
import { watchReadiness } from "./http/readiness.ts";
import { httpServerOptions } from "./http/server-options.ts";
import { watchSockets } from "./http/sockets.ts";
import { readKeyPair, watchKeyPair } from "./http/tls.ts";
import { drain } from "./hub/drain.ts";
import { createHub } from "./hub/hub.ts";
import { Outboxes } from "./hub/outboxes.ts";
import { createWheel } from "./hub/wheel.ts";
import { findAccess } from "./kubernetes/access.ts";
import { createDeletionCost } from "./kubernetes/deletion-cost.ts";
import type { Log } from "./log.ts";
import { createMetrics } from "./metrics/metrics.ts";
import type { Target } from "./protocol/target.ts";
import { createPublish } from "./publish/publish.ts";
import { createRebalance } from "./rebalance/rebalance.ts";
import { createLocalOrder } from "./recover/local-order.ts";
import { createOrder, type Order } from "./recover/order.ts";
import { createRepair } from "./recover/repair.ts";
import { createStreams } from "./recover/streams.ts";
import { createRedisLinks } from "./redis/connect.ts";
import type { RedisLinks } from "./redis/links.ts";
import { readTlsFiles } from "./redis/options.ts";
import { createMemoryStore } from "./store/memory.ts";
import { createNoStore } from "./store/none.ts";
import { createRedisStore } from "./store/redis.ts";
import type { Store } from "./store/store.ts";
import { createSessions } from "./ws/sessions.ts";
import { createUpgrade } from "./ws/upgrade.ts";

/** A push over a broker is answered within this. */
const PUBLISH_MS = 1_800;
/** What all outboxes together may hold, of the heap. */
const OUTBOXES_SHARE = 0.25;
/** Longest wait of a drain for requests that have arrived. */
const FINISH_MS = 5_000;

export interface ServerOptions {
  config: Config;
  /** Where the applications come from. */
  source: AppSource;
  log: Log;
  /** Of the program, for `xlvein_build_info`. */
  version: string;
  /** Where the Kubernetes API is, for `pod_deletion_cost.enabled`; none by default. */
  env?: Readonly<Record<string, string | undefined>>;
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
  const { config, source, log, env = {}, now = Date.now } = options;
  let state: "created" | "listening" | "draining" | "closed" = "created";
  const stop = new AbortController();
  const access = config.podDeletionCost.enabled ? findAccess(env, "pod_deletion_cost.enabled ") : undefined;
  const rooms = await build({ ...options, env, now }, () => state === "draining" || state === "closed");
  const { api, internal, http, hub, exchange, store, apps, metrics } = rooms;
  const tellCost = access && createDeletionCost({ access, connections: () => hub.count, log });
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
    rooms.rebalance?.close();
    rooms.wheel.close();
    rooms.readiness.close();
    rooms.order.close();
    await exchange.close();
    await store.close();
    log.info({ event: "closed" });
  }

  return {
    async listen() {
      await Promise.all([store.open(), exchange.open(rooms.receive, rooms.resumed)]);
      const address = await api.listen(config.listen);
      const url = config.tls ? address.replace(/^http:/, "https:") : address;
      const internalUrl = await listenInternal();
      watches.push(source.watch((set) => apps.replace(set)));
      if (tellCost) watches.push(tellCost());
      rooms.rebalance?.open();
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
  const { exchange, store } = createBus({ config, apps, log, onPoison: () => metrics.exchangePoison.inc(), now });
  const wheel = createWheel(now);
  const hub = createHub({
    hold(target) {
      const held = exchange.hold(target);
      return held ? held.then(() => order.follow(target)) : order.follow(target);
    },
    release(target) {
      order.leave(target);
      exchange.release(target);
    },
    slowOf: (target) => slowOf(apps.get(target.app), target),
    onMembership: (connection, room, member) => membership.receive(connection, room, member),
    maxConnections: limits.connections,
    holdTimeoutMs: limits.upgradeTimeoutMs,
    metrics,
    now,
  });
  const order =
    exchange.type === "local" && store.type !== "redis" ? createLocalOrder({ store, deliver: hub.deliver, streams: hub.streams }) : createSharedOrder();
  function createSharedOrder(): Order {
    const repair = createRepair({ store, deliver: hub.deliver, gap: hub.gap, metrics, log });
    return createOrder({ store, repair, remember: Math.max(32, config.store.history.messages), deliver: hub.deliver });
  }
  const receive: Deliver = (delivery, envelope) => {
    metrics.exchangeReceived.inc();
    if (envelope.kind === "load") rebalance?.heard(envelope);
    else order.receive(delivery, envelope);
  };
  const resumed: Resumed = (targets) => {
    metrics.exchangeReconnects.inc();
    log.info({ event: "exchange resumed", targets: targets.length });
    void order.compare(targets);
    void membership.compare(targets);
  };
  const publish = createPublish({ store, exchange, metrics, now, ...(exchange.type === "local" ? {} : { deadlineMs: PUBLISH_MS }) });
  const control = createControl(hub, exchange);
  const streams = createStreams({ hub, order, store, recoverMessages: limits.recoverMessages });
  const membership = createMembership({
    hub,
    exchange,
    store,
    onRooms: (connection, rooms) => sessions.onRooms(connection, rooms),
    onChange: (connection, room, member) => sessions.onMembership(connection, room, member),
  });
  const readiness = watchReadiness(config.ready, exchange, store, draining, () => [...apps.list()].length);
  const accepting = () => readiness.state().ready;
  const rebalance = config.rebalance.enabled ? createRebalance({ hub, exchange, config: config.rebalance, accepting, metrics, log, now }) : undefined;

  const http = createListener(config);
  const sockets = watchSockets(http, limits.unauthenticatedSockets, metrics);
  const shared = { apps, metrics, log, limits, now, draining, noteSecretUse: createSecretUse(metrics, now), onAuthenticated: sockets.authenticated };
  const api = await createApi({
    ...shared,
    serverFactory: (handler) => http.on("request", handler),
    publish,
    control,
    streams,
    membership,
    assetsDir: fileURLToPath(new URL("../dist/assets/", import.meta.url)),
    console: config.console.enabled,
    docs: config.docs.enabled,
  });
  const outboxes = new Outboxes({
    capBytes: getHeapStatistics().heap_size_limit * OUTBOXES_SHARE,
    onDropped: (app, reason, count) => metrics.messagesDropped.inc({ app, reason }, count),
  });
  const settings = { outboxBytes: limits.outboxBytes, pingIntervalMs: config.ping.intervalMs, missedPings: config.ping.missed, now, wheel, outboxes };
  const sessions = createSessions({ ...shared, publish, streams, roomsOf: membership.roomsOf, recoverable: store.type !== "none", version, settings });
  http.on("upgrade", createUpgrade({ ...shared, hub, sessions, onOpened: sockets.release }));

  const internal = createInternal({ metrics, log, readiness: readiness.state, revision: () => apps.revision, stats: () => stats(hub, apps) });
  metrics.nodeConnectionLimit.set(limits.connections);
  readGauges(metrics, hub, apps, exchange, outboxes);
  apps.onChange((change) => closeRemoved(hub, change));
  return { metrics, apps, exchange, store, order, receive, resumed, rebalance, wheel, hub, readiness, http, sockets, api, internal };
}

interface Bus {
  config: Config;
  apps: AppRegistry;
  log: Log;
  onPoison: () => void;
  now: () => number;
}

/** The exchange and the store that the configuration names. Where both are Redis they share their connections. */
function createBus(bus: Bus): { exchange: Exchange; store: Store } {
  const { exchange, store } = bus.config;
  const usesRedis = exchange.type === "redis" || store.type === "redis";
  const links = usesRedis ? createRedisLinks({ addresses: exchange.redis, prefix: exchange.exchangeName, log: bus.log, tls: exchange.tls }) : undefined;
  return { exchange: createExchange(bus, links), store: createStore(bus, links) };
}

function createExchange({ config, log, onPoison }: Bus, links: RedisLinks | undefined): Exchange {
  const { type, exchangeName, queueName, rabbitmq: urls, tls, buckets, wireVersion, probeMs } = config.exchange;
  const shared = { nodeId: `${hostname()}-${randomBytes(4).toString("hex")}`, wireVersion, log, onPoison, probeMs };
  if (type === "redis" && links) return createRedisExchange({ ...shared, links, prefix: exchangeName });
  if (type === "rabbitmq") return createRabbitmqExchange({ ...shared, urls, exchangeName, queueName, buckets, tls: readTlsFiles(tls) });
  return createLocalExchange();
}

function createStore({ config: { exchange, store }, apps, log, onPoison, now }: Bus, links: RedisLinks | undefined): Store {
  if (store.type === "none") return createNoStore();
  const rule = (target: Target) => historyOf(apps.get(target.app), target) ?? store.history;
  if (store.type === "memory" || !links) return createMemoryStore({ now, historyOf: rule });
  const publish = exchange.type === "redis";
  return createRedisStore({ links, prefix: exchange.exchangeName, publish, wireVersion: exchange.wireVersion, historyOf: rule, log, onPoison, now });
}

function createListener({ limits, tls }: Config): HttpServer {
  const options = httpServerOptions(limits);
  const http = tls
    ? createHttpsServer({ ...options, ...readKeyPair(tls), minVersion: "TLSv1.2", handshakeTimeout: limits.headersTimeoutMs })
    : createHttpServer(options);
  http.maxConnections = limits.connections + limits.unauthenticatedSockets;
  return http;
}
