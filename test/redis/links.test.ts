// The connections to Redis: who is refused and why, what happens when a server goes and comes, and what is never waited for.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { Redis } from "ioredis";
import { createRedisLinks } from "../../server/src/redis/connect.ts";
import type { RedisLinks } from "../../server/src/redis/links.ts";
import { shardListKey } from "../../server/src/redis/shard-list.ts";
import { memoryLog, silent, within } from "../exchange/redis-node.ts";
import { startRedisProxy } from "../helpers/redis-proxy.ts";
import { startRedis } from "../helpers/redis-server.ts";

const timeout = 30_000;

function links(t: TestContext, ...addresses: string[]): RedisLinks {
  const created = createRedisLinks({ addresses, prefix: "p", log: silent });
  t.after(() => created.close());
  return created;
}

async function refused(t: TestContext, message: RegExp, ...addresses: string[]): Promise<void> {
  const start = performance.now();
  await assert.rejects(links(t, ...addresses).open(), (error: Error) => message.test(error.message) && !/hunter2/.test(error.message) && !("command" in error));
  assert.ok(performance.now() - start < 2_000);
}

test("an id's commands go to its shard, and each shard's are answered", { timeout }, async (t) => {
  const servers = [await startRedis(t), await startRedis(t)];
  const both = links(t, ...servers.map(({ url }) => url));
  await both.open();
  for (let n = 0; n < 50; n++) await both.shardOf(`id-${n}`).commands.set(`key-${n}`, String(n));
  const counts = await Promise.all(both.shards.map(async ({ commands }) => (await commands.keys("key-*")).length));
  assert.equal(
    counts.reduce((sum, count) => sum + count),
    50,
  );
  assert.ok(counts.every((count) => count > 5));
  for (let n = 0; n < 50; n++) assert.equal(await both.shardOf(`id-${n}`).commands.get(`key-${n}`), String(n));
});

test("a wrong password, a missing one and a database that is not there are refused for good, in words that hold no secret", { timeout }, async (t) => {
  const server = await startRedis(t, ["--requirepass", "hunter2"]);
  await refused(t, /Redis 127\.0\.0\.1:\d+: the user or password is refused \(WRONGPASS\)/, `redis://:hunter2x@127.0.0.1:${server.port}`);
  await refused(t, /Redis 127\.0\.0\.1:\d+: a password is asked for/, server.url);
  await refused(t, /the database does not exist/, `redis://:hunter2@127.0.0.1:${server.port}/99`);
  const other = await startRedis(t);
  await refused(t, /^the 2nd address Redis 127\.0\.0\.1:\d+: the user or password/, other.url, `redis://:hunter2x@127.0.0.1:${server.port}`);
});

