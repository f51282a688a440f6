// A node's Redis exchange for the tests, with what it has heard and how it stands.
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Exchange } from "../../server/src/exchange/exchange.ts";
import { createRedisExchange } from "../../server/src/exchange/redis.ts";
import { createLog, type Log } from "../../server/src/log.ts";
import { createRedisLinks } from "../../server/src/redis/connect.ts";
import type { RedisLinks } from "../../server/src/redis/links.ts";
import { collector } from "./contract.ts";

export const silent: Log = createLog({ level: "silent" });

/** Collects log lines as text. */
export function memoryLog(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  return { log: createLog({ level: "trace", destination: { write: (line: string) => void lines.push(line) } }), lines };
}

export interface RedisNode {
  readonly exchange: Exchange;
  readonly links: RedisLinks;
  readonly inbox: ReturnType<typeof collector>;
  /** Reasons given to `onPoison`. */
  readonly poison: string[];
}

let nodes = 0;

export interface RedisNodeOptions {
  addresses: readonly string[];
  prefix?: string;
  probeMs?: number;
  log?: Log;
}

/** Not open yet. */
export function createRedisNode({ addresses, prefix = "xlvein", probeMs, log = silent }: RedisNodeOptions): RedisNode {
  const links = createRedisLinks({ addresses, prefix, log });
  const poison: string[] = [];
  const onPoison = (reason: string) => void poison.push(reason);
  const exchange = createRedisExchange({ links, prefix, nodeId: `node-${++nodes}`, log, onPoison, ...(probeMs === undefined ? {} : { probeMs }) });
  return { exchange, links, inbox: collector(), poison };
}

/** Open, and closed with the test. */
export async function openRedisNode(t: Pick<TestContext, "after">, options: RedisNodeOptions): Promise<RedisNode> {
  const node = createRedisNode(options);
  t.after(() => node.exchange.close());
  await node.exchange.open(node.inbox.deliver, node.inbox.resumed);
  return node;
}

/** Polls until the condition holds and answers how long that took, ms; fails after `limitMs`. */
export async function within(limitMs: number, what: string, condition: () => boolean | Promise<boolean>): Promise<number> {
  const start = performance.now();
  while (!(await condition())) {
    assert.ok(performance.now() - start < limitMs, `${what} within ${limitMs} ms`);
    await sleep(10);
  }
  return performance.now() - start;
}
