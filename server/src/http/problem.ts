// Errors as RFC 9457 problems: what every path but the classic one answers with.
import type { FastifyReply, FastifyRequest } from "fastify";
import type { XlveinError } from "../errors.ts";
import type { components } from "../generated/openapi.ts";

export type Problem = components["schemas"]["Problem"];

export const PROBLEM_TYPE = "application/problem+json; charset=utf-8";

/** The body of a problem. */
export function toProblem({ code, title, status, message, retryable, fields }: XlveinError, requestId: string): Problem {
  const errors = fields.length === 0 ? {} : { errors: fields.map(({ field, message }) => ({ field, message })) };
  return { type: `urn:xlvein:error:${code}`, title, status, code, detail: message, request_id: requestId, retryable, ...errors };
}

/** Answers a request with an error. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, error: XlveinError): FastifyReply {
  if (error.retryAfterSeconds !== undefined) reply.header("retry-after", error.retryAfterSeconds);
  if (error.status === 401) reply.header("www-authenticate", 'Bearer realm="xlvein"');
  return reply.code(error.status).type(PROBLEM_TYPE).send(toProblem(error, request.id));
}
