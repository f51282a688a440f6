// The classic answer: HTTP 200 whatever happened, and a body whose `error` tells.
import { ErrorCode, type XlveinError } from "../errors.ts";
import type { components } from "../generated/openapi.ts";
import { type Answer, JSON_TYPE } from "./answer.ts";

export type ClassicReply = components["schemas"]["ClassicReply"];

/** The answer to an accepted push. */
export const ACCEPTED: ClassicReply = { error: ErrorCode.OK, message: "", data: {} };

/** What a classic push is answered with that failed; `Retry-After` is there as on the new paths. */
export function classicErrorAnswer({ code, message, retryAfterSeconds }: XlveinError): Answer {
  const body: ClassicReply = { error: code, message, data: {} };
  const headers = retryAfterSeconds === undefined ? {} : { "retry-after": retryAfterSeconds };
  return { status: 200, type: JSON_TYPE, headers, body };
}
