// The Redis store on one server and on several: the contract, and what only Redis can show.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { decodeOnChannel, encodeBody, encodeOnChannel } from "../../server/src/protocol/codec.ts";
import { messageEnvelope, versionFor, type WireVersion } from "../../server/src/protocol/envelope.ts";
import { newMsgId } from "../../server/src/protocol/message.ts";
import { accountTarget, appTarget, roomTarget, targetId } from "../../server/src/protocol/target.ts";
import { channelName, slotKey } from "../../server/src/redis/names.ts";
import { MAX_ROOMS } from "../../server/src/store/store.ts";
import { startRedis } from "../helpers/redis-server.ts";
import { startSteadyRedis } from "../helpers/steady-redis.ts";
import { storeContract } from "./contract.ts";
import { age, connectPlain, createFixture, file, keysOf, openFixture } from "./redis-fixture.ts";
import { appendAll, idsOf, message, missedIds, positionIn, positionOf } from "./subject.ts";

const servers = [await startRedis(file), await startRedis(file)] as const;
const [first] = servers;
const urls = servers.map(({ url }) => url);
const plain = servers.map(({ port }) => connectPlain(file, port));
const [redis] = plain as [ReturnType<typeof connectPlain>];
const target = accountTarget("a", "one");

for (const [name, addresses, publish] of [
  ["redis", [first.url], false],
  ["redis that publishes", [first.url], true],
  ["redis in two shards", urls, false],
] as const)
  storeContract(name, (historyOf) => {
    const { store, prefix } = createFixture(addresses, { historyOf, publish });
    return {
      store,
      async advance(ms) {
        for (const each of plain) await age(each, prefix, ms);
      },
      size: async () => (await Promise.all(plain.map((each) => keysOf(each, prefix)))).flat().length,
    };
  });

test("two shards share the streams, and a shard that is away takes only its own with it", async (t) => {
  const own = await startSteadyRedis(t);
  const { store, prefix, links } = await openFixture(t, [first.url, own.url]);
  const targets = Array.from({ length: 200 }, (_, i) => accountTarget("a", `${i}`));
  await Promise.all(targets.map((each) => store.append(each, message("m"), 0)));
  const counts = await Promise.all(
    [redis, connectPlain(t, own.port)].map(async (each) => (await keysOf(each, prefix)).filter((name) => name.endsWith(":m")).length),
  );
  assert.equal(
    counts.reduce((sum, count) => sum + count),
    200,
  );
  assert.ok(Math.min(...counts) > 50, String(counts));
  await own.kill();
  while (store.state().up) await sleep(10);
  assert.match(store.state().detail, new RegExp(`^redis; 127.0.0.1:${own.port}: `));
  const outcomes = await Promise.allSettled(targets.map((each) => store.append(each, message("n"), 0)));
  for (const [i, { status }] of outcomes.entries()) assert.equal(status === "fulfilled", links.shardOf(targetId(targets[i] as typeof target)).index === 0);
  await own.start();
  while (!store.state().up) await sleep(10);
  assert.deepEqual(
    await Promise.all(targets.map(async (each) => (await store.append(each, message("o"), 0)).position?.offset)),
    outcomes.map(({ status }) => (status === "fulfilled" ? 3 : 2)),
  );
});

test("what is published is the channel form of the message, at its place, once", async (t) => {
  const { store, prefix } = await openFixture(t, [first.url], { publish: true });
  const subscriber = connectPlain(t, first.port);
  const received: string[] = [];
  subscriber.on("message", (_, text: string) => void received.push(text));
  await subscriber.subscribe(channelName(prefix, target));
  const sent = { msgId: newMsgId(), from: "sénder", event: 1 as const, data: '{"a":12345678901234567890, "b":"😀\\n"}', sendAt: 1_700_000_000_000 };
  const one = await store.append(target, sent, 0);
  const again = { ...sent, msgId: newMsgId() };
  const two = await store.append(target, again, 60_000);
  const repeated = await store.append(target, again, 60_000);
  assert.deepEqual([one.published, two.published, repeated.published, repeated.duplicate], [true, true, true, true]);
  const last = message("last");
  await store.append(target, last, 0);
  while (!received.at(-1)?.includes(last.msgId)) await once(subscriber, "message");
  const texts = [sent, again].map((each, i) => encodeOnChannel([one, two][i]?.position, encodeBody(messageEnvelope(each))));
  assert.deepEqual(received.slice(0, -1), texts, "the duplicate was not published again");
  assert.deepEqual(received.slice(0, -1).map(decodeOnChannel), [
    { position: one.position, envelope: messageEnvelope(sent) },
    { position: two.position, envelope: messageEnvelope(again) },
  ]);
});

