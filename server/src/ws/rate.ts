// How fast the client of one v2 connection may send: what is over the rate is refused, what is far over it ends the connection.
import { createTokenBucket, type TokenBucket } from "../limits/token-bucket.ts";

/** Times the rate from which on a client is not only too fast. */
const FAR = 10;

export class Rate {
  readonly #near: TokenBucket;
  readonly #far: TokenBucket;

  constructor(perSecond: number, now: () => number) {
    this.#near = createTokenBucket(perSecond, perSecond, now);
    this.#far = createTokenBucket(perSecond * FAR, perSecond * FAR, now);
  }

  /** Counts one frame. */
  take(): "within" | "over" | "far_over" {
    if (!this.#far.take()) return "far_over";
    return this.#near.take() ? "within" : "over";
  }

  /** Whole seconds until the next frame is within. */
  get retryAfterSeconds(): number {
    return this.#near.retryAfterSeconds();
  }
}

/** @param perSecond `Infinity`: no limit */
export function createRate(perSecond: number, now: () => number): Rate | undefined {
  return Number.isFinite(perSecond) ? new Rate(perSecond, now) : undefined;
}
