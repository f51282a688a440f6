// Where to connect: from the options' `url` to the WebSocket URL of one attempt.
import { check, XlveinError } from "../errors.ts";
import type { ClientOptions } from "../options.ts";
import type { Position } from "../protocol/protocol.ts";

export interface Address {
  /** The token: the one given, else the one that `url` carried. */
  readonly given: string | null;
  /** The server is on this machine: it can be reached without a network. */
  readonly local: boolean;
  /** The URL to open. It never carries a token: that is offered as a subprotocol, which no log keeps. */
  readonly base: URL;
}

const LOCAL = /\blocalhost$|^127\.|::1]$/;

/**
 * `url` is the server's (`https://push.example.com/prefix`), or a ready-made connect URL with `app_id` and `token` in it.
 * Relative to the page in a browser; the path and unknown query parameters are kept. Throws `bad_option`.
 */
export function parseAddress(options: Pick<ClientOptions, "url" | "appKey" | "token" | "deviceId">): Address {
  const { appKey, deviceId } = options;
  const url = parseUrl(options.url);
  const query = url.searchParams;
  const key = appKey ?? query.get("app_id");
  check(key, "appKey", "is missing");
  query.set("app_id", key);
  if (deviceId) query.set("device_id", deviceId);
  const given = options.token ?? query.get("token");
  query.delete("token");
  return { given, local: LOCAL.test(url.hostname), base: url };
}

/** The URL of one attempt, with where the client was. */
export function connectUrl(url: URL, account: Position | undefined, app: Position | undefined): string {
  for (const [name, at] of Object.entries({ account, app })) if (at) url.searchParams.set(`${name}_position`, `${at.epoch}:${at.offset}:${at.msg_id}`);
  return url.href;
}

function parseUrl(given: string | URL): URL {
  try {
    const url = new URL(given, globalThis.location?.href);
    url.protocol = url.protocol.replace("http", "ws");
    url.hash = "";
    url.pathname = url.pathname.replace(/(\/ws\/connect)?\/*$/, "/ws/connect");
    if (/^wss?:$/.test(url.protocol)) return url;
  } catch {}
  throw new XlveinError("bad_option", `url: not an http or ws URL: ${given}`);
}
