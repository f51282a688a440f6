// Gauges that are counted when somebody looks, and the same counts for `/-/stats`.
import type { AppRegistry } from "../apps/registry.ts";
import type { Exchange } from "../exchange/exchange.ts";
import type { Hub } from "../hub/hub.ts";
import type { Outboxes } from "../hub/outboxes.ts";
import type { Metrics } from "../metrics/metrics.ts";

/** Sets the gauges of connections, limits, outboxes and the exchange at every scrape. */
export function readGauges(metrics: Metrics, hub: Hub, apps: AppRegistry, exchange: Exchange, outboxes: Outboxes): void {
  metrics.readAtScrape("xlvein_connections", () => {
    metrics.connections.reset();
    for (const { key } of apps.list()) metrics.connections.set({ app: key }, hub.countOf(key));
  });
  metrics.readAtScrape("xlvein_app_connection_limit", () => {
    metrics.appConnectionLimit.reset();
    for (const { key, limits } of apps.list()) metrics.appConnectionLimit.set({ app: key }, Number.isFinite(limits.maxConnections) ? limits.maxConnections : 0);
  });
  metrics.readAtScrape("xlvein_send_buffer_bytes", () => metrics.sendBuffer.set(outboxes.measure()));
  metrics.readAtScrape("xlvein_exchange_up", () => metrics.exchangeUp.set(exchange.state().up ? 1 : 0));
}

/** `{connections, apps: {key: {connections}}}` */
export function stats(hub: Hub, apps: AppRegistry): object {
  return { connections: hub.count, apps: Object.fromEntries([...apps.list()].map(({ key }) => [key, { connections: hub.countOf(key) }])) };
}
