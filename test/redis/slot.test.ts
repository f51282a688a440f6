// Slots as a real Redis counts them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Redis } from "ioredis";
import { slotKey } from "../../server/src/redis/names.ts";
import { slotOf } from "../../server/src/redis/slot.ts";
import { startRedis } from "../helpers/redis-server.ts";

test("slots and hash tags are those of Redis", async (t) => {
  const server = await startRedis(t, ["--cluster-enabled", "yes"]);
  const redis = new Redis({ port: server.port, enableReadyCheck: false });
  t.after(() => redis.disconnect());
  const keys = ["", "123456789", "{}", "{a}", "{a}b", "a{b}c{d}", "{", "}", "a}{b", "{}{a}", "用户{名}", "\n", slotKey("xlvein", "x", "c"), "x".repeat(4_096)];
  for (let n = 0; n < 200; n++) keys.push(`key:${n * 7_919}`);
  for (const key of keys) assert.equal(slotOf(key), await redis.cluster("KEYSLOT", key), JSON.stringify(key));
});
