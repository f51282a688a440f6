// What protects the public HTTP server from peers that are slow, silent or broken.
import type { ServerOptions } from "node:http";
import type { NodeLimits } from "../config/config.ts";

/** Longer than the idle time-outs of usual balancers (60 s), so that it is never us who closes under their next request. */
const KEEP_ALIVE_MS = 72_000;
const MAX_HEADER_BYTES = 16_384;

/**
 * Options for `http.createServer` and `https.createServer`. Node's strict parser stays on, and there is no limit of requests per socket.
 * Only WebSocket handshakes raise `upgrade` (where Node knows `shouldUpgradeCallback`): clients that offer h2c with every request are answered in HTTP/1.1.
 */
export function httpServerOptions({ headersTimeoutMs, requestTimeoutMs }: Pick<NodeLimits, "headersTimeoutMs" | "requestTimeoutMs">): ServerOptions {
  return {
    // Node refuses a header time-out above the whole request's.
    headersTimeout: Math.min(headersTimeoutMs, requestTimeoutMs),
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: 1_000,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
    requireHostHeader: true,
    insecureHTTPParser: false,
    noDelay: true,
    shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === "websocket",
  };
}
