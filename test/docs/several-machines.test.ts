// README.md, Several machines: the ACL line is all that a Redis user needs, on one server and on a Cluster, and the configurations are sound.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { inspectConfig } from "../../server/src/config/load.ts";
import { makeFolder } from "../config/folder.ts";
import { connect, push } from "../helpers/client.ts";
import { type RedisServer, startRedis } from "../helpers/redis-server.ts";
import { startServer } from "../helpers/server.ts";
import { codeBlocks, ROOT, readDocument, section } from "./markdown.ts";

const chapter = section(readDocument("README.md"), "Several machines");
const LINE =
  codeBlocks(chapter)
    .find(({ text }) => text.startsWith("ACL SETUSER "))
    ?.text.trim() ?? assert.fail("no ACL line");
const CLUSTER = /on a Cluster, on each of its nodes, in addition `([^`]+)`/.exec(chapter)?.[1] ?? assert.fail("no addition for a Cluster");

type Context = Parameters<typeof startRedis>[0];

/** A Redis whose user xlvein may do what the document says; its own log tells what was refused. */
async function startRestricted(t: Context, more: readonly string[] = [], args: readonly string[] = []) {
  const rules = [LINE.replace("ACL SETUSER xlvein reset ", "user xlvein ").replace(">PASSWORD", ">p@ss"), ...more].join(" ");
  const file = join(makeFolder(t, { "users.acl": `user default on nopass ~* &* +@all\n${rules}\n` }), "users.acl");
  const redis = await startRedis(t, ["--aclfile", file, ...args]);
  const admin = new Redis({ host: "127.0.0.1", port: redis.port });
  t.after(() => admin.disconnect());
  return { redis, admin };
}

/** Two nodes do everything that touches Redis: subscribe, push, repeat a push, lose the broker, repair, unsubscribe. */
async function useAll(t: Context, address: string, redis: RedisServer, ready: () => Promise<void>): Promise<void> {
  await ready();
  const exchange = { type: "redis", redis: address, probe_seconds: 0.2 };
  const [one, two] = [await startServer(t, { config: { exchange } }), await startServer(t, { config: { exchange } })];
  const client = await connect(t, one.url);
  for (const duplicate of [false, true]) {
    const answer = await push(two.url, ["user_1"], { n: 1 }, { idempotency_key: "once" });
    assert.deepEqual([answer.status, ((await answer.json()) as { duplicate: boolean }).duplicate], [200, duplicate]);
  }
  assert.deepEqual((await client.next()).data, { n: 1 });
  await redis.kill();
  await redis.start();
  await ready();
  while (!(await push(two.url, ["user_1"], { n: 2 }, { idempotency_key: "after" })).ok) await sleep(50);
  assert.deepEqual((await client.next()).data, { n: 2 });
  client.socket.close();
  const other = await connect(t, two.url, { account: "user_2" });
  other.socket.close();
  await other.closed;
}

async function refusedOn(admin: Redis): Promise<unknown[]> {
  return (await admin.call("ACL", "LOG")) as unknown[];
}

test("a user with the documented ACL line can do all that nodes do on one server, and nothing is refused", async (t) => {
  const { redis, admin } = await startRestricted(t);
  await useAll(t, `redis://xlvein:p@ss@127.0.0.1:${redis.port}/1`, redis, async () => {});
  assert.deepEqual(await refusedOn(admin), []);
});

test("with the documented addition the same user works on a Cluster", async (t) => {
  const { redis, admin } = await startRestricted(t, CLUSTER.split(" "), ["--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1"]);
  await admin.call("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
  await useAll(t, `redis+cluster://xlvein:p@ss@127.0.0.1:${redis.port}`, redis, async () => {
    while (!String(await admin.call("CLUSTER", "INFO")).includes("cluster_state:ok")) await sleep(20);
  });
  assert.deepEqual(await refusedOn(admin), []);
});

test("the line allows no command that the code does not use", () => {
  const scripts = readFileSync(join(ROOT, "server/src/store/redis-scripts.ts"), "utf8");
  const inScripts = [...scripts.matchAll(/redis\.call\("([A-Z]+)"/g)].map(([, name = ""]) => `+${name.toLowerCase()}`);
  assert.ok(inScripts.length > 8);
  // What connections need: the shard list (get, set), the scripts themselves, the watch, the subscriptions, the database.
  const ofConnections = ["get", "set", "eval", "evalsha", "ping", "role", "info", "select", "client|setname", "publish", "subscribe", "unsubscribe"].map(
    (name) => `+${name}`,
  );
  const allowed = LINE.split(" ").filter((word) => word.startsWith("+"));
  assert.deepEqual(allowed.toSorted(), [...new Set([...inScripts, ...ofConnections])].toSorted());
  assert.doesNotMatch(`${LINE} ${CLUSTER}`, /\+@|allkeys|allchannels|~\*|&\*/);
});

test("the Compose example gives its user the same rights", () => {
  const script = readFileSync(join(ROOT, "examples/compose-secrets.sh"), "utf8");
  const rights = LINE.slice(LINE.indexOf("~xlvein:*"));
  assert.ok(script.includes(`>$redis_password ${rights}\n`));
});

test("the chapter's configurations can be used as they stand", (t) => {
  const blocks = codeBlocks(chapter).filter(({ language }) => language === "yaml");
  assert.equal(blocks.length, 2);
  for (const { text } of blocks) {
    const { findings, config } = inspectConfig({ env: {}, cwd: makeFolder(t, { "conf.yaml": text }) });
    assert.deepEqual(findings, []);
    assert.equal(config.store.type, "redis");
  }
});
