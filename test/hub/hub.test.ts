// The hub: seats, holding targets on the exchange, and delivery; with connections made for the test.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { App } from "../../server/src/apps/app.ts";
import { ErrorCode, XlveinError } from "../../server/src/errors.ts";
import type { Connection } from "../../server/src/hub/connection.ts";
import { createHub, type HubOptions } from "../../server/src/hub/hub.ts";
import { createMetrics } from "../../server/src/metrics/metrics.ts";
import { kickEnvelope, messageEnvelope } from "../../server/src/protocol/envelope.ts";
import { accountTarget, type Target } from "../../server/src/protocol/target.ts";

const app = { key: "app", limits: { maxConnections: 10, maxConnectionsPerAccount: 3 } } as App;
const message = messageEnvelope({ msgId: "m", event: 0, data: "{}", sendAt: 0 });

function setUp(options: Partial<HubOptions> = {}) {
  const calls: string[] = [];
  const hub = createHub({
    hold: async ({ name }) => void calls.push(`hold ${name}`),
    release: ({ name }) => void calls.push(`release ${name}`),
    maxConnections: 100,
    holdTimeoutMs: 1_000,
    metrics: createMetrics("test"),
    now: () => 0,
    ...options,
  });
  return { hub, calls };
}

/** Stands for a socket: keeps what it is sent. */
function fake(id: string, accepts = true): Connection & { frames: string[]; closed: number[] } {
  const frames: string[] = [];
  const closed: number[] = [];
  const send = (frame: Buffer) => (accepts ? frames.push(String(frame)) > 0 : false);
  return { id, app: "app", frames, closed, send, close: (code: number) => void closed.push(code) } as unknown as Connection & {
    frames: string[];
    closed: number[];
  };
}

test("the first seat of an account holds it, the last one releases it", async () => {
  const { hub, calls } = setUp();
  const seats = await Promise.all([hub.admit(app, "a"), hub.admit(app, "a"), hub.admit(app, "b")]);
  assert.deepEqual(calls, ["hold a", "hold b"]);
  assert.equal(hub.count, 3);
  seats[0]?.leave();
  seats[0]?.leave();
  assert.equal(hub.countOf("app"), 2, "leaving twice counts once");
  seats[1]?.leave();
  seats[2]?.leave();
  assert.deepEqual(calls, ["hold a", "hold b", "release a", "release b"]);
  assert.equal(hub.count, 0);
  await hub.admit(app, "a");
  assert.equal(calls.at(-1), "hold a");
});

test("a seat that the exchange does not confirm in time is refused and given back", async () => {
  const refusal = (error: unknown) => error instanceof XlveinError && error.code === ErrorCode.EXCHANGE_UNAVAILABLE && error.status === 503;
  for (const hold of [() => new Promise<void>(() => {}), () => Promise.reject(new Error("down"))]) {
    const released: Target[] = [];
    const { hub } = setUp({ hold, release: (target) => void released.push(target), holdTimeoutMs: 20 });
    await assert.rejects(hub.admit(app, "a"), refusal);
    assert.equal(hub.count, 0);
    assert.deepEqual(released, [accountTarget("app", "a")]);
  }
});

test("a message reaches every connection of its account in one frame, and no other account or application", async () => {
  const { hub } = setUp();
  const [one, two, other, foreign] = [fake("1"), fake("2"), fake("3"), fake("4")];
  (await hub.admit(app, "a")).take(one);
  (await hub.admit(app, "a")).take(two);
  (await hub.admit(app, "b")).take(other);
  (await hub.admit({ ...app, key: "app2" }, "a")).take(foreign);
  hub.deliver(accountTarget("app", "a"), message);
  hub.deliver(accountTarget("app", "nobody"), message);
  hub.deliver(accountTarget("nothing", "a"), message);
  assert.equal(one.frames.length, 1);
  assert.deepEqual(one.frames, two.frames);
  assert.deepEqual([...other.frames, ...foreign.frames], []);
});

test("a connection that takes nothing does not stop the others", async () => {
  const { hub } = setUp();
  const [stuck, well] = [fake("1", false), fake("2")];
  (await hub.admit(app, "a")).take(stuck);
  (await hub.admit(app, "a")).take(well);
  hub.deliver(accountTarget("app", "a"), message);
  assert.equal(well.frames.length, 1);
});

test("a kick closes the account's connections, or the one that it names", async () => {
  const { hub } = setUp();
  const [one, two] = [fake("1"), fake("2")];
  (await hub.admit(app, "a")).take(one);
  (await hub.admit(app, "a")).take(two);
  hub.deliver(accountTarget("app", "a"), kickEnvelope("2"));
  assert.deepEqual([one.closed, two.closed], [[], [4010]]);
  hub.deliver(accountTarget("app", "a"), kickEnvelope());
  assert.deepEqual(one.closed, [4010]);
});

test("accounts named like members of every object are accounts", async () => {
  const { hub } = setUp();
  for (const name of ["__proto__", "constructor", "toString"]) {
    const connection = fake(name);
    (await hub.admit(app, name)).take(connection);
    hub.deliver(accountTarget("app", name), message);
    assert.equal(connection.frames.length, 1, name);
  }
});
