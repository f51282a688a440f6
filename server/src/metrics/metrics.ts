// Every metric of the server, in one list. Labels come from configuration or from the code, never from a client.
import { collectDefaultMetrics, Gauge, Registry } from "prom-client";
import { register, TallyCounter, TallyHistogram } from "./tally.ts";

const FAST_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** The app label of whoever named no application that exists. */
export const OTHER_APP = "other";

export type Metrics = ReturnType<typeof createMetrics>;

/** Creates the metrics of one server with a registry of their own. */
export function createMetrics(version: string) {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  // Gauges that end in _total: against Prometheus' naming, and `nodejs_active_resources` says the same.
  registry.removeSingleMetric("nodejs_active_handles_total");
  registry.removeSingleMetric("nodejs_active_requests_total");
  registry.removeSingleMetric("nodejs_active_resources_total");
  const registers = [registry];
  const counter = <L extends string = never>(name: string, help: string, labelNames: L[] = []) =>
    register(registry, new TallyCounter({ name, help }, labelNames));
  const readers = new Map<string, () => void>();
  const gauge = <L extends string = never>(name: string, help: string, labelNames: L[] = []) =>
    new Gauge({ name, help, labelNames, registers, collect: () => readers.get(name)?.() });
  const histogram = (name: string, help: string) => register(registry, new TallyHistogram({ name, help }, FAST_SECONDS));

  const buildInfo = gauge("xlvein_build_info", "Always 1; the version runs as a label.", ["version"]);
  buildInfo.set({ version }, 1);

  return {
    registry,
    /** Calls `read` at every scrape to set a gauge that is cheaper to count then than to keep. */
    readAtScrape: (name: string, read: () => void) => void readers.set(name, read),
    connections: gauge("xlvein_connections", "Live WebSocket connections.", ["app"]),
    connectionsOpened: counter("xlvein_connections_opened_total", "WebSocket connections accepted.", ["app"]),
    connectionsClosed: counter("xlvein_connections_closed_total", "WebSocket connections ended, by close code.", ["app", "code"]),
    connectRejected: counter("xlvein_connect_rejected_total", "Handshakes refused, by reason.", ["app", "reason"]),
    nodeConnectionLimit: gauge("xlvein_node_connection_limit", "Most connections this node accepts."),
    appConnectionLimit: gauge("xlvein_app_connection_limit", "Most connections of an application (0: no limit of its own).", ["app"]),
    unauthenticatedSockets: gauge("xlvein_unauthenticated_sockets", "TCP connections that have not authenticated."),

    messagesReceived: counter("xlvein_messages_received_total", "Messages accepted from clients and backends.", ["app"]),
    messagesDelivered: counter("xlvein_messages_delivered_total", "Messages written to sockets.", ["app"]),
    messagesDropped: counter("xlvein_messages_dropped_total", "Messages and frames not delivered, by reason.", ["app", "reason"]),
    roomsNotEntered: counter("xlvein_rooms_not_entered_total", "Rooms, or all the rooms that a backend gave, that a connection is not in, by reason.", [
      "app",
      "reason",
    ]),
    deliveryLatency: histogram("xlvein_delivery_latency_seconds", "From accepting a message to writing it to a socket's outbox."),
    sendBuffer: gauge("xlvein_send_buffer_bytes", "Bytes waiting in the outboxes of all sockets."),

    pushRequests: counter("xlvein_push_requests_total", "Pushes by outcome, as an HTTP status (also where the classic path answers 200).", ["app", "code"]),
    pushDuration: histogram("xlvein_push_duration_seconds", "Time to answer a push."),

    exchangeUp: gauge("xlvein_exchange_up", "1 while the exchange accepts messages."),
    exchangePublished: counter("xlvein_exchange_published_total", "Envelopes handed to the exchange."),
    exchangeReceived: counter("xlvein_exchange_received_total", "Envelopes that arrived from the exchange."),

    exchangeLatency: histogram("xlvein_exchange_latency_seconds", "Time until store and exchange had accepted a message."),
    exchangeReconnects: counter("xlvein_exchange_reconnects_total", "Times that the exchange was away and came back."),
    exchangePoison: counter("xlvein_exchange_poison_total", "Things on the exchange that no node can have written; they are skipped."),
    repaired: counter("xlvein_stream_repaired_messages_total", "Messages that the exchange did not bring and that were read from the store."),
    epochChanges: counter("xlvein_stream_epoch_changes_total", "Streams that the store has lost or replaced."),

    configInfo: gauge("xlvein_config_info", "Always 1; the revision of the applications runs as a label.", ["revision"]),
    configReloadSuccessful: gauge("xlvein_config_last_reload_successful", "1 when the last set of applications offered was taken."),
    configReloadTime: gauge("xlvein_config_last_reload_success_timestamp_seconds", "When a set of applications was last taken."),
    configSourceUp: gauge("xlvein_config_source_up", "1 while changes of the applications reach this node from there.", ["source"]),
    secretLastUsed: gauge("xlvein_app_secret_last_used_timestamp_seconds", "When a secret last proved a token or a sign.", ["app", "secret_id"]),

    drainRemaining: gauge("xlvein_drain_connections_remaining", "Connections still to be closed by the drain."),
    rebalanceClosed: counter("xlvein_rebalance_closed_total", "Connections closed because this node had more than its share."),
    drainForced: counter("xlvein_drain_forced_connections_total", "Connections cut because they were still open at the end of the drain."),
  };
}
