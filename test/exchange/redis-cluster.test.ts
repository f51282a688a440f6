// The Redis exchange on a Cluster keeps the contract of all exchanges, and hears on through moved slots and failovers.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { accountTarget, type Target } from "../../server/src/protocol/target.ts";
import { channelName } from "../../server/src/redis/names.ts";
import { slotOf } from "../../server/src/redis/slot.ts";
import { type RedisCluster, startRedisCluster } from "../helpers/redis-cluster.ts";
import type { RedisServer } from "../helpers/redis-server.ts";
import { exchangeContract, numbered, unplaced } from "./contract.ts";
import { createRedisNode, openRedisNode, within } from "./redis-node.ts";

const timeout = 60_000;
const hooks: (() => unknown)[] = [];
after(async () => {
  for (const hook of hooks) await hook();
});
const cluster = await startRedisCluster({ after: (hook) => void hooks.push(hook as () => unknown) }, { replicas: 1 });

const create = () => createRedisNode({ addresses: [cluster.url], prefix: "contract" }).exchange;
exchangeContract("redis on a cluster", create, { createPeer: create });

/** Publishes until one push to every target has arrived with the number. */
async function reachesAll(nodes: Awaited<ReturnType<typeof openRedisNode>>, targets: readonly Target[], n: number): Promise<void> {
  const from = nodes.inbox.received.length;
  for (const each of targets) await nodes.exchange.publish(unplaced(each), numbered(n));
  await nodes.inbox.count(from + targets.length);
  const arrived = nodes.inbox.received.slice(from);
  assert.deepEqual(arrived.map(({ target }) => target.name).sort(), targets.map(({ name }) => name).sort());
}

async function ownersOf({ ownerOf }: RedisCluster, targets: readonly Target[]): Promise<Set<RedisServer | undefined>> {
  return new Set(await Promise.all(targets.slice(0, 20).map((each) => ownerOf(slotOf(channelName("xlvein", each))))));
}

test("targets on every master are heard, each once", { timeout }, async (t) => {
  const node = await openRedisNode(t, { addresses: [cluster.url] });
  const targets = Array.from({ length: 300 }, (_, n) => accountTarget("app", `user_${n}`));
  await Promise.all(targets.map((each) => node.exchange.hold(each)));
  assert.equal((await ownersOf(cluster, targets)).size, 3);
  await reachesAll(node, targets, 1);
  await node.exchange.publish(unplaced(...targets), numbered(2));
  await node.inbox.count(600);
});

test("a slot that moves takes its targets along, and they are named as resumed", { timeout }, async (t) => {
  const node = await openRedisNode(t, { addresses: [cluster.url] });
  const targets = Array.from({ length: 20 }, (_, n) => accountTarget("app", `user_${n}`));
  await Promise.all(targets.map((each) => node.exchange.hold(each)));
  const [moved] = targets as [Target];
  const slot = slotOf(channelName("xlvein", moved));
  for (let round = 1; round <= 2; round++) {
    const owner = await cluster.ownerOf(slot);
    const to = cluster.masters.find((master) => master !== owner) ?? assert.fail();
    await cluster.moveSlot(slot, to);
    await node.inbox.resumedCount(round);
    await within(3_000, "up", () => node.exchange.state().up);
    await reachesAll(node, targets, round);
  }
  assert.ok(node.inbox.resumptions.flat().every(({ name }) => name === moved.name));
});

test("30,000 targets on a cluster are held in seconds", { timeout }, async (t) => {
  const node = await openRedisNode(t, { addresses: [cluster.url], prefix: "many" });
  const targets = Array.from({ length: 30_000 }, (_, n) => accountTarget("app", `user_${n}`));
  const [cpu, start] = [process.cpuUsage(), performance.now()];
  await Promise.all(targets.map((each) => node.exchange.hold(each)));
  const { user, system } = process.cpuUsage(cpu);
  t.diagnostic(`held in ${Math.round(performance.now() - start)} ms, with ${Math.round((user + system) / 1_000)} ms of our own CPU`);
  assert.ok((user + system) / 1_000 < 10_000);
  await reachesAll(node, targets.slice(0, 50), 1);
});

test("a user with the documented rights for a cluster and no others is enough", { timeout }, async (t) => {
  const rights =
    "on >hunter2 ~p:* &p:* -@all +hello +auth +ping +info +client|setname +cluster|slots +cluster|info +get +set +spublish +ssubscribe +sunsubscribe";
  for (const { port } of [...cluster.masters, ...cluster.replicas]) {
    const admin = new Redis({ port });
    await admin.call("ACL", "SETUSER", "xlvein", ...rights.split(" "));
    admin.disconnect();
  }
  const address = cluster.url.replace("//", "//xlvein:hunter2@");
  const { exchange, inbox } = await openRedisNode(t, { addresses: [address], prefix: "p" });
  const target = accountTarget("app", "user_1");
  await exchange.hold(target);
  await exchange.publish(unplaced(target), numbered(1));
  await inbox.count(1);
  assert.equal(exchange.state().up, true);
  const wrong = createRedisNode({ addresses: [address.replace("hunter2", "hunter3")], prefix: "p" }).exchange;
  await assert.rejects(
    wrong.open(
      () => {},
      () => {},
    ),
    (error: Error) => /password is refused \(WRONGPASS\)/.test(error.message) && !/hunter/.test(error.message),
  );
});

test("a master that stops answering makes it down, and up again when it goes on", { timeout }, async (t) => {
  const node = await openRedisNode(t, { addresses: [cluster.url] });
  const targets = Array.from({ length: 20 }, (_, n) => accountTarget("app", `user_${n}`));
  await Promise.all(targets.map((each) => node.exchange.hold(each)));
  const paused = cluster.masters[2] ?? assert.fail();
  paused.pause();
  t.diagnostic(`noticed after ${Math.round(await within(3_000, "down", () => !node.exchange.state().up))} ms`);
  paused.resume();
  await within(10_000, "up", () => node.exchange.state().up);
  await reachesAll(node, targets, 1);
});

test("when a master dies its replica's promotion is followed: everything is heard again", { timeout }, async (t) => {
  const node = await openRedisNode(t, { addresses: [cluster.url] });
  const targets = Array.from({ length: 100 }, (_, n) => accountTarget("app", `user_${n}`));
  await Promise.all(targets.map((each) => node.exchange.hold(each)));
  const dead = cluster.masters[0] ?? assert.fail();
  await dead.kill();
  await within(1_000, "down", () => !node.exchange.state().up);
  assert.match(node.exchange.state().detail, /redis 127\.0\.0\.1/);
  t.diagnostic(`up after ${Math.round(await within(15_000, "up", () => node.exchange.state().up))} ms`);
  await node.inbox.resumedCount(20);
  await reachesAll(node, targets, 1);
  const lost = await Promise.all(targets.map((each) => cluster.ownerOf(slotOf(channelName("xlvein", each)))));
  assert.ok(!lost.includes(dead) && lost.includes(cluster.replicas[0]));
  // It comes back as a replica, and nothing is heard twice. Until it has learnt that it is one, it may refuse a publish.
  await dead.start();
  const direct = new Redis({ port: dead.port });
  t.after(() => direct.disconnect());
  while ((await direct.role())[0] !== "slave") await sleep(20);
  await within(10_000, "up", () => node.exchange.state().up);
  await reachesAll(node, targets, 2);
});
