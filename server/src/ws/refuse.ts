// The answer to a handshake that is not accepted: a status, the classic body, and the end of the TCP connection.
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { XlveinError } from "../errors.ts";

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
