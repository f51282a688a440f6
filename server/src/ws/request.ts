// What a handshake asks for, read from its request line and headers.
import type { IncomingMessage } from "node:http";
import { ErrorCode, XlveinError } from "../errors.ts";

export const CONNECT_PATH = "/ws/connect";
const MAX_DEVICE_ID = 128;
const KEY = /^[+/0-9A-Za-z]{22}==$/;

export interface ConnectRequest {
  readonly appKey: string;
  readonly token: string;
  readonly deviceId: string | undefined;
  readonly origin: string | undefined;
}

/** Reads a handshake (RFC 6455 section 4.2.1). Throws BAD_REQUEST or NOT_FOUND, naming what is wrong; nothing of the query is repeated. */
export function readConnectRequest(request: IncomingMessage): ConnectRequest {
  const url = parseUrl(request.url ?? "");
  if (url.pathname !== CONNECT_PATH)
    throw new XlveinError(ErrorCode.NOT_FOUND, `there is no WebSocket here; connect to ${CONNECT_PATH}`, { reason: "not_found" });
  checkHandshake(request);
  const query = url.searchParams;
  const appKey = single(query, "app_id");
  const token = single(query, "token");
  if (!appKey) throw bad("query.app_id: the application's key is missing");
  if (!token) throw new XlveinError(ErrorCode.TOKEN_INVALID, "query.token: the token is missing", { reason: "bad_token" });
  const deviceId = single(query, "device_id");
  if (deviceId !== undefined && (deviceId.length === 0 || deviceId.length > MAX_DEVICE_ID))
    throw bad(`query.device_id: must have 1 to ${MAX_DEVICE_ID} characters`);
  return { appKey, token, deviceId, origin: request.headers.origin };
}

function checkHandshake({ method, httpVersion, headers }: IncomingMessage): void {
  if (httpVersion !== "1.1") throw bad("a WebSocket handshake speaks HTTP/1.1");
  if (!headers.host) throw bad("header host: is missing");
  if (method !== "GET") throw bad("a WebSocket handshake is a GET request");
  if (headers.upgrade?.toLowerCase() !== "websocket") throw bad("header upgrade: must be websocket");
  if (!KEY.test(headers["sec-websocket-key"] ?? "")) throw bad("header sec-websocket-key: must be 16 bytes in base64");
  if (headers["sec-websocket-version"] !== "13") throw bad("header sec-websocket-version: must be 13");
  if (headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) !== 0) throw bad("a WebSocket handshake has no body");
}

function parseUrl(target: string): URL {
  try {
    return new URL(target, "http://localhost");
  } catch (cause) {
    throw new XlveinError(ErrorCode.BAD_REQUEST, "the request target is not a URL", { cause, reason: "bad_request" });
  }
}

function single(query: URLSearchParams, name: string): string | undefined {
  const values = query.getAll(name);
  if (values.length > 1) throw bad(`query.${name}: given ${values.length} times`);
  return values[0];
}

function bad(message: string): XlveinError {
  return new XlveinError(ErrorCode.BAD_REQUEST, message, { reason: "bad_request" });
}