test("what is not what the address says is refused with the address to write", { timeout }, async (t) => {
  const [plain, node] = [await startRedis(t), await startRedis(t, ["--cluster-enabled", "yes"])];
  await refused(t, /write redis:\/\/ without \+cluster/, `redis+cluster://127.0.0.1:${plain.port}`);
  await refused(t, /it is a node of a Cluster: write redis\+cluster:\/\//, node.url);
});

test("a Redis before 6.2 is refused with its version", { timeout }, async (t) => {
  for (const [version, message] of [
    ["6.0.16", /it runs Redis 6\.0\.16, and 6\.2 or later is needed/],
    ["", /it runs a Redis before 6/],
  ] as const) {
    const port = await startOldRedis(t, version);
    await refused(t, message, `127.0.0.1:${port}`);
  }
});

test("nodes that share their load over different lists refuse to work side by side, and name both lists", { timeout }, async (t) => {
  const servers = [await startRedis(t), await startRedis(t), await startRedis(t)] as const;
  const [a, b, c] = servers.map(({ url }) => url.replace("//", "//default:hunter2@")) as [string, string, string];
  await links(t, a, b).open();
  await links(t, b, a.replace("default:hunter2@", "")).open();
  const ports = servers.map(({ port }) => port);
  await refused(
    t,
    new RegExp(`used with the addresses \\[127.0.0.1:(${ports[0]}|${ports[1]}) 127.0.0.1:\\d+\\], and here with \\[.*127.0.0.1:${ports[2]}`),
    a,
    c,
  );
  await refused(t, /used with the addresses/, a);
  await refused(t, /used with the addresses/, a, b, c);
});

test("a second shard beside one that was alone is noticed; one alone may go by another name", { timeout }, async (t) => {
  const [first, second] = [await startRedis(t), await startRedis(t)];
  await links(t, first.url).open();
  await links(t, `localhost:${first.port}`).open();
  await refused(t, /used with the addresses/, first.url, second.url);
});

test("it leaves nothing behind but the shard list, and that not for ever", { timeout }, async (t) => {
  const server = await startRedis(t);
  const opened = links(t, server.url);
  await opened.open();
  const { commands } = opened.shards[0] ?? assert.fail();
  assert.deepEqual(await commands.keys("*"), [shardListKey("p")]);
  const ttl = await commands.pttl(shardListKey("p"));
  assert.ok(ttl > 24 * 3_600_000 && ttl <= 25 * 3_600_000);
});

test("a server that is not there yet: it opens within about two seconds, tells why it is down, and when it is up", { timeout }, async (t) => {
  const server = await startRedis(t);
  await server.kill();
  const opened = links(t, server.url);
  const start = performance.now();
  t.after(() => opened.close());
  await Promise.all([opened.open(), opened.open()]);
  const took = performance.now() - start;
  assert.ok(took > 1_500 && took < 2_800, `${took}`);
  const [shard] = opened.shards;
  assert.equal(shard?.up, false);
  assert.match(shard?.detail ?? "", /ECONNREFUSED/);
  const changes: boolean[] = [];
  const stop = opened.onChange(({ up }) => void changes.push(up));
  await server.start();
  await within(1_000, "up", () => shard?.up === true);
  await server.kill();
  await within(500, "down", () => shard?.up === false);
  await assert.rejects(async () => shard?.commands.get("x"));
  assert.deepEqual(changes, [true, false]);
  stop();
  await server.start();
  await within(1_000, "up", () => shard?.up === true);
  assert.deepEqual(changes, [true, false]);
});

test("a server that stops answering is down within three seconds, and commands reject by then", { timeout }, async (t) => {
  const server = await startRedis(t);
  const opened = links(t, server.url);
  await opened.open();
  const [shard] = opened.shards;
  server.pause();
  const down = within(3_000, "down", () => shard?.up === false);
  for (let n = 0; n < 3; n++) {
    const start = performance.now();
    await assert.rejects(async () => shard?.commands.incr("n"));
    assert.ok(performance.now() - start < 3_000);
  }
  await down;
  server.resume();
  await within(4_000, "up", () => shard?.up === true);
});

test("a reply that is lost is never made up for by sending again", { timeout }, async (t) => {
  const server = await startRedis(t);
  const proxy = await startRedisProxy(t, server.port);
  const opened = links(t, proxy.url);
  await opened.open();
  const [shard] = opened.shards;
  const direct = new Redis({ port: server.port });
  t.after(() => direct.disconnect());
  const accepted = proxy.accepted;
  for (let n = 0; n < 20; n++) {
    const answered = shard?.commands.incr("n").catch(() => {});
    await direct.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    await answered;
    await within(3_000, "up", () => shard?.up === true && shard.commands.status === "ready");
  }
  assert.ok(proxy.accepted >= accepted + 10);
  assert.ok(Number(await direct.get("n")) <= 20);
});

test("the commands reconnect when the server says READONLY", { timeout }, async (t) => {
  const server = await startRedis(t);
  const opened = links(t, server.url);
  await opened.open();
  const [shard] = opened.shards;
  const direct = new Redis({ port: server.port });
  t.after(() => direct.disconnect());
  await direct.call("REPLICAOF", "127.0.0.1", "1");
  await assert.rejects(async () => shard?.commands.set("a", "b"), /READONLY/);
  await within(1_000, "down", () => shard?.up === false);
  await within(2_000, "reason", () => /replica/.test(shard?.detail ?? ""));
  await direct.call("REPLICAOF", "NO", "ONE");
  await within(3_000, "up", () => shard?.up === true);
  assert.equal(await shard?.commands.set("a", "b"), "OK");
});

test("it closes when the last of its users does, and then nothing is left open", { timeout }, async (t) => {
  const server = await startRedis(t);
  const shared = createRedisLinks({ addresses: [server.url], prefix: "p", log: silent });
  await Promise.all([shared.open(), shared.open()]);
  await shared.close();
  assert.equal(await shared.shards[0]?.commands.ping(), "PONG");
  await shared.close();
  await assert.rejects(async () => shared.shards[0]?.commands.ping());
  await shared.close();
  await assert.rejects(shared.open(), /closed/);
});

test("a user with the documented rights and no others is enough", { timeout }, async (t) => {
  const server = await startRedis(t);
  const admin = new Redis({ port: server.port });
  t.after(() => admin.disconnect());
  const rights = "on >hunter2 ~p:* &p:* -@all +hello +auth +ping +info +role +select +client|setname +get +set +publish +subscribe +unsubscribe";
  await admin.call("ACL", "SETUSER", "xlvein", ...rights.split(" "));
  const { log, lines } = memoryLog();
  const opened = createRedisLinks({ addresses: [`redis://xlvein:hunter2@127.0.0.1:${server.port}`], prefix: "p", log });
  t.after(() => opened.close());
  await opened.open();
  assert.equal(opened.shards[0]?.up, true);
  assert.equal(await opened.shards[0]?.commands.publish("p:x", "y"), 0);
  await admin.call("ACL", "SETUSER", "xlvein", "-get", "-set");
  await refused(t, /the user may not do what is needed; .*\(NOPERM\)/, `redis://xlvein:hunter2@127.0.0.1:${server.port}`);
  assert.doesNotMatch(lines.join(""), /hunter2/);
});

/** Answers as a Redis of that version would; "" is one that does not know HELLO. */
async function startOldRedis(t: TestContext, version: string): Promise<number> {
  const sockets = new Set<Socket>();
  const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("data", (data) => {
      for (const [name] of String(data).matchAll(/(?<=^\*\d+\r\n\$\d+\r\n)\w+/gm)) {
        const command = name.toLowerCase();
        if (command === "hello" && version === "") socket.write("-ERR unknown command `HELLO`\r\n");
        else if (command === "hello") socket.write(`%2\r\n${bulk("version")}${bulk(version)}${bulk("mode")}${bulk("standalone")}`);
        else if (command === "info") socket.write(bulk("redis_version:0\r\nloading:0"));
        else socket.write("+OK\r\n");
      }
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as { port: number }).port;
}
