// POST /api/v1/messages/batch: many different messages in one request, each with its own result.
import { ErrorCode, XlveinError } from "../errors.ts";
import type { components } from "../generated/openapi.ts";
import type { Log } from "../log.ts";
import type { Published } from "../publish/publish.ts";
import { callerOf } from "./caller.ts";
import { toXlveinError } from "./faults.ts";
import { type MessagesOptions, type Push, pushOne } from "./messages.ts";
import { type Data, readBatch } from "./push-body.ts";
import type { PushRequest } from "./push-request.ts";
import { streamNames, toResult } from "./push-targets.ts";
import type { Check } from "./validator.ts";

type PushBatch = components["schemas"]["PushBatch"];
type PushBatchResult = components["schemas"]["PushBatchResult"];
type Result = PushBatchResult["results"][number];

/** What became of one message; never a rejection. */
type Outcome = Published | XlveinError;

interface Item {
  readonly push: Push;
  readonly data: Data | undefined;
  readonly field: string;
}

export interface BatchOptions extends MessagesOptions {
  log: Log;
  /** Checks one message: the batch's own schema leaves them alone, so that one bad message does not stop the others. */
  checkPush: Check;
}

/** The handler of a batch. When the server failed every message, the request fails as a whole. */
export function createPushMany({ publish, rates, limits, log, checkPush }: BatchOptions) {
  return async (request: PushRequest): Promise<PushBatchResult> => {
    const app = callerOf(request);
    const items = readItems(request, limits.jsonDepth, checkPush);
    rates.take(app, items.length);
    const outcomes = await inOrder(items, async ({ push, data, field }) => {
      try {
        return await pushOne(publish, limits, app, push, data, field);
      } catch (error) {
        return toXlveinError(error);
      }
    });
    request.pushOutcomes = tally(outcomes);
    const faults = outcomes.filter(isServerFault);
    if (faults.length === outcomes.length && faults[0]) throw faults[0];
    for (const err of faults) if (err.code === ErrorCode.INTERNAL) log.error({ event: "push failed", app: app.key, request_id: request.id, err });
    return { results: outcomes.map((outcome, i) => outcomeToResult(outcome, items[i])) };
  };
}

/**
 * Runs the pushes at once, but those to the same stream one after another in the order of the batch.
 * What follows a push that exchange or store refused, to the same stream, is refused alike: it would overtake.
 */
function inOrder(items: readonly (Item | XlveinError)[], attempt: (item: Item) => Promise<Outcome>): Promise<Outcome[]> {
  const last = new Map<string, Promise<Outcome>>();
  return Promise.all(
    items.map((item) => {
      if (item instanceof XlveinError) return item;
      const streams = streamNames(item.push);
      const before = streams.flatMap((stream) => last.get(stream) ?? []);
      const outcome = before.length === 0 ? attempt(item) : Promise.all(before).then((outcomes) => outcomes.find(isOutage) ?? attempt(item));
      for (const stream of streams) last.set(stream, outcome);
      return outcome;
    }),
  );
}

function isServerFault(outcome: Outcome): outcome is XlveinError {
  return outcome instanceof XlveinError && outcome.status >= 500;
}

function isOutage(outcome: Outcome): boolean {
  return outcome instanceof XlveinError && outcome.status === 503;
}

/** The messages of a batch; in place of one that its schema refuses, the error. */
function readItems(request: PushRequest, jsonDepth: number, checkPush: Check): readonly (Item | XlveinError)[] {
  if (request.body === undefined) throw new XlveinError(ErrorCode.BAD_REQUEST, "body is missing");
  const data = request.data ?? readBatch(request.bodyText, jsonDepth).data;
  return (request.body as PushBatch).messages.map((push, i) => {
    const within = `.messages[${i}]`;
    return checkPush(push, within) ?? { push, data: data[i], field: `body${within}` };
  });
}

function outcomeToResult(outcome: Outcome, item: Item | XlveinError | undefined): Result {
  if (outcome instanceof XlveinError) return { error: { code: outcome.code, message: outcome.message, retryable: outcome.retryable } };
  return toResult(outcome, (item as Item).push);
}

function tally(outcomes: readonly Outcome[]): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (const outcome of outcomes) {
    const status = outcome instanceof XlveinError ? outcome.status : 200;
    counts.set(status, (counts.get(status) ?? 0) + 1);
  }
  return counts;
}
