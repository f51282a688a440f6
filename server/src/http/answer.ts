// An answer before it is written, so that both roads of a push write the same.
import type { FastifyReply } from "fastify";

export interface Answer {
  readonly status: number;
  /** The content type. */
  readonly type: string;
  /** Beside those that every answer has. */
  readonly headers?: Readonly<Record<string, string | number>>;
  /** Becomes JSON. */
  readonly body: object;
}

export const JSON_TYPE = "application/json; charset=utf-8";

/** The headers of every answer of the API. */
export function commonHeaders(requestId: string) {
  return { "x-request-id": requestId, "x-content-type-options": "nosniff", "cache-control": "no-store" };
}

/** Those and the body's own: written out, since putting records together costs more than all else about the head. */
export function bodyHeaders(requestId: string, type: string, bytes: number) {
  return { "x-request-id": requestId, "x-content-type-options": "nosniff", "cache-control": "no-store", "content-type": type, "content-length": bytes };
}

/** Answers a request of fastify's. */
export function sendAnswer(reply: FastifyReply, { status, type, headers = {}, body }: Answer): FastifyReply {
  return reply.code(status).headers(headers).type(type).send(body);
}
