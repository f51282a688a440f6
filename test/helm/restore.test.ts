// Backup and restore of the embedded Redis as docs/operations.md tells them: the commands of that page, run against the chart's own configuration.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { cp, readdir, rm, truncate } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { apiToken, push } from "../helpers/client.ts";
import { startServer } from "../helpers/server.ts";
import { connectV2 } from "../helpers/v2-client.ts";
import { ROOT, render, withFolder } from "./chart.ts";
import { type EmbeddedRedis, embeddedRedis } from "./embedded-redis.ts";

const page = readFileSync(join(ROOT, "docs/operations.md"), "utf8");
const [backup = "", restore = ""] = [...page.matchAll(/^kubectl -n NS exec (?:-i )?NAME-redis-0 -- sh -ec '\n(.*?)' [<>] backup\.rdb$/gms)].map(
  ([, script]) => script,
);
const objects = await render({ ci: "rabbitmq-embedded", values: { bootstrapSecrets: { mode: "lookup" } } });

/** Runs a script of that page as `kubectl exec` would in the pod, with these bytes as its input. */
async function exec({ data, port, password }: EmbeddedRedis, script: string, input: Uint8Array = new Uint8Array()): Promise<{ code: number; output: Buffer }> {
  const here = script.replaceAll("/data", data).replaceAll("valkey-cli", `redis-cli -p ${port}`).replaceAll("valkey-check", "redis-check");
  const child = spawn("sh", ["-ec", here], { stdio: ["pipe", "pipe", "ignore"], env: { ...process.env, REDISCLI_AUTH: password } });
  child.stdin.end(input);
  const exit = once(child, "exit");
  const output = await buffer(child.stdout);
  return { code: (await exit)[0] as number, output };
}

/** Runs a server on it until `work` is done. */
async function serving<T>({ port, password }: EmbeddedRedis, work: (t: Pick<TestContext, "after">, url: string) => Promise<T>): Promise<T> {
  const ends: (() => unknown)[] = [];
  const t = { after: (end: () => unknown) => void ends.unshift(end) } as Pick<TestContext, "after">;
  try {
    const { url } = await startServer(t, { config: { exchange: { type: "redis", redis: `redis://:${password}@127.0.0.1:${port}/0` } } });
    return await work(t, url);
  } finally {
    for (const end of ends) await end();
  }
}

async function pushEach(url: string, numbers: readonly number[]): Promise<void> {
  for (const n of numbers) assert.equal((await push(url, ["alice"], { n })).status, 200);
}

async function historyOf(url: string): Promise<number[]> {
  const answer = await fetch(`${url}/api/v1/accounts/alice/history`, { headers: { authorization: `Bearer ${apiToken()}` } });
  return ((await answer.json()) as { messages: { data: { n: number } }[] }).messages.map(({ data }) => data.n);
}

test("a copy that is taken while Redis serves is restored over what came later, and clients that are ahead of it are told", async (t) => {
  await withFolder(async (folder) => {
    const redis = await embeddedRedis(t, objects, folder);
    await redis.start();
    const { copy, position } = await serving(redis, async (inner, url) => {
      await pushEach(url, [1, 2, 3]);
      const { code, output } = await exec(redis, backup);
      assert.equal(code, 0);
      const alice = await connectV2(inner, url, { account: "alice" });
      await pushEach(url, [4, 5]);
      await alice.next();
      return { copy: output, position: await alice.next() };
    });
    assert.deepEqual(await readdir(redis.data), ["appendonlydir"]);

    assert.notEqual((await exec(redis, restore, copy.subarray(0, copy.length / 2))).code, 0);
    assert.deepEqual(await serving(redis, (_t, url) => historyOf(url)), [1, 2, 3, 4, 5]);

    const over = redis.ended();
    await exec(redis, restore, copy);
    assert.equal(await over, 0);
    await redis.start();
    assert.ok(existsSync(join(redis.data, "replaced")));
    await serving(redis, async (inner, url) => {
      assert.deepEqual(await historyOf(url), [1, 2, 3]);
      const { epoch, offset, msg_id } = position as { epoch?: string; offset?: number; msg_id?: string };
      const back = await connectV2(inner, url, { account: "alice", query: { account_position: `${epoch}:${offset}:${msg_id}` } });
      const { recovered, reason } = (back.hello["streams"] as { account: { recovered: boolean; reason?: string } }).account;
      assert.deepEqual([recovered, reason], [false, "epoch_changed"]);
      await pushEach(url, [6]);
      assert.deepEqual((await back.next()).data, { n: 6 });
      assert.deepEqual(await historyOf(url), [1, 2, 3, 6]);
    });
    assert.equal(await redis.stop(), 0);
    await redis.start();
    assert.deepEqual(await serving(redis, (_t, url) => historyOf(url)), [1, 2, 3, 6]);
    await redis.stop();
  });
});

test("a snapshot of the volume that caught Redis in the middle of a write is one that it starts from", async (t) => {
  await withFolder(async (folder) => {
    const redis = await embeddedRedis(t, objects, folder);
    await redis.start();
    await serving(redis, (_t, url) => pushEach(url, [1, 2, 3]));
    await redis.ask(["set", "last", "x".repeat(1_000)]);
    const snapshot = join(folder, "snapshot");
    await cp(redis.data, snapshot, { recursive: true });
    const file = join(snapshot, "appendonlydir/appendonly.aof.1.incr.aof");
    await truncate(file, readFileSync(file).length - 500);
    await redis.stop();

    await rm(redis.data, { recursive: true });
    await cp(snapshot, redis.data, { recursive: true });
    await redis.start();
    assert.deepEqual(await serving(redis, (_t, url) => historyOf(url)), [1, 2, 3]);
    assert.equal((await redis.ask(["exists", "last"])).stdout, "0\n");
    await redis.stop();
  });
});