test("every kind of target is published to its own channel, in the version that its readers are told to know", async (t) => {
  const targets = [accountTarget("a", "one"), roomTarget("a", "one"), appTarget("a")];
  for (const wireVersion of [1, 2] as WireVersion[]) {
    const { store, prefix } = await openFixture(t, [first.url], { publish: true, wireVersion });
    const subscriber = connectPlain(t, first.port);
    const received = new Map<string, string>();
    subscriber.on("message", (channel: string, text: string) => void received.set(channel, text));
    await subscriber.subscribe(...targets.map((each) => channelName(prefix, each)));
    for (const each of targets) {
      const { position } = await store.append(each, message("m"), 60_000);
      const channel = channelName(prefix, each);
      while (!received.has(channel)) await sleep(2);
      assert.equal(received.get(channel), encodeOnChannel(position, encodeBody(messageEnvelope(message("m"))), versionFor(wireVersion, each.kind)));
    }
    assert.equal(received.size, 3);
  }
});

test("a store that does not publish publishes nothing, and says so", async (t) => {
  const { store, prefix } = await openFixture(t, [first.url]);
  const subscriber = connectPlain(t, first.port);
  const received: string[] = [];
  subscriber.on("message", (_, text: string) => void received.push(text));
  await subscriber.subscribe(channelName(prefix, target));
  assert.equal((await store.append(target, message("m"), 60_000)).published, false);
  assert.equal((await store.append(target, message("m"), 60_000)).published, false);
  const mark = once(subscriber, "message");
  await redis.publish(channelName(prefix, target), "mark");
  await mark;
  assert.deepEqual(received, ["mark"]);
});

test("every key has a time to live and expires by itself", async (t) => {
  const own = await startRedis(t);
  const { store, prefix } = await openFixture(t, [own.url], { historyOf: () => ({ messages: 10, ms: 100 }), streamLifeMs: 200 });
  await store.claim({ app: "a", key: "k", bodyHash: "h", ttlMs: 100 }, "m1");
  await store.append(target, message("m1"), 100);
  await store.positions([accountTarget("a", "two")]);
  const before = connectPlain(t, own.port);
  assert.ok((await before.dbsize()) >= 5);
  await store.close();
  await before.del(`${prefix}:shards`);
  while ((await before.dbsize()) > 0) await sleep(10);
});

test("metadata outlives the history twice, and a day at least", async (t) => {
  const { store, prefix } = await openFixture(t, [first.url], { historyOf: () => ({ messages: 10, ms: 50 * 3_600_000 }) });
  await store.append(target, message("m1"), 0);
  assert.ok((await redis.pttl(slotKey(prefix, targetId(target), "m"))) > 99 * 3_600_000);
  const { store: short, prefix: other } = await openFixture(t, [first.url], { historyOf: () => ({ messages: 10, ms: 1_000 }) });
  await short.append(target, message("m1"), 0);
  assert.ok((await redis.pttl(slotKey(other, targetId(target), "m"))) > 23.9 * 3_600_000);
});

