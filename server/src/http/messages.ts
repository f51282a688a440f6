// POST /api/v1/messages: one message to one or more accounts.
import type { FastifyRequest } from "fastify";
import type { App } from "../apps/app.ts";
import type { NodeLimits } from "../config/config.ts";
import { ErrorCode, XlveinError } from "../errors.ts";
import type { components } from "../generated/openapi.ts";
import type { PushRates } from "../limits/push-rates.ts";
import { Event } from "../protocol/message.ts";
import { scanObject } from "../protocol/scan.ts";
import { accountTarget } from "../protocol/target.ts";
import type { Publish, Published } from "../publish/publish.ts";
import { callerOf } from "./caller.ts";
import { checkSize, checkUnicode } from "./push-data.ts";

export type Push = components["schemas"]["Push"];
type PushResult = components["schemas"]["PushResult"];

export interface MessagesOptions {
  publish: Publish;
  rates: PushRates;
  limits: NodeLimits;
}

/** The handler of one push. */
export function createPush({ publish, rates, limits }: MessagesOptions) {
  return async (request: FastifyRequest): Promise<PushResult> => {
    const app = callerOf(request);
    rates.take(app);
    if (request.body === undefined) throw new XlveinError(ErrorCode.BAD_REQUEST, "body is missing");
    const push = request.body as Push;
    return toResult(await pushOne(publish, limits, app, push, request.bodyText, "body"), push);
  };
}

/**
 * Pushes one message that its schema has passed; `data` goes on as it stands in the text.
 * @param text the JSON text that `push` was parsed from
 * @param field where it stands in the request
 */
export async function pushOne(publish: Publish, limits: NodeLimits, app: App, push: Push, text: string, field: string): Promise<Published> {
  const data = dataOf(text, limits.jsonDepth, `${field}.data`);
  checkSize(data, `${field}.data`, app, limits);
  for (const [i, account] of push.accounts.entries()) checkUnicode(account, `${field}.accounts[${i}]`);
  const targets = push.accounts.map((account) => accountTarget(app.key, account));
  const value = push.idempotency_key;
  const key = value === undefined ? undefined : ({ kind: "idempotency_key", value, ttlMs: app.nonceTtlMs, onOtherBody: app.nonceReuse } as const);
  return publish(app.key, targets, { event: Event.SYSTEM, data }, key);
}

/** The answer for a message that was accepted; with streams where the store keeps one for every account. */
export function toResult({ msgId, duplicate, positions }: Published, { accounts }: Pick<Push, "accounts">): PushResult {
  const streams = accounts.flatMap((account, i) => {
    const position = positions[i];
    return position ? [{ account, epoch: position.epoch, offset: position.offset }] : [];
  });
  return streams.length === accounts.length ? { msg_id: msgId, duplicate, streams } : { msg_id: msgId, duplicate };
}

/** Only `data` can be nested: the schema allows no other members but flat ones. */
function dataOf(text: string, maxDepth: number, field: string): string {
  const span = scanObject(text, maxDepth, field).get("data");
  if (!span) throw new Error("the schema let a body without data pass");
  return text.slice(span.start, span.end);
}
