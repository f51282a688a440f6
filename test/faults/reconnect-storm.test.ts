// All clients of a node are dropped at once: they come back spread out, each with one socket, and the node goes on serving who comes anew.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startProcess } from "../helpers/process.ts";
import { startFlock } from "./harness/flock.ts";
import { form, LONG } from "./harness/form.ts";
import { push } from "./harness/load.ts";
import { readMetric } from "./harness/nodes.ts";
import { startProbe } from "./harness/probe.ts";
import { until } from "./harness/until.ts";
import { describeMs, percentile } from "./harness/verdict.ts";

const CLIENTS = form(3_000, 300);
const PROCESSES = 2;
/** The SDK spreads its first retry over 2 s; the rest is for the handshakes. The short form shares the machine with other tests. */
const BACK_MS = form(3_000, 30_000);
/**
 * What a new client waits for its hello meanwhile, p99. The clients that come back need more of a processor than the node that takes them, and share this machine's with it; so one process
 * that has nothing else to do stands for a client with a machine of its own. What the others saw by their own clocks is told beside it.
 */
const HANDSHAKE_MS = form(100, 15_000);
const PROBE_EVERY_MS = 10;
/** Of the new clients, those that must be through when the others are back. */
const THROUGH = form(0.5, 0.02);
const PUSH_EVERY_MS = 10;

test(`${CLIENTS} clients that are dropped at once come back spread out, each with one socket, and the node goes on serving`, async (t) => {
  const server = await startProcess(t, { config: { log: { level: "info" } } });
  const flock = await startFlock(t, server.url, CLIENTS, { processes: PROCESSES, standBack: LONG });
  const probe = await startProbe(t, server.url);
  await until(
    "the node holds the clients alone",
    10_000,
    async () => (await readMetric(server.internalUrl, "xlvein_connections", { app: "test" })) === CLIENTS,
  );

  const pushesMs: number[] = [];
  let back = false;
  async function pushOn(): Promise<void> {
    while (!back) {
      const sentMs = performance.now();
      const { status } = await push(undefined, server.url, JSON.stringify({ accounts: ["nobody"], data: {} }));
      assert.equal(status, 200, "the node goes on serving");
      pushesMs.push(performance.now() - sentMs);
      await sleep(PUSH_EVERY_MS);
    }
  }
  const cpu = () => readMetric(server.internalUrl, "process_cpu_seconds_total", {});
  const cpuBefore = await cpu();
  probe.start(PROBE_EVERY_MS);
  const [backMs] = await Promise.all([flock.drop().finally(() => void (back = true)), pushOn()]);
  const helloMs = await probe.stop();
  const cpuMs = 1_000 * ((await cpu()) - cpuBefore);
  const figures = await flock.figures();

  t.diagnostic(`all back after ${backMs.toFixed(0)} ms; a new client's hello: ${describeMs(helloMs)}; pushes meanwhile: ${describeMs(pushesMs)}`);
  t.diagnostic(`the node worked for ${cpuMs.toFixed(0)} ms of it`);
  for (const { handshakesMs, lagMs } of figures)
    t.diagnostic(
      `by the clock of ${handshakesMs.length} clients' own process, which was busy for ${lagMs.toFixed(0)} ms at a time: ${describeMs(handshakesMs)}`,
    );
  for (const { mostAtOnce, old } of figures) assert.deepEqual({ mostAtOnce, old }, { mostAtOnce: 1, old: 0 }, "one socket each at any time, a new one");
  assert.equal(
    figures.reduce((sum, { open }) => sum + open, 0),
    CLIENTS,
  );
  assert.equal(
    figures.reduce((sum, { handshakesMs }) => sum + handshakesMs.length, 0),
    CLIENTS,
    "one handshake each",
  );
  await until(
    "the node has no socket left over",
    10_000,
    async () => (await readMetric(server.internalUrl, "xlvein_connections", { app: "test" })) === CLIENTS,
  );
  assert.ok(helloMs.length >= (THROUGH * backMs) / PROBE_EVERY_MS, `only ${helloMs.length} new clients were through in ${backMs.toFixed(0)} ms`);
  assert.ok(backMs <= BACK_MS, `all are back within ${BACK_MS} ms`);
  assert.ok(percentile(helloMs, 0.99) <= HANDSHAKE_MS, `a new client gets its hello within ${HANDSHAKE_MS} ms`);
});
