// Closing an account's connections.
import type { components } from "./generated/openapi.ts";
import { accountPath } from "./names.ts";
import type { CallOptions, Send } from "./transport.ts";

/** Which connection, and how to send the order. */
export interface DisconnectOptions extends CallOptions {
  /** Only this one, as `connections` names it. Default: every connection of the account. */
  readonly connectionId?: string | undefined;
}

/** Answers the function that closes connections with code 4010. It resolves once every node that holds the account has been told. */
export function createDisconnect(send: Send): (account: string, options?: DisconnectOptions) => Promise<void> {
  return async (account, { connectionId, ...options } = {}) => {
    const path = accountPath("disconnect", "/api/v1/accounts/{account}/disconnect", account);
    if (connectionId !== undefined && (typeof connectionId !== "string" || connectionId === ""))
      throw new TypeError("disconnect: connectionId must be a non-empty string");
    const order: components["schemas"]["Disconnect"] = connectionId === undefined ? {} : { connection_id: connectionId };
    const body = { type: "application/json", text: JSON.stringify(order) } as const;
    return send({ operation: "disconnect", method: "POST", path, body, read: () => undefined }, options);
  };
}