test("the times to live of a stream follow its own rule, also when it changes", async (t) => {
  const hours = new Map([
    ["short", 1],
    ["long", 20],
  ]);
  const { store, prefix } = await openFixture(t, [first.url], { historyOf: ({ name }) => ({ messages: 10, ms: (hours.get(name) ?? 0) * 3_600_000 }) });
  const hoursLeft = async (name: string) =>
    await Promise.all(
      ["m", "e"].map(async (suffix) => Math.round((await redis.pttl(slotKey(prefix, targetId(accountTarget("a", name)), suffix))) / 3_600_000)),
    );
  for (const name of hours.keys()) await store.append(accountTarget("a", name), message("m1"), 0);
  // A thirty-second more than its life, so that it is not renewed each time.
  assert.deepEqual(
    [await hoursLeft("short"), await hoursLeft("long")],
    [
      [25, 1],
      [41, 20],
    ],
  );
  hours.set("short", 48).set("long", 2);
  await store.positions([...hours.keys()].map((name) => accountTarget("a", name)));
  assert.deepEqual(
    [await hoursLeft("short"), await hoursLeft("long")],
    [
      [99, 1],
      [41, 20],
    ],
    "a longer life begins when it is asked for",
  );
  for (const name of hours.keys()) await store.append(accountTarget("a", name), message("m2"), 0);
  assert.deepEqual(
    [await hoursLeft("short"), await hoursLeft("long")],
    [
      [99, 48],
      [25, 2],
    ],
  );
});

test("however many rules there are, the scripts are the same", async (t) => {
  const own = await startRedis(t);
  const admin = connectPlain(t, own.port);
  const { store } = await openFixture(t, [own.url], { publish: true, historyOf: ({ name }) => ({ messages: Number(name), ms: 1_000 * Number(name) }) });
  const scripts = async () => Number(/number_of_cached_scripts:(\d+)/.exec(await admin.info("memory"))?.[1]);
  const useAll = async (name: string) => {
    const each = roomTarget("a", name);
    const start = await positionIn(store, each);
    await store.append(each, message("m1"), 60_000);
    await store.missed(each, start, 10);
    await store.latest(each, undefined, 10);
    await store.renew(each, start.epoch);
  };
  await useAll("0");
  assert.equal(await scripts(), 5);
  for (let i = 1; i <= 20; i++) await useAll(`${i}`);
  assert.equal(await scripts(), 5);
});

test("installations with other prefixes do not meet", async (t) => {
  const [one, two] = [await openFixture(t, [first.url]), await openFixture(t, [first.url])];
  await appendAll(one.store, target, ["m1", "m2"]);
  assert.equal((await positionIn(two.store, target)).offset, 0);
  await one.store.claim({ app: "a", key: "k", bodyHash: "h", ttlMs: 1_000 }, "m1");
  assert.equal((await two.store.claim({ app: "a", key: "k", bodyHash: "h", ttlMs: 1_000 }, "m2")).outcome, "fresh");
});

test("a server that has forgotten the scripts is sent them again, whatever is under way", async (t) => {
  const { store } = await openFixture(t, [first.url]);
  await appendAll(store, target, ["m0"]);
  for (let round = 0; round < 5; round++) {
    const appends = Array.from({ length: 40 }, (_, i) => store.append(target, message(`m${round}-${i}`), 60_000));
    await redis.script("FLUSH");
    const more = Array.from({ length: 40 }, (_, i) => store.append(target, message(`n${round}-${i}`), 60_000));
    const offsets = (await Promise.all([...appends, ...more])).map((each) => positionOf(each).offset).sort((a, b) => a - b);
    assert.deepEqual(
      offsets,
      Array.from({ length: 80 }, (_, i) => round * 80 + 2 + i),
    );
  }
});

test("an entry that nobody knows to read is skipped, and its loss shows", async (t) => {
  let poisoned = 0;
  const { store, prefix } = await openFixture(t, [first.url], { onPoison: () => void poisoned++ });
  const start = await positionIn(store, target);
  await appendAll(store, target, ["m1", "m2"]);
  const [entries, metadata] = ["e", "m"].map((suffix) => slotKey(prefix, targetId(target), suffix)) as [string, string];
  await redis.rpush(entries, "3 m2\nnot a message", "nothing but this");
  await redis.set(metadata, `${start.epoch} 4 m4`, "PX", 60_000);
  await appendAll(store, target, ["m5", "m6"]);
  assert.deepEqual(await missedIds(store, target, start), ["m1", "m2"], "the page ends before it");
  assert.equal(poisoned, 0);
  const behind = await store.missed(target, { ...start, offset: 2, msgId: "m2" }, 10);
  assert.equal(behind.outcome, "too_old");
  assert.deepEqual(behind.outcome === "too_old" && behind.entries.map((entry) => [entry.message.msgId, entry.position.offset]), [
    ["m5", 5],
    ["m6", 6],
  ]);
  assert.equal(poisoned, 2);
});

