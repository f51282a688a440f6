// Whatever a request fails with, as an error of the catalogue.
import type { FastifyError } from "fastify";
import { ErrorCode, XlveinError } from "../errors.ts";
import type { Log } from "../log.ts";

/** The framework's own errors that a caller can cause. */
const KNOWN: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [ErrorCode.UNSUPPORTED_MEDIA_TYPE, "header content-type: this body type is not taken here"],
  FST_ERR_CTP_BODY_TOO_LARGE: [ErrorCode.PAYLOAD_TOO_LARGE, "body is larger than the server takes"],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [ErrorCode.BAD_REQUEST, "body is not as long as content-length says"],
  FST_ERR_BAD_URL: [ErrorCode.BAD_REQUEST, "path is not valid percent-encoded UTF-8"],
  FST_ERR_MAX_PARAM_LENGTH: [ErrorCode.BAD_REQUEST, "path is too long"],
  ECONNRESET: [ErrorCode.BAD_REQUEST, "body ended before it was complete"],
};

/** Names an error for the caller. What is not the caller's fault becomes INTERNAL, with the error as its cause. */
export function toXlveinError(error: unknown): XlveinError {
  if (error instanceof XlveinError) return error;
  const { code } = (typeof error === "object" && error !== null ? error : {}) as Partial<FastifyError>;
  const known = code === undefined ? undefined : KNOWN[code];
  if (known) return new XlveinError(...known, { cause: error });
  return new XlveinError(ErrorCode.INTERNAL, "internal error", { cause: error });
}

/** What a request failed with, as the caller is told it. */
export type NameFault = (cause: unknown, route: string | undefined, requestId: string) => XlveinError;

/** Logs faults of ours: the caller is not told what they were. */
export function createNameFault(log: Log): NameFault {
  return (cause, route, requestId) => {
    const error = toXlveinError(cause);
    if (error.code === ErrorCode.INTERNAL) log.error({ event: "request failed", route, request_id: requestId, err: cause });
    return error;
  };
}
