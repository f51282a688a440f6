// When a node closes connections so that others get them, and which: nodes on a bus of the test, with a clock moved by hand.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { RebalanceConfig } from "../../server/src/config/config.ts";
import type { Connection } from "../../server/src/hub/connection.ts";
import { createLog } from "../../server/src/log.ts";
import { createMetrics } from "../../server/src/metrics/metrics.ts";
import { loadEnvelope } from "../../server/src/protocol/envelope.ts";
import { createRebalance } from "../../server/src/rebalance/rebalance.ts";

const BEAT_MS = 5_000;
const STEP_MS = 20;

interface Close {
  readonly id: string;
  readonly code: number;
  readonly reason: string;
  readonly atMs: number;
}

/** One node with connections `c0` (the oldest) to `c<n>`, every second of them classic. */
function startNode(t: TestContext, count: number, more: Partial<RebalanceConfig> = {}) {
  t.mock.timers.enable({ apis: ["setInterval", "Date"], now: 1_000_000 });
  const metrics = createMetrics("0.0.0-test");
  const closes: Close[] = [];
  const told: number[] = [];
  const logs: string[] = [];
  let connections: Connection[] = [];
  let made = 0;
  let accepting = true;
  let reachable = true;
  function connect(number: number): void {
    for (let i = 0; i < number; i++) {
      const [id, nth] = [`c${made}`, made++];
      const connection = {
        id,
        open: true,
        closedWith: undefined as number | undefined,
        protocol: nth % 2 === 0 ? "v2" : "classic",
        connectedAtMs: nth,
        close(code: number, reason: string) {
          connection.closedWith = code;
          closes.push({ id, code, reason, atMs: Date.now() });
        },
      };
      connections.push(connection as unknown as Connection);
    }
  }
  connect(count);
  // The hub's order is no order of age.
  connections = connections.toReversed();
  const rebalance = createRebalance({
    hub: { all: () => connections },
    exchange: {
      hold: async () => {
        if (!reachable) throw new Error("away");
      },
      publish: async (_deliveries, envelope) => {
        if (!reachable) throw new Error("away");
        if (envelope.kind === "load") told.push(envelope.connections);
      },
    },
    config: { enabled: true, threshold: 1.25, closesPerSecond: 20, ...more },
    accepting: () => accepting,
    metrics,
    log: createLog({ level: "info", destination: { write: (line: string) => void logs.push(line) } }),
    now: Date.now,
    beatMs: BEAT_MS,
  });
  t.after(() => rebalance.close());
  const pass = (ms: number) => {
    for (let passed = 0; passed < ms; passed += STEP_MS) t.mock.timers.tick(STEP_MS);
  };
  return {
    pass,
    /** Half a beat later: from then on a beat is in the middle of each that `beats` lets pass. */
    open() {
      rebalance.open();
      pass(BEAT_MS / 2);
    },
    rebalance,
    closes,
    told,
    logs,
    connect,
    metrics,
    live: () => connections.filter(({ closedWith }) => closedWith === undefined).length,
    accept: (yes: boolean) => void (accepting = yes),
    reach: (yes: boolean) => void (reachable = yes),
    /** Lets beats pass; before each the others tell. */
    async beats(number: number, others: readonly number[] = []) {
      for (let i = 0; i < number; i++) {
        for (const [nth, each] of others.entries()) rebalance.heard(loadEnvelope(`other-${nth}`, each));
        pass(BEAT_MS);
        // The exchange answers later.
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}

test("a node far above the mean closes down to the mean, the oldest first, at its pace", async (t) => {
  const { open, beats, closes, live, logs, metrics } = startNode(t, 60);
  open();
  await beats(2, [0]);
  assert.equal(live(), 30);
  assert.deepEqual(
    closes.map(({ id }) => id),
    Array.from({ length: 30 }, (_, i) => `c${i}`),
  );
  const tookMs = (closes.at(-1)?.atMs ?? 0) - (closes[0]?.atMs ?? 0);
  assert.ok(tookMs >= 1_400 && tookMs <= 1_600, `30 closes at 20 a second took ${tookMs} ms`);
  for (const { id, code, reason } of closes) {
    if (Number(id.slice(1)) % 2 === 1) assert.deepEqual([code, reason], [1012, "server rebalances"]);
    else assert.ok(code === 4205 && /^\{"retry_after_ms":\d{1,3}\}$/.test(reason), `${code} ${reason}`);
  }
  await beats(1, [30]);
  assert.deepEqual(
    logs.map((line) => (JSON.parse(line) as { event: string }).event),
    ["rebalancing", "rebalanced"],
  );
  const { values } = (await metrics.registry.getSingleMetric("xlvein_rebalance_closed_total")?.get()) ?? { values: [] };
  assert.equal(values[0]?.value, 30);
});

test("within the threshold nothing is closed", async (t) => {
  const { open, beats, closes } = startNode(t, 37);
  open();
  // The mean is 30, then 33.67.
  await beats(2, [23]);
  await beats(2, [32, 32]);
  assert.deepEqual(closes, []);
});

test("a surplus of a handful disturbs nobody", async (t) => {
  const { open, beats, closes } = startNode(t, 9);
  open();
  await beats(3, [0]);
  assert.deepEqual(closes, []);
});

test("clients that come back are closed again until the mean is reached, and then left alone", async (t) => {
  const { open, beats, connect, closes, live } = startNode(t, 60);
  open();
  await beats(1, [0]);
  connect(15);
  await beats(1, [15]);
  connect(7);
  await beats(1, [0]);
  // What the others tell in the middle does not matter: it misses the clients that are on their way.
  assert.equal(live(), 30, "the round goes on below the threshold");
  await beats(1, [0]);
  assert.equal(live(), 30);
  connect(6);
  await beats(6, [24]);
  // The round is over: 36 is within the threshold.
  assert.equal(live(), 36);
  assert.deepEqual(
    closes.slice(0, 45).map(({ id }) => id),
    Array.from({ length: 45 }, (_, i) => `c${i}`),
  );
});

test("when all clients come back it gives up, says so, and tries again later", async (t) => {
  const { open, beats, connect, closes, logs } = startNode(t, 60);
  open();
  for (let beat = 0, seen = 0; beat < 20; beat++) {
    await beats(1, [0]);
    connect(closes.length - seen);
    seen = closes.length;
  }
  assert.equal(closes.length, 120, "four for each of the surplus of 30");
  assert.match(logs.at(-1) ?? "", /"level":"warn".*"event":"rebalance given up".*clients come back to this node/);
  await beats(100, [0]);
  assert.equal(closes.length, 120);
  await beats(7, [0]);
  assert.equal(closes.length, 150);
});

test("a node that has fallen silent does not count", async (t) => {
  const { rebalance, open, beats, closes } = startNode(t, 60);
  rebalance.heard(loadEnvelope("gone", 0));
  await beats(4);
  open();
  await beats(3);
  assert.deepEqual(closes, []);
});

test("a node that gets no new connections tells nothing and closes nothing, and stops in the middle", async (t) => {
  const { open, beats, closes, told, accept } = startNode(t, 600);
  accept(false);
  open();
  await beats(3, [0]);
  assert.deepEqual([told, closes], [[], []]);
  accept(true);
  await beats(1, [0]);
  assert.deepEqual(told, [600]);
  const before = closes.length;
  assert.ok(before >= 50 && before <= 52, String(before));
  accept(false);
  await beats(2, [0]);
  assert.equal(closes.length, before);
});

test("without the exchange nothing is closed, and it begins when that is there", async (t) => {
  const { open, beats, closes, told, reach, live } = startNode(t, 60);
  reach(false);
  open();
  await beats(2);
  assert.deepEqual([told, closes], [[], []]);
  reach(true);
  await beats(3, [0]);
  assert.equal(live(), 30);
  assert.equal(told[0], 60);
});

test("the pace is the one asked for, also where it is fast", async (t) => {
  const { open, beats, live } = startNode(t, 3_000, { closesPerSecond: 200 });
  open();
  await beats(1, [0]);
  assert.ok(Math.abs(live() - 2_500) <= 4, `${live()} after two and a half seconds`);
  await beats(1, [0]);
  assert.ok(Math.abs(live() - 1_500) <= 4, `${live()} after seven and a half`);
  await beats(1, [0]);
  assert.equal(live(), 1_500);
});

test("its own tellings are not another node's", async (t) => {
  const { rebalance, open, beats, closes } = startNode(t, 60);
  open();
  rebalance.heard(loadEnvelope("other", 60));
  await beats(2, [60]);
  assert.deepEqual(closes, []);
});
