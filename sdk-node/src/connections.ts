// Listing an account's live connections.
import { type Answer, foreignError, isObject } from "./answer.ts";
import type { components } from "./generated/openapi.ts";
import { accountPath } from "./names.ts";
import type { CallOptions, Send } from "./transport.ts";

/** One live socket of an account. */
export interface Connection {
  readonly connectionId: string;
  /** What the client speaks: `classic`, or `v2` (`xlvein.v2.json`). */
  readonly protocol: string;
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly connectedAt: number;
  /** The client's name for its device, when it gave one. */
  readonly deviceId?: string;
}

type WireConnection = components["schemas"]["Connection"];

/** Answers the function that lists connections, oldest first; an account that is not connected has none. */
export function createConnections(send: Send): (account: string, options?: CallOptions) => Promise<Connection[]> {
  return async (account, options) => {
    const path = accountPath("connections", "/api/v1/accounts/{account}/connections", account);
    return send({ operation: "connections", method: "GET", path, read: readConnections }, options);
  };
}

function readConnections(answer: Answer): Connection[] {
  const list = isObject(answer.body) ? answer.body.connections : undefined;
  if (!Array.isArray(list) || !list.every(isConnection)) throw foreignError(answer);
  return list.map(connection);
}

function connection({ connection_id, protocol, connected_at, device_id }: WireConnection): Connection {
  return { connectionId: connection_id, protocol, connectedAt: connected_at, ...(device_id !== undefined && { deviceId: device_id }) };
}

function isConnection(value: unknown): value is WireConnection {
  if (!isObject(value)) return false;
  const { connection_id, protocol, connected_at, device_id = "" } = value;
  return typeof connection_id === "string" && typeof protocol === "string" && typeof connected_at === "number" && typeof device_id === "string";
}
