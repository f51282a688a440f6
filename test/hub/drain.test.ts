// Emptying a node: who is told what, and with which code each connection is closed.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { drain } from "../../server/src/hub/drain.ts";
import type { Hub } from "../../server/src/hub/hub.ts";
import { createMetrics } from "../../server/src/metrics/metrics.ts";
import { createBench, type Joined, listen } from "./sockets.ts";

/** What a drain needs of a hub. */
function hubOf(joined: readonly Joined[]): Hub {
  const left = new Set(joined);
  for (const each of joined) each.socket.on("close", () => left.delete(each));
  return {
    get count() {
      return left.size;
    },
    all: () => [...left].map(({ connection }) => connection),
  } as unknown as Hub;
}

const options = () => ({ now: Date.now, metrics: createMetrics("test"), signal: new AbortController().signal });

test("v2 clients are told at once and closed with 4200 and a hint, classic ones with 1012", async (t) => {
  const join = await listen(t, createBench());
  const [full, classic, last] = [await join({ protocol: "v2" }), await join({ protocol: "classic" }), await join({ protocol: "v2" })];
  await drain(hubOf([full, classic, last]), { ...options(), windowMs: 150, random: () => 0.999 });
  assert.deepEqual(await full.closed, { code: 4200, reason: '{"retry_after_ms":500}' });
  assert.deepEqual(await classic.closed, { code: 1012, reason: "server restarts" });
  assert.equal((await last.closed).code, 4200);
  assert.deepEqual([full.texts, classic.texts, last.texts], [['{"op":"drain","within_ms":150}'], [], ['{"op":"drain","within_ms":150}']]);
});

test("the last to go hears of the drain when it begins", async (t) => {
  const join = await listen(t, createBench());
  const joined = [await join(), await join(), await join()];
  const stop = new AbortController();
  const drained = drain(hubOf(joined), { ...options(), windowMs: 3_600_000, signal: stop.signal });
  await once((joined[2] as Joined).client, "message");
  assert.equal((joined[2] as Joined).client.readyState, 1);
  stop.abort();
  await drained;
  for (const { closed } of joined) assert.ok([1006, 4200].includes((await closed).code));
});

test("hints differ, so that those who are closed together do not come back together", async (t) => {
  const join = await listen(t, createBench());
  const joined = await Promise.all(Array.from({ length: 8 }, () => join()));
  await drain(hubOf(joined), { ...options(), windowMs: 0 });
  const hints = await Promise.all(joined.map(async ({ closed }) => (JSON.parse((await closed).reason) as { retry_after_ms: number }).retry_after_ms));
  for (const hint of hints) assert.ok(Number.isInteger(hint) && hint >= 0 && hint <= 500);
  assert.ok(new Set(hints).size > 1);
});
