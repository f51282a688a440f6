// Pushing many messages: as few requests as possible, one result for each message.
import { type Answer, apiError, foreignError, isObject } from "./answer.ts";
import { chunks } from "./chunks.ts";
import { XlveinError } from "./errors.ts";
import type { components, paths } from "./generated/openapi.ts";
import { type Message, messageText } from "./message.ts";
import { isPushResult, type PushResult, pushResult } from "./push.ts";
import type { CallOptions, Send } from "./transport.ts";

/** A message that the server has accepted. */
export interface PushSucceeded extends PushResult {
  readonly error?: undefined;
}

/** A message that was not accepted, or of which that is not known (an `XlveinTimeoutError` or `XlveinConnectionError`). */
export interface PushFailed {
  readonly error: XlveinError;
  readonly msgId?: undefined;
  readonly duplicate?: undefined;
  readonly streams?: undefined;
}

/** Tell them apart by `error`. */
export type PushManyResult = PushSucceeded | PushFailed;

const PATH: keyof paths = "/api/v1/messages/batch";

/** How often, and after what wait, messages that failed on their own are sent again. */
export interface ItemRetry {
  readonly retries: number;
  readonly pause: (attempt: number, signal: AbortSignal | undefined) => Promise<void>;
}

/** Sends messages that are JSON texts, in order; answers one result for each. */
export type SendTexts = (texts: readonly string[], options: CallOptions) => Promise<PushManyResult[]>;

/** Answers the function that pushes many messages. */
export function createPushMany(sendTexts: SendTexts): (messages: readonly Message[], options?: CallOptions) => Promise<PushManyResult[]> {
  return async (messages, options = {}) => {
    if (!Array.isArray(messages)) throw new TypeError("pushMany: pass an array of messages");
    return sendTexts(
      messages.map((message, i) => messageText(`pushMany: messages[${i}]`, message)),
      options,
    );
  };
}

/**
 * Answers the function that sends messages in as few requests as possible, one after the other.
 * It rejects when no request at all was answered; from then on a request that fails gives its error to its messages and to those after it.
 * @param operation the method that it is called by
 */
export function createSendTexts(send: Send, operation: string, retry: ItemRetry): SendTexts {
  const sendChunk: SendTexts = (texts, options) => {
    const body = { type: "application/json", text: `{"messages":[${texts.join(",")}]}` } as const;
    return send({ operation, method: "POST", path: PATH, body, read: (answer) => readResults(answer, texts.length) }, options);
  };
  return async (texts, options) => {
    const results: PushManyResult[] = [];
    for (const chunk of chunks(texts)) {
      try {
        results.push(...(await persist(sendChunk, retry, chunk, options)));
      } catch (error) {
        if (results.length === 0 || !(error instanceof XlveinError)) throw error;
        return [...results, ...texts.slice(results.length).map(() => ({ error }))];
      }
    }
    return results;
  };
}

/** One request; then, for those of its messages that failed and may succeed later, further ones. */
async function persist(sendChunk: SendTexts, { retries, pause }: ItemRetry, texts: readonly string[], options: CallOptions): Promise<PushManyResult[]> {
  const results = await sendChunk(texts, options);
  for (let attempt = 0; attempt < retries; attempt++) {
    const failed = [...results.keys()].filter((i) => results[i]?.error?.retryable);
    if (failed.length === 0) break;
    await pause(attempt, options.signal);
    const failedTexts = failed.map((i) => texts[i] ?? "");
    for (const [k, result] of (await sendAgain(sendChunk, failedTexts, options)).entries()) results[failed[k] ?? k] = result;
  }
  return results;
}

/** Some of the request's messages were accepted before: a failure now is the result of these alone. */
async function sendAgain(sendChunk: SendTexts, texts: readonly string[], options: CallOptions): Promise<PushManyResult[]> {
  try {
    return await sendChunk(texts, options);
  } catch (error) {
    if (error instanceof XlveinError) return texts.map(() => ({ error }));
    throw error;
  }
}

function readResults(answer: Answer, count: number): PushManyResult[] {
  const results = isObject(answer.body) ? answer.body.results : undefined;
  if (!Array.isArray(results) || results.length !== count) throw foreignError(answer);
  return results.map((result: unknown) => {
    if (isPushResult(result)) return pushResult(result);
    if (isPushFailure(result)) return { error: apiError(answer, result.error) };
    throw foreignError(answer);
  });
}

function isPushFailure(value: unknown): value is components["schemas"]["PushFailure"] {
  if (!isObject(value) || !isObject(value.error)) return false;
  const { code, message, retryable } = value.error;
  return typeof code === "number" && typeof message === "string" && typeof retryable === "boolean";
}
