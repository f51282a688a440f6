// Notices nodes that share their load in different ways: each shard remembers the list of shards that its users configured.
import type { Cluster, Redis } from "ioredis";
import { digest } from "./names.ts";
import { RedisRefusal } from "./refusal.ts";

/** How long a shard remembers the list after the last node has gone, ms: longer than the streams that were placed by it. */
export const SHARD_LIST_MS = 25 * 3_600_000;

/** A list as it is stored: what tells it from others, and what a human reads. */
export interface ShardList {
  readonly digest: string;
  readonly count: number;
  /** `host:port` of each, sorted. Without credentials. */
  readonly hosts: readonly string[];
}

/** The key that holds the list, on every shard. */
export function shardListKey(prefix: string): string {
  return `${prefix}:shards`;
}

/** The same for the same shards in any order. `identities` tell them apart, `hosts` are shown. */
export function shardList(identities: readonly string[], hosts: readonly string[]): ShardList {
  return { digest: digest([...identities].sort().join("\n")), count: identities.length, hosts: [...hosts].sort() };
}

/**
 * Leaves our list on a shard, or renews it. Rejects with RedisRefusal when another is there: ids would be looked for where they are not.
 * One shard alone may be renamed or moved, since everything is on it whatever it is called; from one to several, or back, is another list.
 * @returns whether nobody had left a list there before
 */
export async function agreeOnShards(commands: Redis | Cluster, prefix: string, ours: ShardList): Promise<boolean> {
  const key = shardListKey(prefix);
  if ((await commands.set(key, JSON.stringify(ours), "PX", SHARD_LIST_MS, "NX")) === "OK") return true;
  const theirs = parse(await commands.get(key));
  const agree = theirs === undefined || theirs.digest === ours.digest || (theirs.count === 1 && ours.count === 1);
  if (!agree)
    throw new RedisRefusal(
      `it is used with the addresses ${show(theirs)}, and here with ${show(ours)}; to change them stop every node, then delete ${key} on each shard`,
    );
  await commands.set(key, JSON.stringify(ours), "PX", SHARD_LIST_MS);
  return false;
}

/** Takes back a list that we were the first to leave, because another shard refused us. */
export async function takeBackShards(commands: Redis | Cluster, prefix: string): Promise<void> {
  await commands.set(shardListKey(prefix), "", "PX", 1);
}

/** Something else under the key is overwritten: nobody but us uses the prefix. */
function parse(text: string | null): ShardList | undefined {
  try {
    const list = JSON.parse(text ?? "") as ShardList;
    return typeof list.digest === "string" && Array.isArray(list.hosts) ? list : undefined;
  } catch {
    return undefined;
  }
}

function show({ hosts }: ShardList): string {
  return `[${hosts.join(" ")}]`;
}
