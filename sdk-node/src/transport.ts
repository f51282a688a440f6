// One request over HTTP: the token put on, the time bounded, the caller's signal obeyed.
import { type Answer, readAnswer } from "./answer.ts";
import { XlveinConnectionError, XlveinError, XlveinTimeoutError } from "./errors.ts";
import { MAX_TIMER_MS, type Settings, whole } from "./options.ts";
import { withRetries } from "./retry.ts";
import { VERSION } from "./version.ts";

/** What every call takes. */
export interface CallOptions {
  /** Ends the call: it rejects with the signal's reason. What the server has accepted by then stays accepted. */
  readonly signal?: AbortSignal | undefined;
  /** Longest wait for one attempt's answer, milliseconds. Default: the client's `timeoutMs`. */
  readonly timeoutMs?: number | undefined;
}

/** A request, and how its answer reads. */
export interface Call<T> {
  /** The method of this package that makes it; begins every error's message. */
  readonly operation: string;
  readonly method: "GET" | "POST";
  /** From the API's root, percent-encoded. */
  readonly path: string;
  readonly body?: { readonly type: "application/json" | "application/x-www-form-urlencoded"; readonly text: string };
  /** False: no bearer token, the body proves itself. Default true. */
  readonly bearer?: boolean;
  /** False: doing it twice may deliver twice. Default true. */
  readonly repeatable?: boolean;
  /** Reads the answer, or throws an `XlveinApiError`. */
  readonly read: (answer: Answer) => T;
}

/** Sends a call, with retries. Rejects with an `XlveinError` or with the signal's reason. */
export type Send = <T>(call: Call<T>, options?: CallOptions) => Promise<T>;

/** Answers the one function through which every request goes. */
export function createSend(settings: Settings, apiToken: () => string): Send {
  return async (call, { signal, timeoutMs = settings.timeoutMs } = {}) => {
    whole(`${call.operation}: timeoutMs`, timeoutMs, 1, MAX_TIMER_MS);
    return withRetries(settings, { repeatable: call.repeatable ?? true, signal }, async (leftMs) =>
      call.read(await attempt(settings, call, apiToken, Math.max(1, Math.min(timeoutMs, leftMs)), signal)),
    );
  };
}

async function attempt(settings: Settings, call: Call<unknown>, apiToken: () => string, limitMs: number, signal: AbortSignal | undefined): Promise<Answer> {
  signal?.throwIfAborted();
  const end = new AbortController();
  const timer = setTimeout(() => end.abort(timedOut(call, settings, limitMs)), limitMs);
  const forward = () => end.abort(signal?.reason);
  signal?.addEventListener("abort", forward, { once: true });
  try {
    const response = await settings.fetch(settings.bases.http + call.path, request(call, apiToken, end.signal));
    return await readAnswer(call.operation, response, settings.now());
  } catch (cause) {
    if (end.signal.aborted) throw end.signal.reason;
    throw cause instanceof XlveinError ? cause : unreachable(call, settings, cause);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", forward);
  }
}

function request({ method, body, bearer = true }: Call<unknown>, apiToken: () => string, signal: AbortSignal): RequestInit {
  const headers: Record<string, string> = { accept: "application/json, application/problem+json", "user-agent": `xlvein-node/${VERSION}` };
  if (bearer) headers.authorization = `Bearer ${apiToken()}`;
  if (body) headers["content-type"] = body.type;
  // Followed, a redirect would turn a POST into a GET: it is reported instead.
  return { method, headers, signal, redirect: "manual", ...(body && { body: body.text }) };
}

function timedOut({ operation }: Call<unknown>, { bases }: Settings, limitMs: number): XlveinTimeoutError {
  return new XlveinTimeoutError(`${operation}: no complete answer from ${bases.http} within ${limitMs} ms`, {
    retryable: true,
    remediation: "Repeat with the same idempotency key: the server may have accepted the first attempt. If it happens often, raise `timeoutMs`.",
  });
}

function unreachable({ operation }: Call<unknown>, { bases }: Settings, cause: unknown): XlveinConnectionError {
  return new XlveinConnectionError(`${operation}: cannot reach ${bases.http}: ${reason(cause)}`, {
    retryable: true,
    remediation: "Check that the server runs, and that `url` is its address as seen from this machine.",
    cause,
  });
}

/** `fetch` says only "fetch failed" and keeps the reason, like ECONNREFUSED, in its cause. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  return "code" in cause && typeof cause.code === "string" ? cause.code : cause.message;
}
