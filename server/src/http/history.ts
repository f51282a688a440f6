// Reading a stream back: what an account or a room was sent, as the messages stand in the store.
import type { FastifyReply, FastifyRequest } from "fastify";
import type { PushRates } from "../limits/push-rates.ts";
import { historyMembers } from "../protocol/frames.ts";
import type { Target } from "../protocol/target.ts";
import type { Asked } from "../recover/read-back.ts";
import type { Streams } from "../recover/streams.ts";
import { JSON_TYPE } from "./answer.ts";
import { callerOf } from "./caller.ts";
import { invalidFields } from "./validation.ts";

const DEFAULT_LIMIT = 100;
/** Messages in one answer, bytes of their JSON; the first one is always in it. */
const MAX_BYTES = 1_048_576;
const MAX_EPOCH = 64;
const OFFSET = /^(?:0|[1-9]\d{0,15})$/;

export interface HistoryOptions {
  streams: Pick<Streams, "read">;
  rates: PushRates;
}

interface Query {
  after?: string;
  before?: number;
  limit?: number;
}

/** GET /api/v1/accounts/{account}/history and /api/v1/rooms/{room}/history, as `targetOf` reads the path. */
export function createHistory({ streams, rates }: HistoryOptions, targetOf: (app: string, request: FastifyRequest) => Target) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const app = callerOf(request);
    rates.take(app);
    const target = targetOf(app.key, request);
    const { texts, position, more } = await streams.read(target, readAsked(request.query as Query));
    return reply.type(JSON_TYPE).send(`{${historyMembers(texts, position, more)}}`);
  };
}

/** @throws XlveinError BAD_REQUEST naming the field */
function readAsked({ after, before, limit = DEFAULT_LIMIT }: Query): Asked {
  if (after !== undefined && before !== undefined) throw invalidFields([{ field: "query.before", message: "must not be there together with query.after" }]);
  if (before !== undefined && !Number.isSafeInteger(before)) throw invalidFields([{ field: "query.before", message: "must be an offset" }]);
  return { limit, maxBytes: MAX_BYTES, ...(after === undefined ? {} : { after: parseAfter(after) }), ...(before === undefined ? {} : { before }) };
}

function parseAfter(text: string): { epoch: string; offset: number } {
  const at = text.lastIndexOf(":");
  const [epoch, offset] = [text.slice(0, Math.max(at, 0)), text.slice(at + 1)];
  if (epoch !== "" && epoch.length <= MAX_EPOCH && OFFSET.test(offset) && Number.isSafeInteger(Number(offset))) return { epoch, offset: Number(offset) };
  throw invalidFields([{ field: "query.after", message: "must be an epoch and an offset, as EPOCH:OFFSET" }]);
}
