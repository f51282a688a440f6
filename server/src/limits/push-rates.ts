// Pushes per second of each application, on this node.
import type { App } from "../apps/app.ts";
import type { AppRegistry } from "../apps/registry.ts";
import { ErrorCode, XlveinError } from "../errors.ts";
import { createTokenBucket, type TokenBucket } from "./token-bucket.ts";

export interface PushRates {
  /** Counts `n` messages of an application. Throws RATE_LIMITED with the seconds to wait; nothing is counted then. */
  take(app: App, n?: number): void;
}

interface Rate {
  readonly perSecond: number;
  readonly bucket: TokenBucket;
}

/** Keeps one bucket per application with a limit; a changed limit starts afresh, a removed application is forgotten. The burst is one second's worth. */
export function createPushRates(apps: AppRegistry, now: () => number): PushRates {
  const rates = new Map<string, Rate>();
  apps.onChange(({ current }) => {
    for (const key of rates.keys()) if (!current.apps.has(key)) rates.delete(key);
  });

  function bucketOf({ key, limits: { pushesPerSecond: perSecond } }: App): TokenBucket {
    const known = rates.get(key);
    if (known?.perSecond === perSecond) return known.bucket;
    const bucket = createTokenBucket(perSecond, perSecond, now);
    rates.set(key, { perSecond, bucket });
    return bucket;
  }

  return {
    take(app, n = 1) {
      if (app.limits.pushesPerSecond === Number.POSITIVE_INFINITY) return;
      const bucket = bucketOf(app);
      if (bucket.take(n)) return;
      throw new XlveinError(ErrorCode.RATE_LIMITED, "the application's pushes_per_second are used up", { retryAfterSeconds: bucket.retryAfterSeconds(n) });
    },
  };
}
