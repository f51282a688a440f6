// Connects to every configured Redis, and finds the one that an id belongs to.
import type { Cluster, Redis } from "ioredis";
import type { BrokerTlsFiles } from "../config/config.ts";
import type { Log } from "../log.ts";
import { hostsOf, identityOf, placeOf, readRedisAddresses } from "./address.ts";
import type { RedisLinks, Shard } from "./links.ts";
import { readTlsFiles } from "./options.ts";
import { createRing } from "./ring.ts";
import type { ManagedShard } from "./shard.ts";
import { createClusterShard } from "./shard-cluster.ts";
import { agreeOnShards, SHARD_LIST_MS, shardList, takeBackShards } from "./shard-list.ts";
import { createSingleShard } from "./shard-single.ts";

export interface RedisLinksOptions {
  /** One per shard, as `parseRedisUrl` reads them. */
  readonly addresses: readonly string[];
  /** Every key and channel begins with it. */
  readonly prefix: string;
  readonly log: Log;
  /** For `rediss` addresses; the system's authorities without. */
  readonly tls?: BrokerTlsFiles | undefined;
  /** How long `open` waits for shards that are away, ms; 2,000 by default. */
  readonly openMs?: number;
}

/** Throws a sentence for an address or a PEM file that cannot be used; connects only when opened. */
export function createRedisLinks({ addresses: texts, prefix, log, tls, openMs = 2_000 }: RedisLinksOptions): RedisLinks {
  const addresses = readRedisAddresses(texts);
  const pem = readTlsFiles(tls);
  const identities = addresses.map(identityOf);
  const list = shardList(identities, addresses.map(hostsOf));
  const place = createRing(identities);
  const listeners = new Set<(shard: Shard) => void>();
  const onChange = (shard: Shard) => {
    for (const listener of listeners) listener(shard);
  };
  /** Shards on which nobody had left a list. */
  const fresh: (Redis | Cluster)[] = [];
  const agree = async (commands: Redis | Cluster) => {
    if (await agreeOnShards(commands, prefix, list)) fresh.push(commands);
  };
  const managed: ManagedShard[] = addresses.map((address, index) => {
    const create = address.kind === "cluster" ? createClusterShard : createSingleShard;
    return create(address, pem, { index, name: hostsOf(address), log, agree, onChange });
  });
  const shards = managed.map(({ shard }) => shard);
  let users = 0;
  let opened: Promise<void> | undefined;
  let renewal: NodeJS.Timeout | undefined;
  let closed = false;

  async function connect(): Promise<void> {
    for (const shard of managed) shard.connect();
    renewal = setInterval(() => void renew(), SHARD_LIST_MS / 25);
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, openMs);
    const first = managed.map((shard, index) =>
      shard.first.catch((error: Error) => Promise.reject(Object.assign(error, { message: placeOf(index, managed.length) + error.message }))),
    );
    try {
      await Promise.race([Promise.all(first), late]);
    } catch (error) {
      // The others may be admitting us still.
      await Promise.race([Promise.allSettled(first), late]);
      await Promise.allSettled(fresh.map((commands) => takeBackShards(commands, prefix)));
      end();
      throw error;
    } finally {
      clearTimeout(timer);
    }
    for (const { name, up, detail } of shards) if (!up) log.warn({ event: "redis away", shard: name, reason: detail });
  }
  async function renew(): Promise<void> {
    for (const { commands, up, name } of shards) {
      if (!up) continue;
      await agreeOnShards(commands, prefix, list).catch((error: Error) => log.error({ event: "redis shard list", shard: name, reason: error.message }));
    }
  }
  function end(): void {
    if (closed) return;
    closed = true;
    clearInterval(renewal);
    listeners.clear();
    for (const shard of managed) shard.close();
  }

  return {
    shards,
    shardOf: (id) => shards[place(id)] ?? (shards[0] as Shard),
    async open() {
      if (closed) throw new Error("the links to Redis are closed");
      users += 1;
      opened ??= connect();
      await opened;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async close() {
      users -= 1;
      if (users <= 0) end();
    },
  };
}
