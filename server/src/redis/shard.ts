// What the two kinds of shard have in common.
import type { Cluster, Redis } from "ioredis";
import type { Log } from "../log.ts";
import type { Shard } from "./links.ts";

export interface ShardOptions {
  readonly index: number;
  /** For logs: `host:port` of each host. */
  readonly name: string;
  readonly log: Log;
  /** Compares the shard list; rejects with RedisRefusal when it is another. */
  readonly agree: (commands: Redis | Cluster) => Promise<void>;
  readonly onChange: (shard: Shard) => void;
}

/** A shard with the handles that only its owner has. */
export interface ManagedShard {
  readonly shard: Shard;
  /** Resolves when it is up for the first time, rejects when it refuses us for good. */
  readonly first: Promise<void>;
  connect(): void;
  close(): void;
}