test("read back from the end, entries that nobody knows to read are skipped and counted, and a page of nothing else is stepped over", async (t) => {
  let poisoned = 0;
  const { store, prefix } = await openFixture(t, [first.url], { onPoison: () => void poisoned++ });
  const { epoch } = await positionIn(store, target);
  await appendAll(store, target, ["m1", "m2"]);
  const [entries, metadata] = ["e", "m"].map((suffix) => slotKey(prefix, targetId(target), suffix)) as [string, string];
  await redis.rpush(entries, "3 m2\nnot a message", "nothing but this", '5 m4\n{"kind":"later"}\n{}');
  await redis.set(metadata, `${epoch} 5 m5`, "PX", 60_000);
  await appendAll(store, target, ["m6"]);
  const read = async (before: number | undefined, limit: number) => {
    const { entries: found, more } = await store.latest(target, before, limit);
    return [idsOf(found), more];
  };
  assert.deepEqual([await read(undefined, 10), poisoned], [[["m1", "m2", "m6"], false], 3]);
  assert.deepEqual([await read(undefined, 3), poisoned], [[["m6"], true], 5]);
  assert.deepEqual([await read(6, 3), poisoned], [[["m1", "m2"], false], 8], "it begins with the next that can be read");
  assert.deepEqual(await read(4, 1), [["m2"], true]);
  await redis.ltrim(entries, 2, 4);
  assert.deepEqual(await read(undefined, 1), [[], false], "nothing can be read at all");
});

test("a hole in the entries ends the page, and shows", async (t) => {
  const { store, prefix } = await openFixture(t, [first.url]);
  const start = await positionIn(store, target);
  await appendAll(store, target, ["m1", "m2", "m3", "m4", "m5"]);
  const entries = slotKey(prefix, targetId(target), "e");
  await redis.lrem(entries, 1, (await redis.lindex(entries, 2)) as string);
  assert.deepEqual(await missedIds(store, target, start), ["m1", "m2"]);
  const behind = await store.missed(target, { ...start, offset: 2, msgId: "m2" }, 10);
  assert.equal(behind.outcome, "too_old");
  assert.deepEqual(behind.outcome === "too_old" && behind.entries.map((entry) => entry.position.offset), [4, 5]);
});

test("whatever goes missing from the entries, no offset is ever wrong", async (t) => {
  const { store, prefix } = await openFixture(t, [first.url], { historyOf: () => ({ messages: 8, ms: 60_000 }) });
  const entries = slotKey(prefix, targetId(target), "e");
  const start = await positionIn(store, target);
  const losses: ((count: number) => Promise<unknown>)[] = [
    () => redis.del(entries),
    () => redis.lpop(entries),
    () => redis.rpop(entries),
    async (count) => redis.lrem(entries, 1, (await redis.lindex(entries, count >> 1)) ?? ""),
    () => redis.ltrim(entries, -1, -1),
  ];
  for (let at = 1; at <= 60; at++) {
    await appendAll(store, target, [`m${at}`]);
    if (at % 4 === 0) await losses[(at / 4) % losses.length]?.(await redis.llen(entries));
    for (let after = 0; after <= at; after++) {
      for (const limit of [1, 3, 100]) {
        const reader = { ...start, offset: after, msgId: after === 0 ? "" : `m${after}` };
        const missed = await store.missed(target, reader, limit);
        assert.ok(missed.outcome !== "epoch_changed" && missed.entries.length <= limit);
        const offsets = missed.entries.map(({ position }) => position.offset);
        for (const { message, position } of missed.entries)
          assert.deepEqual([message.msgId, position.previous], [`m${position.offset}`, position.offset === 1 ? "" : `m${position.offset - 1}`]);
        if (after < at) assert.equal(missed.outcome, offsets[0] === after + 1 ? "complete" : "too_old");
        assert.deepEqual(
          offsets,
          offsets.map((_, i) => (offsets[0] as number) + i),
        );
      }
    }
    await readBackwards(at, start.epoch);
  }

  /** In pages of every size: everything that is left and to be shown, newest page first, whatever holes there are. */
  async function readBackwards(last: number, epoch: string): Promise<void> {
    const left = (await redis.lrange(entries, -8, -1)).map((entry) => Number.parseInt(entry, 10));
    for (const limit of [1, 2, 3, 100]) {
      const found: number[] = [];
      for (let before: number | undefined, more = true; more; ) {
        const page = await store.latest(target, before, limit);
        assert.deepEqual(page.position, { epoch, offset: last, msgId: `m${last}` });
        assert.ok(page.entries.length <= limit && (page.entries.length > 0 || !page.more));
        for (const { message, position } of page.entries) assert.equal(message.msgId, `m${position.offset}`);
        found.unshift(...page.entries.map(({ position }) => position.offset));
        before = page.entries[0]?.position.offset;
        more = page.more;
      }
      assert.deepEqual(found, left);
    }
  }
});

