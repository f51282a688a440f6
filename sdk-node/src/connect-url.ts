// The URL that a client opens as a WebSocket.
import type { paths } from "./generated/openapi.ts";
import type { TokenOptions } from "./token.ts";

/** A token's options, and the client's device. */
export interface ConnectUrlOptions extends TokenOptions {
  /** A name that the client keeps for its device, at most 128 characters. */
  readonly deviceId?: string | undefined;
}

const PATH: keyof paths = "/ws/connect";

/** Answers the function that writes connect URLs. The URL holds a token: hand it to that account's client only, and do not log it. */
export function createConnectUrl(
  wsBase: string,
  appKey: string,
  token: (account: string, options?: TokenOptions) => string,
): (account: string, options?: ConnectUrlOptions) => string {
  return (account, { deviceId, ...options } = {}) => {
    if (deviceId !== undefined && (typeof deviceId !== "string" || deviceId === "")) throw new TypeError("connectUrl: deviceId must be a non-empty string");
    const query = new URLSearchParams({ app_id: appKey, token: token(account, options), ...(deviceId !== undefined && { device_id: deviceId }) });
    return `${wsBase}${PATH}?${query}`;
  };
}
