// What a handshake asks for, read from its request line and headers.
import type { IncomingMessage } from "node:http";
import { ErrorCode, XlveinError } from "../errors.ts";
import type { Position } from "../protocol/position.ts";
import { offersVersion, TOKEN_PREFIX } from "./subprotocol.ts";

export const CONNECT_PATH = "/ws/connect";
const PLAIN = `${CONNECT_PATH}?`;
const MAX_DEVICE_ID = 128;
const KEY = /^[+/0-9A-Za-z]{22}==$/;
const NAME = /^[!#$%&'*+.^_`|~\w-]+$/;
/** `epoch:offset:msg_id`; before the first message `epoch:0:`. */
const POSITION = /^([^:]{1,64}):(0|[1-9]\d{0,15}):([^:]{0,64})$/;

/** A handshake that is one, as a client of whichever protocol made it; nothing that it asks for has been looked at. */
export interface Handshake {
  /** `newer`: it offers versions of the full protocol that are not spoken here. */
  readonly protocol: "classic" | "v2" | "newer";
  readonly query: URLSearchParams;
  /** A token offered as a subprotocol. */
  readonly offeredToken: string | undefined;
  readonly origin: string | undefined;
}

export interface ConnectRequest {
  readonly appKey: string;
  readonly token: string;
  readonly deviceId: string | undefined;
  /** Where a v2 client was before. */
  readonly accountPosition: Position | undefined;
  readonly appPosition: Position | undefined;
}

/** Reads a handshake (RFC 6455 section 4.2.1). Throws BAD_REQUEST or NOT_FOUND, naming what is wrong; nothing of the query is repeated. */
export function readHandshake(request: IncomingMessage): Handshake {
  const query = readQuery(request.url ?? "");
  const { headers } = request;
  checkHandshake(request);
  for (const name of ["app_id", "token", "device_id"]) checkSingle(query, name);
  const offered = readOffered(headers["sec-websocket-protocol"]);
  const protocol = offersVersion(offered) ?? "classic";
  if (protocol !== "classic") for (const name of ["account_position", "app_position"]) checkSingle(query, name);
  return { protocol, query, offeredToken: readOfferedToken(offered, protocol, query), origin: headers.origin };
}

/** Reads what a handshake asks for. Throws BAD_REQUEST, or TOKEN_INVALID when there is none. */
export function readConnectRequest({ protocol, query, offeredToken }: Handshake): ConnectRequest {
  const appKey = query.get("app_id");
  const token = offeredToken ?? query.get("token");
  if (!appKey) throw bad("query.app_id: the application's key is missing");
  if (!token) throw new XlveinError(ErrorCode.TOKEN_INVALID, "query.token: the token is missing", { reason: "bad_token" });
  const deviceId = query.get("device_id") ?? undefined;
  if (deviceId !== undefined && (deviceId.length === 0 || deviceId.length > MAX_DEVICE_ID))
    throw bad(`query.device_id: must have 1 to ${MAX_DEVICE_ID} characters`);
  const position = (name: string) => (protocol === "v2" ? readPosition(query, name) : undefined);
  return { appKey, token, deviceId, accountPosition: position("account_position"), appPosition: position("app_position") };
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

/** The query of a request to the one path that there is. */
function readQuery(target: string): URLSearchParams {
  // As nearly all of them are spelled: to read a whole URL costs more than all else here.
  if (target.startsWith(PLAIN) && !target.includes("#")) return new URLSearchParams(target.slice(PLAIN.length));
  const url = parseUrl(target);
  if (url.pathname === CONNECT_PATH) return url.searchParams;
  throw new XlveinError(ErrorCode.NOT_FOUND, `there is no WebSocket here; connect to ${CONNECT_PATH}`, { reason: "not_found" });
}

function parseUrl(target: string): URL {
  try {
    return new URL(target, "http://localhost");
  } catch (cause) {
    throw new XlveinError(ErrorCode.BAD_REQUEST, "the request target is not a URL", { cause, reason: "bad_request" });
  }
}

function checkSingle(query: URLSearchParams, name: string): void {
  const { length } = query.getAll(name);
  if (length > 1) throw bad(`query.${name}: given ${length} times`);
}

/** The subprotocols offered, in their order. */
function readOffered(header: string | undefined): readonly string[] {
  if (header === undefined) return [];
  const names = header.split(",").map((name) => name.trim());
  if (!names.every((name) => NAME.test(name))) throw bad("header sec-websocket-protocol: must be a list of names");
  if (new Set(names).size < names.length) throw bad("header sec-websocket-protocol: offers one twice");
  return names;
}

function readOfferedToken(offered: readonly string[], protocol: Handshake["protocol"], query: URLSearchParams): string | undefined {
  const [token, another] = offered.filter((name) => name.startsWith(TOKEN_PREFIX));
  if (token === undefined) return undefined;
  if (another !== undefined) throw bad("header sec-websocket-protocol: offers two tokens");
  if (protocol === "classic") throw bad("header sec-websocket-protocol: offers a token without a version of the protocol");
  if (query.has("token")) throw bad("query.token: the token is offered as a subprotocol, too");
  return token.slice(TOKEN_PREFIX.length);
}

function readPosition(query: URLSearchParams, name: string): Position | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const [, epoch = "", offset, msgId = ""] = POSITION.exec(text) ?? [];
  if (offset === undefined || !Number.isSafeInteger(Number(offset))) throw bad(`query.${name}: must be epoch:offset:msg_id`);
  return { epoch, offset: Number(offset), msgId };
}

function bad(message: string): XlveinError {
  return new XlveinError(ErrorCode.BAD_REQUEST, message, { reason: "bad_request" });
}