test("readers see exactly as many entries as are to be kept, and Redis holds few more", async (t) => {
  const { store, prefix } = await openFixture(t, [first.url], { historyOf: () => ({ messages: 16, ms: 60_000 }) });
  const start = await positionIn(store, target);
  for (let at = 1; at <= 60; at++) {
    await appendAll(store, target, [`m${at}`]);
    const missed = await store.missed(target, start, 100);
    assert.ok(missed.outcome !== "epoch_changed");
    assert.deepEqual(
      [missed.outcome, missed.entries.length, missed.entries.at(-1)?.position.offset],
      [at <= 16 ? "complete" : "too_old", Math.min(at, 16), at],
    );
    assert.ok((await redis.llen(slotKey(prefix, targetId(target), "e"))) <= 18);
  }
});

test("an append that keeps no history leaves none behind that would be counted wrongly", async (t) => {
  const { store, prefix } = await openFixture(t, [first.url]);
  const { store: without } = await openFixture(t, [first.url], { prefix, historyOf: () => ({ messages: 0, ms: 0 }) });
  const start = await positionIn(store, target);
  await appendAll(store, target, ["m1", "m2"]);
  await appendAll(without, target, ["m3"]);
  assert.deepEqual(await store.missed(target, { ...start, offset: 1, msgId: "m1" }, 10), { outcome: "too_old", entries: [] });
  await appendAll(store, target, ["m4", "m5"]);
  assert.deepEqual(await missedIds(store, target, { ...start, offset: 3, msgId: "m3" }), ["m4", "m5"]);
  const behind = await store.missed(target, start, 1);
  assert.deepEqual(behind.outcome === "too_old" && behind.entries.map(({ position }) => position.offset), [4]);
});

test("a stream of one short message costs a few hundred bytes of Redis", async (t) => {
  const own = await startRedis(t);
  const { store } = await openFixture(t, [own.url]);
  const used = async () => Number(/used_memory_dataset:(\d+)/.exec(await connectPlain(t, own.port).info("memory"))?.[1]);
  const before = await used();
  const targets = Array.from({ length: 2_000 }, (_, i) => accountTarget("a", `${i}`));
  for (let at = 0; at < targets.length; at += 50)
    await Promise.all(targets.slice(at, at + 50).map((each) => store.append(each, message(newMsgId(), `{"text":"${"x".repeat(100)}"}`), 0)));
  const bytes = ((await used()) - before) / targets.length;
  assert.ok(bytes < 1_000, `${bytes} bytes`);
});

test("asking again and again where streams are writes nothing", async (t) => {
  // Its own server: on the shared one, keys of other tests expire, and that is written.
  const own = await startRedis(t);
  const admin = connectPlain(t, own.port);
  const { store } = await openFixture(t, [own.url]);
  const targets = Array.from({ length: 250 }, (_, i) => accountTarget("a", `${i}`));
  const writes = async () => Number(/aof_current_size:(\d+)/.exec(await admin.info("persistence"))?.[1]);
  await store.positions(targets);
  const before = await writes();
  for (let i = 0; i < 5; i++) await store.positions(targets);
  assert.equal(await writes(), before);
});

