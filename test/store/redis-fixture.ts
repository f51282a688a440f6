// Stores on real Redis servers, each test under a prefix of its own.
import { randomBytes } from "node:crypto";
import { after, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { createLog } from "../../server/src/log.ts";
import { createRedisLinks } from "../../server/src/redis/connect.ts";
import type { RedisLinks } from "../../server/src/redis/links.ts";
import { DEFAULT_HISTORY } from "../../server/src/store/history.ts";
import { createRedisStore, type RedisStoreOptions } from "../../server/src/store/redis.ts";
import type { Store } from "../../server/src/store/store.ts";

/** For what lives as long as the tests of a file. */
export const file: Pick<TestContext, "after"> = {
  after: (end) => after(() => (end as () => unknown)()),
};

export interface RedisFixture {
  readonly store: Store;
  readonly prefix: string;
  readonly links: RedisLinks;
  /** Log lines so far. */
  readonly lines: string[];
}

/** A store on these addresses, not yet open. */
export function createFixture(addresses: readonly string[], options: Partial<RedisStoreOptions> = {}): RedisFixture {
  const prefix = options.prefix ?? `test-${randomBytes(6).toString("hex")}`;
  const lines: string[] = [];
  const log = createLog({ level: "info", destination: { write: (line) => void lines.push(line) } });
  const links = createRedisLinks({ addresses, prefix, log });
  const store = createRedisStore({ links, prefix, publish: false, historyOf: () => DEFAULT_HISTORY, log, now: Date.now, ...options });
  return { store, prefix, links, lines };
}

/** The same, open until the test ends. */
export async function openFixture(
  t: Pick<TestContext, "after">,
  addresses: readonly string[],
  options: Partial<RedisStoreOptions> = {},
): Promise<RedisFixture> {
  const fixture = createFixture(addresses, options);
  t.after(() => fixture.store.close());
  await fixture.store.open();
  return fixture;
}

/** A plain connection, for what the store itself would not do. */
export function connectPlain(t: Pick<TestContext, "after">, port: number): Redis {
  const redis = new Redis(port, "127.0.0.1", { retryStrategy: () => 20, maxRetriesPerRequest: null });
  redis.on("error", () => {});
  t.after(() => redis.disconnect());
  return redis;
}

/** The names of all keys that begin with a prefix, without the links' own list of shards. */
export async function keysOf(redis: Redis, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for (let cursor = "0", first = true; first || cursor !== "0"; first = false) {
    const [next, found] = await redis.scan(cursor, "MATCH", `${prefix}:*`, "COUNT", 1_000);
    keys.push(...found.filter((name) => name !== `${prefix}:shards`));
    cursor = next;
  }
  return keys;
}

/** Lets time pass for the keys of a prefix: each has that much less to live. A key that lives for ever fails, but for the members of rooms, which all do. */
export async function age(redis: Redis, prefix: string, ms: number): Promise<void> {
  for (const key of await keysOf(redis, prefix)) {
    const left = await redis.pttl(key);
    if ((left === -1) !== /:[ra]$/.test(key)) throw new Error(`${key} has ${left} ms to live`);
    if (left === -1) continue;
    await redis.pexpire(key, Math.max(0, left - ms));
  }
}

/** Repeats a call until it succeeds; answers what it answered and how often it was made. */
export async function insist<T>(run: () => Promise<T>): Promise<{ value: T; tries: number }> {
  for (let tries = 1; ; tries++) {
    try {
      return { value: await run(), tries };
    } catch {
      await sleep(10);
    }
  }
}
