// What a push is made from: the part of a request that its door reads, whichever road it came along.
import type { IncomingMessage } from "node:http";
import type { FastifyRequest } from "fastify";
import { OTHER_APP } from "../metrics/metrics.ts";
import type { Data } from "./push-body.ts";

export interface PushRequest extends Pick<FastifyRequest, "id" | "raw" | "headers" | "body" | "bodyText" | "caller" | "pushApp" | "pushOutcomes"> {
  /** That of each message, where it was found while the body was read; those in `body` are empty then. */
  data?: readonly (Data | undefined)[] | undefined;
}

/** A push whose body has not been read. */
export function createPushRequest(raw: IncomingMessage, id: string): PushRequest {
  return { id, raw, headers: raw.headers, body: undefined, bodyText: "", caller: undefined, pushApp: OTHER_APP, pushOutcomes: undefined, data: undefined };
}
