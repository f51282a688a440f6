// Looks at a server before anything is entrusted to it: its version, its mode, its role.
import type { Redis } from "ioredis";
import { RedisRefusal, refusalOf } from "./refusal.ts";
import { Unfit } from "./watchdog.ts";

/** What the configured address promised to find. */
export type Expected = "server" | "cluster node";

/**
 * Rejects with RedisRefusal when the server is too old (Redis 6.2; 7 on a Cluster, for sharded channels) or of another kind than the address says,
 * with Unfit when it is a replica now.
 */
export async function admit(redis: Redis, expected: Expected): Promise<void> {
  const { version, mode } = await readHello(redis);
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (expected === "cluster node") {
    if (major < 7) throw new RedisRefusal(`it runs Redis ${version}, and a Cluster needs 7 or later`);
    return;
  }
  if (major < 6 || (major === 6 && minor < 2)) throw new RedisRefusal(`it runs Redis ${version}, and 6.2 or later is needed`);
  if (mode === "cluster") throw new RedisRefusal("it is a node of a Cluster: write redis+cluster://");
  if (mode === "sentinel") throw new RedisRefusal("it is a Sentinel: write redis+sentinel://host/master");
  await askRole(redis);
}

/** The watchdog's question for a server that must be a master. A user who may not ask is answered by PING. */
export async function askRole(redis: Redis): Promise<void> {
  const role = await redis.role().catch((error: Error) => {
    if (error.message.startsWith("NOPERM")) return redis.ping().then(() => ["master"]);
    throw error;
  });
  if (role[0] === "slave") throw new Unfit("it is a replica");
}

async function readHello(redis: Redis): Promise<{ version: string; mode: string }> {
  try {
    const reply = (await redis.call("HELLO")) as unknown[];
    const member = (name: string) => String(reply[reply.indexOf(name) + 1] ?? "");
    return { version: member("version"), mode: member("mode") };
  } catch (error) {
    if (/unknown command/i.test((error as Error).message)) throw new RedisRefusal("it runs a Redis before 6, and 6.2 or later is needed");
    throw refusalOf(error as Error) ?? error;
  }
}
