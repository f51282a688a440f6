// The classic answer: HTTP 200 whatever happened, and a body whose `error` tells.
import type { FastifyReply } from "fastify";
import { ErrorCode, type XlveinError } from "../errors.ts";
import type { components } from "../generated/openapi.ts";

export type ClassicReply = components["schemas"]["ClassicReply"];

/** The answer to an accepted push. */
export const ACCEPTED: ClassicReply = { error: ErrorCode.OK, message: "", data: {} };

/** Answers a classic push with an error; `Retry-After` is there as on the new paths. */
export function sendClassicError(reply: FastifyReply, { code, message, retryAfterSeconds }: XlveinError): FastifyReply {
  if (retryAfterSeconds !== undefined) reply.header("retry-after", retryAfterSeconds);
  const body: ClassicReply = { error: code, message, data: {} };
  return reply.code(200).type("application/json; charset=utf-8").send(body);
}
