// The answer to bytes that are not an HTTP request, or come too slowly.
import type { Socket } from "node:net";
import { ErrorCode, XlveinError } from "../errors.ts";
import { newMsgId } from "../protocol/message.ts";
import { PROBLEM_TYPE, toProblem } from "./problem.ts";

/** Answers on the socket and closes it. An answer that has begun is cut instead: nobody could read two. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  // The response under way, as Node's own handler looks at it; there is no public name for it.
  const { _httpMessage: underWay } = socket as Socket & { _httpMessage?: { headersSent: boolean } };
  if (error.code === "ECONNRESET" || !socket.writable || underWay?.headersSent) {
    socket.destroy();
    return;
  }
  const refusal = toRefusal(error.code);
  const requestId = newMsgId();
  const body = JSON.stringify(toProblem(refusal, requestId));
  socket.once("finish", () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${refusal.status} ${refusal.title}\r\nConnection: close\r\nContent-Type: ${PROBLEM_TYPE}\r\n` +
      `X-Request-Id: ${requestId}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function toRefusal(code: string | undefined): XlveinError {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return new XlveinError(ErrorCode.REQUEST_TIMEOUT, "the request did not arrive in time");
  if (code === "HPE_HEADER_OVERFLOW") return new XlveinError(ErrorCode.BAD_REQUEST, "the request's headers are too large", { status: 431 });
  if (code === "HPE_CHUNK_EXTENSIONS_OVERFLOW") return new XlveinError(ErrorCode.PAYLOAD_TOO_LARGE, "the body's chunk extensions are too large");
  return new XlveinError(ErrorCode.BAD_REQUEST, "this is not a valid HTTP/1.1 request");
}
