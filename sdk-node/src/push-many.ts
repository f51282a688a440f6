// Pushing many messages: as few requests as possible, one result for each message.
import { type Answer, apiError, foreignError, isObject } from "./answer.ts";
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
/** Most messages in one request, by openapi.yaml. */
const MAX_MESSAGES = 1_000;
/** Most bytes of messages in one request, below the server's default for a body (1 MiB). */
const MAX_BYTES = 1_000_000;

/** How often, and after what wait, messages that failed on their own are sent again. */
export interface ItemRetry {
  readonly retries: number;
  readonly pause: (attempt: number, signal: AbortSignal | undefined) => Promise<void>;
}

/**
 * Answers the function that pushes many messages, in order, one request after the other.
 * It rejects when no request at all was answered; from then on a request that fails gives its error to its messages and to those after it.
 */
export function createPushMany(send: Send, retry: ItemRetry): (messages: readonly Message[], options?: CallOptions) => Promise<PushManyResult[]> {
  return async (messages, options = {}) => {
    if (!Array.isArray(messages)) throw new TypeError("pushMany: pass an array of messages");
    const texts = messages.map((message, i) => messageText(`pushMany: messages[${i}]`, message));
    const results: PushManyResult[] = [];
    for (const chunk of chunks(texts)) {
      try {
        results.push(...(await pushChunk(send, retry, chunk, options)));
      } catch (error) {
        if (results.length === 0 || !(error instanceof XlveinError)) throw error;
        return [...results, ...texts.slice(results.length).map(() => ({ error }))];
      }
    }
    return results;
  };
}

/** One request; then, for those of its messages that failed and may succeed later, further ones. */
async function pushChunk(send: Send, { retries, pause }: ItemRetry, texts: readonly string[], options: CallOptions): Promise<PushManyResult[]> {
  const results = await sendChunk(send, texts, options);
  for (let attempt = 0; attempt < retries; attempt++) {
    const failed = [...results.keys()].filter((i) => results[i]?.error?.retryable);
    if (failed.length === 0) break;
    await pause(attempt, options.signal);
    const failedTexts = failed.map((i) => texts[i] ?? "");
    for (const [k, result] of (await sendAgain(send, failedTexts, options)).entries()) results[failed[k] ?? k] = result;
  }
  return results;
}

/** Some of the request's messages were accepted before: a failure now is the result of these alone. */
async function sendAgain(send: Send, texts: readonly string[], options: CallOptions): Promise<PushManyResult[]> {
  try {
    return await sendChunk(send, texts, options);
  } catch (error) {
    if (error instanceof XlveinError) return texts.map(() => ({ error }));
    throw error;
  }
}

function sendChunk(send: Send, texts: readonly string[], options: CallOptions): Promise<PushManyResult[]> {
  const body = { type: "application/json", text: `{"messages":[${texts.join(",")}]}` } as const;
  return send({ operation: "pushMany", method: "POST", path: PATH, body, read: (answer) => readResults(answer, texts.length) }, options);
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

/** Splits by number and by size; a message larger than the limit goes alone, and the server says what it thinks of it. */
function* chunks(texts: readonly string[]): Generator<string[]> {
  let chunk: string[] = [];
  let bytes = 0;
  for (const text of texts) {
    const size = Buffer.byteLength(text) + 1;
    if (chunk.length === MAX_MESSAGES || (chunk.length > 0 && bytes + size > MAX_BYTES)) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(text);
    bytes += size;
  }
  if (chunk.length > 0) yield chunk;
}
