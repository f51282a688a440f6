// The Redis exchange behind Sentinels keeps the contract of all exchanges, and follows a failover.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { accountTarget } from "../../server/src/protocol/target.ts";
import { startRedisSentinels } from "../helpers/redis-sentinel.ts";
import { exchangeContract, numbered, unplaced } from "./contract.ts";
import { createRedisNode, openRedisNode, within } from "./redis-node.ts";

const hooks: (() => unknown)[] = [];
after(async () => {
  for (const hook of hooks) await hook();
});
const group = await startRedisSentinels({ after: (hook) => void hooks.push(hook as () => unknown) });

const create = () => createRedisNode({ addresses: [group.url], prefix: "contract" }).exchange;
exchangeContract("redis behind sentinels", create, { createPeer: create });

test("when the master dies the promoted replica carries everything that was held", { timeout: 60_000 }, async (t) => {
  const nodes = [await openRedisNode(t, { addresses: [group.url] }), await openRedisNode(t, { addresses: [group.url] })] as const;
  const target = accountTarget("app", "user_1");
  await Promise.all(nodes.map(({ exchange }) => exchange.hold(target)));
  await group.master.kill();
  await within(1_000, "down", () => nodes.every(({ exchange }) => !exchange.state().up));
  t.diagnostic(`up after ${Math.round(await within(20_000, "up", () => nodes.every(({ exchange }) => exchange.state().up)))} ms`);
  // The Sentinel that is asked here may hear of the new master a little later than the one that the nodes asked.
  while ((await group.masterPort()) !== group.replica.port) await sleep(20);
  for (const { inbox } of nodes) await inbox.resumedCount(1);
  await nodes[0].exchange.publish(unplaced(target), numbered(1));
  for (const { inbox } of nodes) await inbox.count(1);
});

test("a demoted master is left within seconds, though it answers everything", { timeout: 60_000 }, async (t) => {
  const server = group.replica;
  const { exchange, links } = await openRedisNode(t, { addresses: [server.url], prefix: "direct" });
  const commands = links.shards[0]?.commands ?? assert.fail();
  // To a port where nobody is: it is a replica without a master, and takes PUBLISH as before.
  await commands.call("REPLICAOF", "127.0.0.1", "1");
  await within(3_000, "down", () => !exchange.state().up);
  assert.match(exchange.state().detail, /replica/);
});
