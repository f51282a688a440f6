// The server's answers: read with a bound, and turned into errors when they refuse.
import { errorKind, foreignKind } from "./error-kinds.ts";
import { type FieldError, type XlveinApiError, XlveinConnectionError } from "./errors.ts";
import type { components } from "./generated/openapi.ts";

type Problem = components["schemas"]["Problem"];

/** An answer of status 200 to 299; `body` is parsed JSON, undefined when there was none. */
export interface Answer {
  readonly operation: string;
  readonly status: number;
  readonly body: unknown;
  readonly requestId: string | undefined;
  readonly retryAfterMs: number | undefined;
}

/** Largest answer that is read, bytes. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/** Reads a response to its end. @throws XlveinApiError unless its status is 200 to 299. */
export async function readAnswer(operation: string, response: Response, nowMs: number): Promise<Answer> {
  const body = parseJson(await readText(operation, response));
  const { status, headers } = response;
  const answer: Answer = {
    operation,
    status,
    body,
    requestId: headers.get("x-request-id") ?? undefined,
    retryAfterMs: parseRetryAfter(headers.get("retry-after"), nowMs),
  };
  if (status >= 200 && status < 300) return answer;
  if (status >= 300 && status < 400) throw redirected(answer, headers.get("location"), response.url);
  throw isProblem(body) ? apiError(answer, { ...body, message: body.detail }) : foreignError(answer);
}

/** What a refusal says, wherever in an answer it stands. */
export interface Refusal {
  readonly code: number;
  readonly message: string;
  /** Default: what the catalogue says about the code. */
  readonly retryable?: boolean;
  readonly request_id?: string;
  readonly errors?: readonly FieldError[];
}

/** The error for a refusal by xlvein itself. */
export function apiError({ operation, status, requestId, retryAfterMs }: Answer, refusal: Refusal): XlveinApiError {
  const { Class, retryable, remediation } = errorKind(refusal.code);
  const id = refusal.request_id ?? requestId;
  const facts = [`code ${refusal.code}`, `HTTP ${status}`, ...(id === undefined ? [] : [`request ${id}`])].join(", ");
  return new Class(`${operation}: ${refusal.message} (${facts})`, {
    code: refusal.code,
    status,
    requestId: id,
    retryAfterMs,
    retryable: refusal.retryable ?? retryable,
    remediation,
    errors: refusal.errors ?? [],
  });
}

/** The error for an answer that xlvein cannot have sent. Its text is left out: it may be a whole page. */
export function foreignError({ operation, status, requestId, retryAfterMs }: Answer): XlveinApiError {
  const { Class, retryable, remediation } = foreignKind(status);
  return new Class(`${operation}: HTTP ${status} with a body that is not xlvein's`, { code: status, status, requestId, retryAfterMs, retryable, remediation });
}

function redirected({ operation, status, requestId }: Answer, location: string | null, from: string): XlveinApiError {
  const { Class } = foreignKind(status);
  // Only the origin: the rest of a foreign address may hold anything.
  const to = location !== null && URL.canParse(location, from) ? new URL(location, from).origin : "another address";
  const remediation = "Set `url` to the address that answers by itself, often the same one with https://.";
  return new Class(`${operation}: HTTP ${status} redirects to ${to}`, { code: status, status, requestId, retryable: false, remediation });
}

async function readText(operation: string, response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_ANSWER_BYTES) {
      const remediation = "Check that `url` is the address of xlvein.";
      throw new XlveinConnectionError(`${operation}: the answer is larger than ${MAX_ANSWER_BYTES} bytes`, { retryable: false, remediation });
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** RFC 9110, 10.2.3: whole seconds, or a date. */
function parseRetryAfter(value: string | null, nowMs: number): number | undefined {
  if (value === null) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const dateMs = Date.parse(value);
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs);
}

/** A JSON object, not an array. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isProblem(body: unknown): body is Problem {
  if (!isObject(body)) return false;
  const { code, detail, retryable, request_id, errors = [] } = body;
  const plain = typeof code === "number" && typeof detail === "string" && typeof retryable === "boolean" && typeof request_id === "string";
  return plain && Array.isArray(errors) && errors.every(isFieldError);
}

function isFieldError(value: unknown): value is FieldError {
  return isObject(value) && typeof value.field === "string" && typeof value.message === "string";
}
