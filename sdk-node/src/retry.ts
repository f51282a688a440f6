// Repeating a call that may succeed later: how often, after what wait, for how long in all.
import { XlveinApiError, XlveinError } from "./errors.ts";

/** Upper end of the first wait; it doubles with each attempt. */
const BASE_MS = 500;
/** Upper end of any wait that the server does not ask for. */
const CAP_MS = 8_000;

export interface RetryOptions {
  readonly retries: number;
  /** Bounds one call with all attempts and waits. */
  readonly totalTimeoutMs: number;
  readonly now: () => number;
  readonly random: () => number;
  readonly wait: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** A wait before attempt `attempt` + 1, uniform from 0 to a doubling bound ("full jitter"), so that many callers do not return together. */
export function backoffMs(attempt: number, random: () => number): number {
  return Math.round(random() * Math.min(CAP_MS, BASE_MS * 2 ** attempt));
}

/**
 * Runs `once` until it succeeds, fails for good, or attempts or time are used up; the last error is thrown.
 * `once` is handed the milliseconds left. A Retry-After is waited out in full, jitter on top; one that does not fit into the time left ends the call.
 * `repeatable: false` repeats only what the server has refused, never what it may have done without an answer arriving.
 */
export async function withRetries<T>(
  { retries, totalTimeoutMs, now, random, wait }: RetryOptions,
  { repeatable, signal }: { readonly repeatable: boolean; readonly signal: AbortSignal | undefined },
  once: (leftMs: number) => Promise<T>,
): Promise<T> {
  const endMs = now() + totalTimeoutMs;
  for (let attempt = 0; ; attempt++) {
    try {
      return await once(endMs - now());
    } catch (error) {
      if (attempt >= retries || !isRepeatable(error, repeatable)) throw error;
      const pauseMs = backoffMs(attempt, random) + retryAfterMs(error);
      if (now() + pauseMs >= endMs) throw error;
      await wait(pauseMs, signal);
    }
  }
}

function isRepeatable(error: unknown, repeatable: boolean): boolean {
  if (!(error instanceof XlveinError) || !error.retryable) return false;
  if (!(error instanceof XlveinApiError)) return repeatable;
  // 200: a classic answer, whose code alone says that it failed.
  return error.status === 200 || error.status === 429 || error.status >= 500;
}

function retryAfterMs(error: unknown): number {
  return error instanceof XlveinApiError ? (error.retryAfterMs ?? 0) : 0;
}
