// The server's address: one option, read as the base of HTTP requests and of WebSocket URLs.

/** Bases without a trailing slash: `https://host/prefix`, `wss://host/prefix`. */
export interface Bases {
  readonly http: string;
  readonly ws: string;
}

/** @throws TypeError that names the option. It does not repeat the value, which may hold a password. */
export function parseBases(option: string, value: string): Bases {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const secure = url?.protocol === "https:" || url?.protocol === "wss:";
  if (!url || !(secure || url.protocol === "http:" || url.protocol === "ws:"))
    throw new TypeError(`createXlvein: ${option} must begin with http://, https://, ws:// or wss://, like "http://127.0.0.1:8090"`);
  if (url.username || url.password) throw new TypeError(`createXlvein: ${option} must not hold a user name or password`);
  if (url.search || url.hash) throw new TypeError(`createXlvein: ${option} must not have a query or a fragment`);
  // Whoever copies the WebSocket's own address means the server it belongs to.
  const prefix = url.pathname.replace(/\/+$/, "").replace(/\/ws\/connect$/, "");
  return { http: `${secure ? "https" : "http"}://${url.host}${prefix}`, ws: `${secure ? "wss" : "ws"}://${url.host}${prefix}` };
}