test("everything wiped shows as another epoch", async (t) => {
  const own = await startRedis(t);
  const { store } = await openFixture(t, [own.url]);
  await appendAll(store, target, ["m1", "m2"]);
  const before = await positionIn(store, target);
  await connectPlain(t, own.port).flushall();
  const missed = await store.missed(target, before, 10);
  assert.ok(missed.outcome === "epoch_changed");
  assert.notEqual(missed.current.epoch, before.epoch);
  assert.equal(missed.current.offset, 0);
  assert.deepEqual((await appendAll(store, target, ["m3"]))[0], { epoch: missed.current.epoch, offset: 1, previous: "" });
});

test("metadata that is evicted takes the old entries with it", async (t) => {
  const { store, prefix } = await openFixture(t, [first.url]);
  for (const again of ["append", "ask"]) {
    await appendAll(store, target, ["m1", "m2", "m3"]);
    await redis.del(slotKey(prefix, targetId(target), "m"));
    if (again === "append") assert.equal((await appendAll(store, target, ["m4"]))[0]?.offset, 1);
    else assert.equal((await positionIn(store, target)).offset, 0);
    const { epoch } = await positionIn(store, target);
    assert.deepEqual(await missedIds(store, target, { epoch, offset: 0, msgId: "" }), again === "append" ? ["m4"] : []);
  }
});

const OF_MEMBERS = ["sadd", "srem", "scard", "sismember", "smembers", "zadd", "zrem", "zrange"];

test("nothing that is sent needs a Redis newer than 6.2", async (t) => {
  const own = await startRedis(t);
  const { store } = await openFixture(t, [own.url], { publish: true, historyOf: () => ({ messages: 1, ms: 60_000 }) });
  const monitor = await connectPlain(t, own.port).monitor();
  monitor.on("error", () => {});
  t.after(() => monitor.disconnect());
  const seen = new Map<string, string[][]>();
  monitor.on("monitor", (_, args: string[]) => {
    const name = (args[0] as string).toLowerCase();
    seen.set(name, [...(seen.get(name) ?? []), args]);
  });
  await store.claim({ app: "a", key: "k", bodyHash: "h", ttlMs: 1_000 }, "m");
  await store.claim({ app: "a", key: "k", bodyHash: "h", ttlMs: 1_000 }, "m");
  const start = await positionIn(store, target);
  for (let i = 0; i < 4; i++) await store.append(target, message(`m${i >> 1}`), 60_000);
  await store.missed(target, start, 10);
  await store.latest(target, 2, 10);
  await store.renew(target, start.epoch);
  await store.addMembers("a", "r", ["one"]);
  for (let room = 0; room < MAX_ROOMS; room++) await store.addMembers("a", `${room}`, ["full"]).catch(() => {});
  await store.addMembers("a", "0", ["full"]);
  await store.members("a", "r", "on", 10);
  await store.roomsOf("a", ["one"]);
  await store.removeMembers("a", "r", ["one"]);
  const end = connectPlain(t, own.port);
  await end.ping("the end");
  while (!seen.get("ping")?.some(([, text]) => text === "the end")) await sleep(5);
  const names = [...seen.keys()];
  for (const name of ["eval", "evalsha", "get", "set", "rpush", "ltrim", "llen", "lrange", "pexpire", "publish", ...OF_MEMBERS])
    assert.ok(names.includes(name), `${name} of ${names}`);
  for (const name of names) {
    const [, docs] = (await end.call("COMMAND", "DOCS", name)) as [string, unknown[]];
    const since = String(docs[docs.indexOf("since") + 1]);
    assert.ok(!newer(since), `${name} is there since ${since}`);
    const tokens = newTokens(docs);
    for (const args of seen.get(name) ?? []) for (const token of tokens) assert.ok(!args.includes(token), `${name} ${token}`);
  }
});

/** Later than 6.2. */
function newer(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 6 || (major === 6 && minor > 2);
}

/** The words that a command knows only since a later version. */
function newTokens(docs: unknown): string[] {
  if (!Array.isArray(docs)) return [];
  const member = (name: string) => (docs.includes(name) ? docs[docs.indexOf(name) + 1] : undefined);
  const own = typeof member("token") === "string" && newer(String(member("since") ?? "0")) ? [String(member("token"))] : [];
  return [...own, ...docs.flatMap(newTokens)];
}
