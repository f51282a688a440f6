// The connections to Redis that the exchange and the store share: one link per shard, each with its commands and its life.
import type { Cluster, Redis } from "ioredis";

/** A Redis (or Sentinel group, or Cluster) that holds a part of the targets. */
export interface Shard {
  /** Position in the configured list. */
  readonly index: number;
  /** `host:port` of each configured host, for logs and `/readyz?verbose`; without credentials. */
  readonly name: string;
  /** For commands and scripts: no offline queue, never resends what may have been done. Without an answer they reject when the watchdog gives the connection up, within three seconds. */
  readonly commands: Redis | Cluster;
  /** To be called before commands that come in numbers: those of one round of the event loop leave in one write. */
  cork(): void;
  /** Whether channels are sharded (SPUBLISH, SSUBSCRIBE): on a Cluster. */
  readonly cluster: boolean;
  /** Whether a command sent now would be answered, as far as the watchdog knows. On a Cluster: by each of its masters. */
  readonly up: boolean;
  /** Why it is not up; "" when it is. Never an address with credentials. */
  readonly detail: string;
  /**
   * Makes another connection with the same address and options, for a subscriber; its owner connects and closes it.
   * It subscribes to nothing by itself after a reconnect. On a Cluster `node` says to which of its nodes.
   */
  subscriber(node?: { readonly host: string; readonly port: number }): Redis;
}

export interface RedisLinks {
  readonly shards: readonly Shard[];
  /** The shard of an id (a target's, or an application's key), by consistent hash: stable over restarts and equal on every node. */
  shardOf(id: string): Shard;
  /**
   * Connects; resolves once every shard is up, or after 2 s with some still away, and keeps trying then.
   * Rejects when one refuses us for good (password, version, another shard list, naming both). May be called by both users.
   */
  open(): Promise<void>;
  /** Calls back whenever a shard goes away or comes back. Returns a function that stops. */
  onChange(listener: (shard: Shard) => void): () => void;
  /** Closes when all who opened have closed. */
  close(): Promise<void>;
}
