// A Redis that has written what it answers, whatever the machine is doing.
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type RedisServer, startRedis } from "./redis-server.ts";

const MEMORY = "/dev/shm";

/**
 * As `startRedis`, with its data in memory where the system has a place for that, and written before each answer. With `appendfsync everysec` Redis
 * answers before it has written while the sync of the second before is under way: then even the end of the process, not only of the machine, costs what was answered.
 */
export async function startSteadyRedis(t: Pick<TestContext, "after">, args: readonly string[] = []): Promise<RedisServer> {
  const directory = await mkdtemp(join(existsSync(MEMORY) ? MEMORY : tmpdir(), "xlvein-redis-"));
  const redis = await startRedis(t, ["--dir", directory, "--appendfsync", "always", ...args]);
  t.after(() => rm(directory, { recursive: true, force: true }));
  return Object.create(redis, { directory: { value: directory, enumerable: true } }) as RedisServer;
}
