// Nodes on one Redis.
import { type RedisServer, startRedis } from "../../helpers/redis-server.ts";
import { onceARun } from "../harness/once-a-run.ts";
import type { Stage } from "../harness/stage.ts";
import { type Node, startOurs } from "./nodes.ts";

export const NODES = 3;

export interface Cluster {
  readonly redis: RedisServer;
  readonly nodes: readonly Node[];
}

/** Starts a Redis of its own, and `NODES` nodes on it. */
export async function startCluster(stage: Stage, start: (redisUrl: string) => Promise<Node>, count = NODES): Promise<Cluster> {
  const redis = await startRedis(stage);
  return { redis, nodes: await Promise.all(Array.from({ length: count }, () => start(redis.url))) };
}

/** Ours, with exchange and store on Redis. */
export const cluster = onceARun((stage) => startCluster(stage, (redis) => startOurs(stage, { exchange: { type: "redis", redis }, store: { type: "redis" } })));
