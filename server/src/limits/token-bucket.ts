// A rate limit: tokens drip in at a rate, up to a burst, and each unit of work takes one.

export interface TokenBucket {
  /**
   * Takes `n` tokens (1 by default), or none and returns false.
   * More than the burst at once is allowed when the bucket is full; what comes after then waits for the debt.
   */
  take(n?: number): boolean;
  /** Whole seconds, 1 to 3600, until `n` tokens (1 by default) can be taken. */
  retryAfterSeconds(n?: number): number;
}

/**
 * Creates a full bucket.
 * @param ratePerSecond tokens that drip in; `Infinity` never refuses, 0 refuses once the burst is spent
 * @param burst tokens the bucket holds, at least 1
 * @param now milliseconds; a clock that steps back is taken as standing still
 */
export function createTokenBucket(ratePerSecond: number, burst: number, now: () => number): TokenBucket {
  const size = Math.max(1, burst);
  let tokens = size;
  let filledAtMs = now();

  function fill(): void {
    const nowMs = now();
    if (nowMs > filledAtMs) tokens = Math.min(size, tokens + ((nowMs - filledAtMs) / 1_000) * ratePerSecond);
    filledAtMs = nowMs;
  }

  return {
    take(n = 1) {
      if (ratePerSecond === Number.POSITIVE_INFINITY) return true;
      fill();
      if (tokens < Math.min(n, size)) return false;
      tokens -= n;
      return true;
    },
    retryAfterSeconds(n = 1) {
      if (ratePerSecond === Number.POSITIVE_INFINITY) return 1;
      fill();
      return Math.min(3_600, Math.max(1, Math.ceil((Math.min(n, size) - tokens) / ratePerSecond)));
    },
  };
}
