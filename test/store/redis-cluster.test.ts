// The Redis store on a Cluster: the contract, and channels in their slot.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { encodeBody, encodeOnChannel } from "../../server/src/protocol/codec.ts";
import { messageEnvelope, versionFor } from "../../server/src/protocol/envelope.ts";
import { accountTarget, appTarget, roomTarget } from "../../server/src/protocol/target.ts";
import { channelName } from "../../server/src/redis/names.ts";
import { slotOf } from "../../server/src/redis/slot.ts";
import { startRedisCluster } from "../helpers/redis-cluster.ts";
import { storeContract } from "./contract.ts";
import { age, connectPlain, createFixture, file, insist, keysOf, openFixture } from "./redis-fixture.ts";
import { appendAll, message, missedIds, positionIn } from "./subject.ts";

const cluster = await startRedisCluster(file);
const plain = cluster.masters.map(({ port }) => connectPlain(file, port));

storeContract("redis cluster", (historyOf) => {
  const { store, prefix } = createFixture([cluster.url], { historyOf, publish: true });
  return {
    store,
    async advance(ms) {
      for (const each of plain) await age(each, prefix, ms);
    },
    size: async () => (await Promise.all(plain.map((each) => keysOf(each, prefix)))).flat().length,
  };
});

test("what is published goes to the sharded channel in the stream's slot", async (t) => {
  const { store, prefix } = await openFixture(t, [cluster.url], { publish: true });
  const targets = [...Array.from({ length: 30 }, (_, i) => accountTarget("a", `${i}`)), roomTarget("a", "r"), appTarget("a")];
  const received = new Map<string, string>();
  const owners = new Set<number>();
  for (const each of targets) {
    const channel = channelName(prefix, each);
    const owner = await cluster.ownerOf(slotOf(channel));
    assert.ok(owner);
    owners.add(owner.port);
    const subscriber = connectPlain(t, owner.port);
    subscriber.on("smessage", (name: string, text: string) => void received.set(name, text));
    await subscriber.ssubscribe(channel);
    const arrived = once(subscriber, "smessage");
    const { position } = await store.append(each, message("m"), 60_000);
    await arrived;
    assert.equal(received.get(channel), encodeOnChannel(position, encodeBody(messageEnvelope(message("m"))), versionFor(1, each.kind)));
    subscriber.disconnect();
  }
  assert.equal(owners.size, 3, "they were on every master");
});

test("a master that is away takes only its own streams with it, and its streams are there again with it", async (t) => {
  const { store, prefix, links } = await openFixture(t, [cluster.url], { publish: true });
  const targets = Array.from({ length: 60 }, (_, i) => accountTarget("a", `${i}`));
  const lost = cluster.masters[2];
  assert.ok(lost);
  const ofLost = await Promise.all(targets.map(async (each) => (await cluster.ownerOf(slotOf(channelName(prefix, each))))?.port === lost.port));
  await Promise.all(targets.map((each) => store.append(each, message("m1"), 60_000)));
  // Without this the others refuse everything once they notice.
  for (const each of plain) await each.config("SET", "cluster-require-full-coverage", "no");
  await lost.kill();
  while (store.state().up) await sleep(10);
  const outcomes = await Promise.allSettled(targets.map((each) => store.append(each, message("m2"), 60_000)));
  assert.deepEqual(
    outcomes.map(({ status }) => status === "rejected"),
    ofLost,
  );
  await lost.start();
  const again = await Promise.all(targets.map((each) => insist(async () => store.append(each, message("m2"), 60_000))));
  assert.deepEqual(
    again.map(({ value: { position, duplicate } }) => [position?.offset, duplicate]),
    ofLost.map((was) => [2, !was]),
  );
  assert.equal(links.shards.length, 1);
});

test("streams of a moved slot are followed to where they are", async (t) => {
  const { store, prefix } = await openFixture(t, [cluster.url]);
  // A slot that holds no keys of other tests.
  const target = accountTarget("a", "moved");
  const slot = slotOf(channelName(prefix, target));
  const from = await cluster.ownerOf(slot);
  const to = cluster.masters.find((each) => each !== from);
  assert.ok(from && to);
  await positionIn(store, accountTarget("a", "another"));
  await cluster.moveSlot(slot, to);
  const start = await positionIn(store, target);
  await appendAll(store, target, ["m1", "m2"]);
  assert.deepEqual(await missedIds(store, target, start), ["m1", "m2"]);
  assert.equal((await keysOf(connectPlain(t, to.port), prefix)).length >= 2, true);
});
