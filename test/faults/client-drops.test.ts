// Clients whose network breaks again and again: with recovery they get everything, once and in order; without it they do not.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startProcess } from "../helpers/process.ts";
import { form } from "./harness/form.ts";
import { bearableRate, startLoad } from "./harness/load.ts";
import { startProxy, type Proxy as TcpProxy } from "./harness/proxy.ts";
import { sentToMembers, startResumers } from "./harness/resumers.ts";
import { until } from "./harness/until.ts";
import { describeVerdict, FAULTLESS, faultsOf, judge, type Verdict } from "./harness/verdict.ts";

const CLIENTS = form(200, 40);
const ROOMS = form(20, 4);
const PER_ROOM = 10;
const SECONDS = form(60, 10);
const PERIOD_MS = form(10_000, 5_000);
const CUT_MS = 2_000;
/** Clients behind one network each. */
const NETWORKS = 10;

const roomOf = (_account: string, nth: number) => `room:${nth % ROOMS}`;
const accounts = Array.from({ length: CLIENTS }, (_, nth) => `user_${nth}`);
const rooms = Array.from({ length: ROOMS }, (_, nth) => `room:${nth}`);
const membersOf = (room: string) => accounts.filter((account, nth) => roomOf(account, nth) === room);

/** Breaks a network for 2 seconds in every period, until the time is over; networks break one after the other. */
async function breakAgainAndAgain(proxy: TcpProxy, nth: number, untilMs: number): Promise<void> {
  await sleep((PERIOD_MS * nth) / NETWORKS);
  while (performance.now() + CUT_MS < untilMs) {
    proxy.refuse = true;
    proxy.reset();
    await sleep(CUT_MS);
    proxy.refuse = false;
    await sleep(Math.min(PERIOD_MS - CUT_MS, Math.max(0, untilMs - performance.now())));
  }
}

async function run(t: TestContext, store: Record<string, unknown>): Promise<{ verdict: Verdict; gaps: number }> {
  const server = await startProcess(t, { config: { store, log: { level: "info" } } });
  const port = Number(new URL(server.url).port);
  const proxies = await Promise.all(Array.from({ length: NETWORKS }, () => startProxy(t, port)));
  const resumers = await startResumers(t, { url: (nth) => `http://127.0.0.1:${proxies[nth % NETWORKS]?.port}`, accounts, roomOf });
  const perSecond = await bearableRate(t, () => [server.url], ROOMS * PER_ROOM);
  const untilMs = performance.now() + SECONDS * 1_000;
  const load = startLoad(t, { urls: () => [server.url], accounts: rooms, perSecond, rooms: true });
  await Promise.all(proxies.map((proxy, nth) => breakAgainAndAgain(proxy, nth, untilMs)));
  await sleep(Math.max(0, untilMs - performance.now()));
  await load.stop();
  await until("every client is back", 30_000, () => resumers.connected === CLIENTS);
  const sent = sentToMembers(load.acknowledged, membersOf);
  await until("everything has come", 5_000, () => judge(sent, resumers.arrivals).lost === 0).catch(() => {});
  const breaks = resumers.changes.filter(({ state }) => state === "disconnected").length;
  const verdict = judge(sent, resumers.arrivals);
  t.diagnostic(`${describeVerdict(verdict)}; ${CLIENTS} clients, ${breaks} connections broken, ${resumers.gaps.length} gaps told`);
  assert.ok(breaks >= CLIENTS, "the networks did break");
  return { verdict, gaps: resumers.gaps.length };
}

test("clients whose connections break for 2 s again and again get every message of their rooms, once and in order", async (t) => {
  const { verdict, gaps } = await run(t, { type: "memory", history: { messages: 10_000, seconds: 600 } });
  assert.deepEqual(faultsOf(verdict), FAULTLESS);
  assert.equal(verdict.delivered, verdict.acknowledged);
  assert.equal(gaps, 0);
});

test("the same without a store: messages are missing, and every client is told", async (t) => {
  const { verdict, gaps } = await run(t, { type: "none" });
  assert.ok(verdict.lost > 0, "otherwise the run above proves nothing");
  assert.ok(gaps > 0);
  assert.deepEqual([verdict.duplicates, verdict.inversions], [0, 0]);
});
