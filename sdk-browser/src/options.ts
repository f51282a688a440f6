// The options of a client, and the check that names the one at fault.
import { type Clock, systemClock } from "./clock.ts";
import { check } from "./errors.ts";
import type { PageLike } from "./page/page.ts";
import type { GetToken } from "./token/token.ts";
import { type Address, parseAddress } from "./transport/address.ts";
import type { WebSocketClass } from "./transport/socket.ts";

export interface ClientOptions {
  /**
   * Where the server is: `https://push.example.com`, with a path prefix if it has one; http, https, ws or wss, relative to the page in a browser.
   * A ready-made connect URL (`wss://…/ws/connect?app_id=…&token=…`) works too and makes `appKey` and `token` unnecessary.
   */
  url: string | URL;
  /** The application's key. */
  appKey?: string | undefined;
  /** A connect token made by your backend. It cannot be renewed: use `getToken` for pages that stay open. */
  token?: string | undefined;
  /**
   * Asks your backend for a connect token: before the first connection, and before a later one when the token has expired or may have been refused.
   * What it throws is announced as `token_failed` and tried again with back-off. To give up (the user has logged out), call `close()`.
   */
  getToken?: GetToken | undefined;
  /** Names this device to the backend, 1 to 128 characters. None by default. */
  deviceId?: string | undefined;
  /** How long `getToken` and the handshake may each take, milliseconds. Default 10,000. */
  connectTimeoutMs?: number | undefined;
  /** The largest frame to send, bytes of UTF-8; the server closes connections that send larger ones than it allows. Default 65,536. */
  maxFrameBytes?: number | undefined;
  /** The WebSocket class. Default: the global one. */
  WebSocket?: WebSocketClass | undefined;
  /** What tells about network, back/forward cache and visibility. Default: the window, or the worker's global; in Node nothing. */
  page?: PageLike | undefined;
  /** Time and chance. Default: the system's. */
  clock?: Clock | undefined;
}

/** Options that have been checked, with every default in place. */
export interface Settings {
  readonly address: Address;
  readonly token: string | undefined;
  readonly getToken: GetToken | undefined;
  readonly connectTimeoutMs: number;
  readonly maxFrameBytes: number;
  readonly WebSocket: WebSocketClass;
  readonly page: PageLike | undefined;
  readonly clock: Clock;
}

/** Longest texts the server takes, in characters. */
const TEXTS = { appKey: 128, token: 4096, deviceId: 128 } as const;

/** Throws `bad_option`, naming the option. */
export function readOptions(options: ClientOptions): Settings {
  const { url, getToken, page = ownPage(), clock = systemClock, WebSocket = globalThis.WebSocket, connectTimeoutMs = 10_000, maxFrameBytes = 65_536 } = options;
  check(url, "url", "is missing");
  for (const [name, max] of Object.entries(TEXTS)) {
    const text: unknown = options[name as keyof typeof TEXTS] ?? "-";
    check(typeof text === "string" && text && text.length <= max, name, `must be a string of 1 to ${max} characters`);
  }
  check(connectTimeoutMs > 0, "connectTimeoutMs", ABOVE_0);
  check(maxFrameBytes > 0, "maxFrameBytes", ABOVE_0);
  check(typeof WebSocket === "function", "WebSocket", `there is no global one, ${FUNCTION}`);
  check(!getToken || typeof getToken === "function", "getToken", FUNCTION);
  const address = parseAddress(url, options.appKey, options.deviceId);
  const token = options.token ?? address.token;
  check(token || getToken, "token", "is missing; pass token, getToken, or a url with a token");
  return { address, token, getToken, connectTimeoutMs, maxFrameBytes, WebSocket, page, clock };
}

const ABOVE_0 = "must be a number above 0";
const FUNCTION = "must be a function";

function ownPage(): PageLike | undefined {
  return typeof globalThis.addEventListener === "function" ? globalThis : undefined;
}
