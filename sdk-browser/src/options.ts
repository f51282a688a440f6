// The options of a client, and the check that names the one at fault.
import type { Clock } from "./clock.ts";
import { check } from "./errors.ts";
import type { PageLike } from "./page/page.ts";
import type { GetToken } from "./token/token.ts";
import type { WebSocketClass } from "./transport/socket.ts";

export interface ClientOptions {
  /**
   * Where the server is: `https://push.example.com`, with a path prefix if it has one; http, https, ws or wss, relative to the page in a browser.
   * A ready-made connect URL (`wss://…/ws/connect?app_id=…&token=…`) works too and makes `appKey` and `token` unnecessary; its token is taken out of it.
   */
  url: string | URL;
  /** The application's key. */
  appKey?: string | undefined;
  /** A connect token made by your backend. It cannot be renewed: use `getToken` for pages that stay open. */
  token?: string | undefined;
  /**
   * Asks your backend for a connect token: before the first connection, before the token expires, and when the server has refused it.
   * What it throws is announced as `token_failed` and tried again with back-off. To give up (the user has logged out), call `close()`.
   */
  getToken?: GetToken | undefined;
  /** Names this device to the backend, 1 to 128 characters. None by default. */
  deviceId?: string | undefined;
  /** How long `getToken` and the handshake may each take, milliseconds. Default 10,000. */
  connectTimeoutMs?: number | undefined;
  /** The largest frame to send, bytes of UTF-8, where the server does not allow less. Default 65,536. */
  maxFrameBytes?: number | undefined;
  /** The WebSocket class. Default: the global one. */
  WebSocket?: WebSocketClass | undefined;
  /** What tells about network, back/forward cache and visibility. Default: the window, or the worker's global; in Node nothing. */
  page?: PageLike | undefined;
  /** Time and chance. Default: the system's. */
  clock?: Clock | undefined;
}

const TYPES = {
  string: ["appKey", "token", "deviceId"],
  function: ["getToken", "WebSocket"],
  number: ["connectTimeoutMs", "maxFrameBytes"],
} as const;

/** Throws `bad_option`, naming the first that is there and not as it must be: of its type, not empty, above 0. */
export function checkOptions(options: ClientOptions): void {
  for (const [type, names] of Object.entries(TYPES))
    for (const name of names) {
      const value = (options[name] ?? options) as number | ClientOptions;
      check(value === options || (typeof value === type && value && !((value as number) < 0)), name, `must be a ${type}`);
    }
}

/** The window, or the worker's global; undefined in Node. */
export function ownPage(): PageLike | undefined {
  return typeof globalThis.addEventListener === "function" ? globalThis : undefined;
}
