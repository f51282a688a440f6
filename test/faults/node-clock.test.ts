// The clocks of nodes differ by minutes: no message is lost, repeated or misordered for it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import jwt from "jsonwebtoken";
import { SECRET } from "../helpers/server.ts";
import { startSteadyRedis } from "../helpers/steady-redis.ts";
import { startLoad } from "./harness/load.ts";
import { redisConfig, startNodes } from "./harness/nodes.ts";
import { startReceivers } from "./harness/receivers.ts";
import { settle } from "./harness/until.ts";
import { describeVerdict, FAULTLESS, faultsOf, judge } from "./harness/verdict.ts";

const ACCOUNTS = Array.from({ length: 30 }, (_, i) => `user_${i}`);
const SHIFTS_MS = [0, 600_000, -600_000];
const SHIM = new URL("./harness/clock.ts", import.meta.url).href;

/** Of an hour and without `iat`, which a clock that is behind would refuse. */
function tokenOf(account: string): string {
  return jwt.sign({ sub: account }, SECRET, { expiresIn: 3_600, noTimestamp: true });
}

test("nodes whose clocks are ten minutes ahead and behind deliver everything once and in order, through an outage too", async (t) => {
  const redis = await startSteadyRedis(t);
  const nodes = await startNodes(t, 3, {
    config: () => redisConfig(redis.url),
    env: (nth) => ({ NODE_OPTIONS: `--import=${SHIM}`, CLOCK_SHIFT_MS: String(SHIFTS_MS[nth]) }),
  });
  for (const [nth, { lines }] of nodes.entries()) {
    const { time } = JSON.parse(lines[0] ?? "") as { time: number | string };
    const shiftMs = new Date(time).getTime() - Date.now();
    assert.ok(Math.abs(shiftMs - (SHIFTS_MS[nth] ?? 0)) < 60_000, `the clock of node ${nth} is ${shiftMs} ms off`);
  }
  const receivers = await startReceivers(t, nodes.urls, ACCOUNTS, tokenOf);
  const load = startLoad(t, { urls: nodes.urls, accounts: ACCOUNTS, perSecond: 200, insist: true, classic: true });
  await sleep(1_500);
  await redis.kill();
  await redis.start();
  await sleep(1_500);
  await load.stop();
  await settle(load.acknowledged, receivers.arrivals);
  const verdict = judge(load.acknowledged, receivers.arrivals);
  t.diagnostic(describeVerdict(verdict));
  assert.deepEqual(faultsOf(verdict), FAULTLESS);
  assert.equal(load.acknowledged.length, load.due);
  assert.deepEqual(receivers.endings, []);
});
