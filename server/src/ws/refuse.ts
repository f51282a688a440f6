// The answers to a handshake that is not accepted: a status before the upgrade, or a close code right after it.
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { ErrorCode, type XlveinError } from "../errors.ts";
import { CloseCode } from "../generated/codes.ts";
import type { ClientSocket } from "./client-socket.ts";

/** Longest reason of a close frame, bytes (RFC 6455 section 5.5). */
const MAX_REASON = 123;

/** Writes the refusal and closes the socket, also when the peer does not read it. */
export function refuse(socket: Duplex, { status, code, message, retryAfterSeconds }: XlveinError): void {
  const body = JSON.stringify({ error: code, message });
  const retryAfter = retryAfterSeconds === undefined ? "" : `Retry-After: ${retryAfterSeconds}\r\n`;
  socket.once("finish", () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Refused"}\r\nConnection: close\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `${retryAfter}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/** What an error that refuses a v2 client is closed with (PROTOCOL.md, "The full protocol"). */
const CLOSE_CODES: ReadonlyMap<ErrorCode, CloseCode> = new Map([
  [ErrorCode.BAD_REQUEST, CloseCode.BAD_REQUEST],
  [ErrorCode.APP_NOT_FOUND, CloseCode.APP_NOT_FOUND],
  [ErrorCode.APP_DISABLED, CloseCode.APP_DISABLED],
  [ErrorCode.TOKEN_INVALID, CloseCode.TOKEN_INVALID],
  [ErrorCode.NOT_AUTHORISED, CloseCode.NOT_AUTHORISED],
  [ErrorCode.EXCHANGE_UNAVAILABLE, CloseCode.EXCHANGE_UNAVAILABLE],
]);

/** The code that says why, for a client that cannot read statuses. */
export function closeCodeOf({ code, status }: XlveinError): CloseCode {
  if (code === ErrorCode.OVERLOADED) return status === 429 ? CloseCode.QUOTA : CloseCode.OVER_CAPACITY;
  return CLOSE_CODES.get(code) ?? CloseCode.INTERNAL;
}

/** Closes a socket that has just been upgraded; what the client sends meanwhile is not looked at. A peer that does not answer is cut after the acceptor's time-out. */
export function turnAway(client: ClientSocket, code: CloseCode, reason: string): void {
  client.close(code, cut(reason, MAX_REASON));
}

/** As much of a text as fits, in whole characters. */
function cut(text: string, maxBytes: number): string {
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > maxBytes) break;
    end += character.length;
  }
  return text.slice(0, end);
}
