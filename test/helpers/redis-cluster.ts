// A real Redis Cluster: masters that share the slots evenly, and replicas where asked for.
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { freePort, type RedisServer } from "./redis-server.ts";
import { startSteadyRedis } from "./steady-redis.ts";

const SLOTS = 16_384;

export interface RedisCluster {
  readonly masters: readonly RedisServer[];
  /** One of the first master, when asked for. */
  readonly replicas: readonly RedisServer[];
  /** `redis+cluster://…`, with every master as a seed. */
  readonly url: string;
  /** Gives a slot to another master, as a resharding ends. It must hold no keys. */
  moveSlot(slot: number, to: RedisServer): Promise<void>;
  /** The master that owns a slot, as the masters see it. */
  ownerOf(slot: number): Promise<RedisServer | undefined>;
}

/** Three masters, each of which has written what it answers, and `replicas` (0 or 1) of the first; resolves when all agree that the Cluster is whole. */
export async function startRedisCluster(t: Pick<TestContext, "after">, { replicas: wanted = 0, args = [] as string[] } = {}): Promise<RedisCluster> {
  const busPorts = new Map<RedisServer, number>();
  const start = async () => {
    const bus = await freePort();
    const server = await startSteadyRedis(t, [
      "--cluster-enabled",
      "yes",
      "--cluster-node-timeout",
      "700",
      "--cluster-replica-validity-factor",
      "0",
      "--cluster-port",
      String(bus),
      ...args,
    ]);
    busPorts.set(server, bus);
    return server;
  };
  const masters = [await start(), await start(), await start()];
  const replicas = wanted > 0 ? [await start()] : [];
  const servers = [...masters, ...replicas];
  const first = masters[0] as RedisServer;

  for (const [i, master] of masters.entries()) {
    const [from, to] = [Math.floor((SLOTS * i) / 3), Math.floor((SLOTS * (i + 1)) / 3) - 1];
    await ask(master, (redis) => redis.call("CLUSTER", "ADDSLOTSRANGE", from, to));
  }
  for (const server of servers.slice(1)) await ask(server, (redis) => redis.call("CLUSTER", "MEET", "127.0.0.1", first.port, busPorts.get(first) ?? 0));
  const whole = async () => {
    const states = await Promise.all(servers.map((server) => ask(server, (redis) => redis.call("CLUSTER", "INFO"))));
    return states.every((state) => /cluster_state:ok/.test(String(state)) && String(state).includes(`cluster_known_nodes:${servers.length}`));
  };
  while (!(await whole())) await sleep(50);
  const id = String(await ask(first, (redis) => redis.call("CLUSTER", "MYID")));
  for (const replica of replicas) {
    await ask(replica, (redis) => redis.call("CLUSTER", "REPLICATE", id));
    while (!String(await ask(replica, (redis) => redis.info("replication"))).includes("master_link_status:up")) await sleep(50);
  }

  async function ownerOf(slot: number): Promise<RedisServer | undefined> {
    for (const server of servers) {
      const slots = (await ask(server, (redis) => redis.call("CLUSTER", "SLOTS")).catch(() => [])) as [number, number, [string, number]][];
      const range = slots.find(([low, high]) => low <= slot && slot <= high);
      if (range) return servers.find(({ port }) => port === range[2][1]);
    }
    return undefined;
  }
  return {
    masters,
    replicas,
    url: `redis+cluster://${masters.map(({ port }) => `127.0.0.1:${port}`).join(",")}`,
    async moveSlot(slot, to) {
      const from = await ownerOf(slot);
      if (!from || from === to) throw new Error(`slot ${slot} cannot be moved`);
      const [source, target] = await Promise.all([from, to].map(async (server) => String(await ask(server, (redis) => redis.call("CLUSTER", "MYID")))));
      await ask(to, (redis) => redis.call("CLUSTER", "SETSLOT", slot, "IMPORTING", source ?? ""));
      await ask(from, (redis) => redis.call("CLUSTER", "SETSLOT", slot, "MIGRATING", target ?? ""));
      // The new owner first: it then counts as the latest to have claimed the slot.
      for (const server of [to, from, ...masters.filter((other) => other !== to && other !== from)])
        await ask(server, (redis) => redis.call("CLUSTER", "SETSLOT", slot, "NODE", target ?? ""));
    },
    ownerOf,
  };
}

/** One command over a connection of its own. */
async function ask<T>(server: RedisServer, command: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({ port: server.port, lazyConnect: true, retryStrategy: null, enableReadyCheck: false, disableClientInfo: true });
  redis.on("error", () => {});
  try {
    await redis.connect();
    return await command(redis);
  } finally {
    redis.disconnect();
  }
}
