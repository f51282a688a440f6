// Where to connect: from the options' `url` to the WebSocket URL of one attempt.
import { check } from "../errors.ts";

export interface Address {
  /** The token that `url` carried, if any. */
  readonly token: string | undefined;
  /** The server is on this machine: it can be reached without a network. */
  readonly local: boolean;
  /** The URL to open. It carries the token: never log it. */
  connectUrl(token: string): string;
}

const PATH = "/ws/connect";
const LOCAL = /^(.+\.)?localhost$|^127\.|^\[::1\]$/;

/**
 * `url` is the server's (`https://push.example.com/prefix`), or a ready-made connect URL with `app_id` and `token` in it.
 * Relative to the page in a browser; the path and unknown query parameters are kept. Throws `bad_option`.
 */
export function parseAddress(url: string | URL, appKey: string | undefined, deviceId: string | undefined): Address {
  const address = parseUrl(url);
  const query = address.searchParams;
  const key = query.get("app_id") ?? appKey;
  check(key, "appKey", "is missing, and url has no app_id");
  check(!appKey || key === appKey, "appKey", `is "${appKey}", but url has app_id "${key}"`);
  query.set("app_id", key);
  if (deviceId) query.set("device_id", deviceId);
  return {
    token: query.get("token") ?? undefined,
    local: LOCAL.test(address.hostname),
    connectUrl: (token) => {
      query.set("token", token);
      return address.href;
    },
  };
}

function parseUrl(url: string | URL): URL {
  let address: URL | undefined;
  try {
    address = new URL(url, globalThis.location?.href);
  } catch {}
  check(address && /^(http|ws)s?:$/.test(address.protocol), "url", `must be an http, https, ws or wss URL, not "${url}"`);
  address.protocol = address.protocol.replace("http", "ws");
  address.hash = "";
  const path = address.pathname.replace(/\/+$/, "");
  address.pathname = path.endsWith(PATH) ? path : path + PATH;
  return address;
}
