// Errors as RFC 9457 problems: what every path but the classic one answers with.
import type { FastifyReply, FastifyRequest } from "fastify";
import type { XlveinError } from "../errors.ts";
import type { components } from "../generated/openapi.ts";
import { type Answer, sendAnswer } from "./answer.ts";

export type Problem = components["schemas"]["Problem"];

export const PROBLEM_TYPE = "application/problem+json; charset=utf-8";

/** The body of a problem. */
export function toProblem({ code, title, status, message, retryable, fields }: XlveinError, requestId: string): Problem {
  const errors = fields.length === 0 ? {} : { errors: fields.map(({ field, message }) => ({ field, message })) };
  return { type: `urn:xlvein:error:${code}`, title, status, code, detail: message, request_id: requestId, retryable, ...errors };
}

/** What a request is answered with that failed. */
export function problemAnswer(error: XlveinError, requestId: string): Answer {
  const { status, retryAfterSeconds } = error;
  return {
    status,
    type: PROBLEM_TYPE,
    headers: {
      ...(retryAfterSeconds === undefined ? {} : { "retry-after": retryAfterSeconds }),
      ...(status === 401 ? { "www-authenticate": 'Bearer realm="xlvein"' } : {}),
    },
    body: toProblem(error, requestId),
  };
}

/** Answers a request with an error. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, error: XlveinError): FastifyReply {
  return sendAnswer(reply, problemAnswer(error, request.id));
}
