// POST /api/v1/messages: one message to accounts, to rooms or to everyone.
import type { App } from "../apps/app.ts";
import type { NodeLimits } from "../config/config.ts";
import { ErrorCode, XlveinError } from "../errors.ts";
import type { components } from "../generated/openapi.ts";
import type { PushRates } from "../limits/push-rates.ts";
import { type Draft, Event } from "../protocol/message.ts";
import { tooDeep } from "../protocol/scan.ts";
import type { Publish, Published } from "../publish/publish.ts";
import { callerOf } from "./caller.ts";
import { type Data, readPush } from "./push-body.ts";
import { checkSize, checkUnicode } from "./push-data.ts";
import type { PushRequest } from "./push-request.ts";
import { targetsOf, toResult } from "./push-targets.ts";

export type Push = components["schemas"]["Push"];
type PushResult = components["schemas"]["PushResult"];

export interface MessagesOptions {
  publish: Publish;
  rates: PushRates;
  limits: NodeLimits;
}

/** The handler of one push. */
export function createPush({ publish, rates, limits }: MessagesOptions) {
  return async (request: PushRequest): Promise<PushResult> => {
    const app = callerOf(request);
    rates.take(app);
    if (request.body === undefined) throw new XlveinError(ErrorCode.BAD_REQUEST, "body is missing");
    const push = request.body as Push;
    const [data] = request.data ?? readPush(request.bodyText, limits.jsonDepth).data;
    return toResult(await pushOne(publish, limits, app, push, data, "body"), push);
  };
}

/**
 * Pushes one message that its schema has passed. Throws at once what it is refused with, rejects as `publish` does.
 * @param data as it was found in the body
 * @param field where the message stands in the request
 */
export function pushOne(publish: Publish, limits: NodeLimits, app: App, push: Push, data: Data | undefined, field: string): Promise<Published> {
  if (!data) throw new Error("the schema let a message without data pass");
  if (data.tooDeep) throw tooDeep(`${field}.data`, limits.jsonDepth);
  checkSize(data.text, `${field}.data`, app, limits);
  const targets = targetsOf(app.key, push, field);
  const value = push.idempotency_key;
  if (value !== undefined) checkUnicode(value, `${field}.idempotency_key`);
  const key = value === undefined ? undefined : ({ kind: "idempotency_key", value, ttlMs: app.nonceTtlMs, onOtherBody: app.nonceReuse } as const);
  return publish(app.key, targets, draftOf(push, data.text, field), key);
}

function draftOf({ key, exclude, trace }: Push, data: string, field: string): Draft {
  if (key === undefined && exclude === undefined && trace === undefined) return { event: Event.SYSTEM, data };
  for (const [name, text] of Object.entries({ key, exclude, trace })) if (text !== undefined) checkUnicode(text, `${field}.${name}`);
  return {
    event: Event.SYSTEM,
    data,
    ...(key === undefined ? {} : { key }),
    ...(exclude === undefined ? {} : { exclude }),
    ...(trace === undefined ? {} : { trace }),
  };
}
