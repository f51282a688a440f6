// The hub: seats, holding targets on the exchange, and delivery; with connections made for the test.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { App } from "../../server/src/apps/app.ts";
import { ErrorCode, XlveinError } from "../../server/src/errors.ts";
import type { Connection } from "../../server/src/hub/connection.ts";
import { createHub, type Hub, type HubOptions, type Seat } from "../../server/src/hub/hub.ts";
import type { Outgoing } from "../../server/src/hub/outgoing.ts";
import { createMetrics } from "../../server/src/metrics/metrics.ts";
import { kickEnvelope, membershipEnvelope, messageEnvelope } from "../../server/src/protocol/envelope.ts";
import { accountTarget, appTarget, roomTarget, type Target, targetId } from "../../server/src/protocol/target.ts";

const app = { key: "app", limits: { maxConnections: 10, maxConnectionsPerAccount: 3 } } as App;
const message = messageEnvelope({ msgId: "m", event: 0, data: "{}", sendAt: 0 });

/** Hub and connections speak of frames; the tests of their texts. */
function textOf(frame: Buffer): string {
  const length = (frame[1] as number) & 0x7f;
  return frame.toString("utf8", length < 126 ? 2 : length === 126 ? 4 : 10);
}

function setUp(options: Partial<HubOptions> = {}) {
  const calls: string[] = [];
  const hub = createHub({
    hold: async (target) => void calls.push(`hold ${nameOf(target)}`),
    release: (target) => void calls.push(`release ${nameOf(target)}`),
    slowOf: () => "close",
    onMembership: (connection, room, member) => void calls.push(`${connection.id} ${member ? "in" : "out of"} ${room}`),
    maxConnections: 100,
    holdTimeoutMs: 1_000,
    metrics: createMetrics("test"),
    now: () => 0,
    ...options,
  });
  return { hub, calls };
}

const nameOf = ({ app, kind, name }: Target) => (kind === "app" ? `all of ${app}` : kind === "room" ? `room ${name}` : name);

type Fake = Connection & { frames: string[]; closed: number[] };

/** Stands for a socket: keeps what it is sent. */
function fake(
  id: string,
  { account = "a", protocol = "classic", accepts = true }: { account?: string; protocol?: "classic" | "v2"; accepts?: boolean } = {},
): Fake {
  const frames: string[] = [];
  const closed: number[] = [];
  const send = ({ frame }: Outgoing) => (accepts ? frames.push(textOf(frame)) > 0 : false);
  return { id, app: "app", account, protocol, frames, closed, send, close: (code: number) => void closed.push(code) } as unknown as Fake;
}

/** A connection in its seat, and in the streams of its account and application. */
async function seated(hub: Hub, connection: Fake, of = app): Promise<Seat> {
  const seat = await hub.admit(of, connection.account);
  seat.take(connection);
  await hub.subscribe(connection, accountTarget(of.key, connection.account));
  await hub.subscribe(connection, appTarget(of.key));
  return seat;
}

test("the first seat of an account holds it, the last one releases it", async () => {
  const { hub, calls } = setUp();
  const seats = await Promise.all([hub.admit(app, "a"), hub.admit(app, "a"), hub.admit(app, "b")]);
  assert.deepEqual(calls, ["hold a", "hold all of app", "hold b"]);
  assert.equal(hub.count, 3);
  seats[0]?.leave();
  seats[0]?.leave();
  assert.equal(hub.countOf("app"), 2, "leaving twice counts once");
  seats[1]?.leave();
  seats[2]?.leave();
  assert.deepEqual(calls.slice(3), ["release a", "release b", "release all of app"]);
  assert.equal(hub.count, 0);
  await hub.admit(app, "a");
  assert.deepEqual(calls.slice(6), ["hold a", "hold all of app"]);
});

test("a seat that the exchange does not confirm in time is refused and given back", async () => {
  const refusal = (error: unknown) => error instanceof XlveinError && error.code === ErrorCode.EXCHANGE_UNAVAILABLE && error.status === 503;
  for (const hold of [() => new Promise<void>(() => {}), () => Promise.reject(new Error("down"))]) {
    const released: Target[] = [];
    const { hub } = setUp({ hold, release: (target) => void released.push(target), holdTimeoutMs: 20 });
    await assert.rejects(async () => hub.admit(app, "a"), refusal);
    assert.equal(hub.count, 0);
    assert.deepEqual(released.map(targetId), [accountTarget("app", "a"), appTarget("app")].map(targetId));
  }
});

test("a message reaches every connection of its account in one frame, and no other account or application", async () => {
  const { hub } = setUp();
  const [one, two, other, foreign] = [fake("1"), fake("2"), fake("3", { account: "b" }), fake("4")];
  for (const connection of [one, two, other]) await seated(hub, connection);
  await seated(hub, foreign, { ...app, key: "app2" });
  hub.deliver(accountTarget("app", "a"), message, undefined);
  hub.deliver(accountTarget("app", "nobody"), message, undefined);
  hub.deliver(accountTarget("nothing", "a"), message, undefined);
  assert.equal(one.frames.length, 1);
  assert.deepEqual(one.frames, two.frames);
  assert.deepEqual([...other.frames, ...foreign.frames], []);
});

test("each protocol gets its own frame; a classic client finds its account in everyone's message", async () => {
  const { hub } = setUp();
  const [old, oldB, full, fullB] = [fake("1"), fake("2", { account: "b" }), fake("3", { protocol: "v2" }), fake("4", { account: "b", protocol: "v2" })];
  for (const connection of [old, oldB, full, fullB]) await seated(hub, connection);
  hub.deliver(appTarget("app"), message, { epoch: "e", offset: 7, previous: "" });
  assert.deepEqual(
    [old, oldB].map(({ frames }) => JSON.parse(frames[0] ?? "").to),
    ["a", "b"],
  );
  assert.deepEqual(full.frames, fullB.frames);
  const { to, epoch, offset } = JSON.parse(full.frames[0] ?? "");
  assert.deepEqual([to, epoch, offset], [undefined, "e", 7]);
});

test("a connection that takes nothing does not stop the others", async () => {
  const { hub } = setUp();
  const [stuck, well] = [fake("1", { accepts: false }), fake("2")];
  await seated(hub, stuck);
  await seated(hub, well);
  hub.deliver(accountTarget("app", "a"), message, undefined);
  assert.equal(well.frames.length, 1);
});

test("the connection that a message excludes is the only one left out", async () => {
  const { hub } = setUp();
  const [one, two] = [fake("1"), fake("2")];
  await seated(hub, one);
  await seated(hub, two);
  hub.deliver(accountTarget("app", "a"), messageEnvelope({ ...message.message, exclude: "1" }), undefined);
  assert.deepEqual([one.frames.length, two.frames.length], [0, 1]);
});

test("a room is held while a connection is in it, and reaches those in it only", async () => {
  const { hub, calls } = setUp();
  const [one, two, outside] = [fake("1"), fake("2", { account: "b" }), fake("3")];
  const seats = [await seated(hub, one), await seated(hub, two), await seated(hub, outside)];
  const room = roomTarget("app", "chat:1");
  await hub.subscribe(one, room);
  await hub.subscribe(one, room);
  await hub.subscribe(two, room);
  assert.equal(calls.filter((call) => call === "hold room chat:1").length, 1, "entering again holds nothing again");
  hub.deliver(room, message, undefined);
  assert.deepEqual([one.frames.length, two.frames.length, outside.frames.length], [1, 1, 0]);
  hub.unsubscribe(one, room);
  hub.deliver(room, message, undefined);
  assert.deepEqual([one.frames.length, two.frames.length], [1, 2]);
  assert.ok(!calls.includes("release room chat:1"));
  seats[1]?.leave();
  assert.equal(calls.at(-2), "release room chat:1", "leaving the seat leaves the room");
  hub.deliver(room, message, undefined);
  assert.equal(two.frames.length, 2);
});

test("a room that the exchange does not confirm in time is not entered", async () => {
  const { hub, calls } = setUp({ hold: (target) => (target.kind === "room" ? new Promise(() => {}) : Promise.resolve()), holdTimeoutMs: 20 });
  const one = fake("1");
  await seated(hub, one);
  await assert.rejects(
    hub.subscribe(one, roomTarget("app", "r")),
    (error: unknown) => error instanceof XlveinError && error.code === ErrorCode.EXCHANGE_UNAVAILABLE,
  );
  hub.deliver(roomTarget("app", "r"), message, undefined);
  assert.deepEqual(one.frames, []);
  assert.deepEqual(calls, ["release room r"]);
});

test("while a connection catches up its tap gets the messages; afterwards it does itself", async () => {
  const { hub } = setUp();
  const one = fake("1");
  await seated(hub, one);
  const tapped: string[] = [];
  const room = roomTarget("app", "r");
  await hub.subscribe(one, room, ({ msgId }) => void tapped.push(msgId));
  hub.deliver(room, message, undefined);
  assert.deepEqual([tapped, one.frames], [["m"], []]);
  assert.equal(hub.send(one, room, message.message, undefined), true);
  hub.live(one, room);
  hub.deliver(room, message, undefined);
  assert.deepEqual([tapped.length, one.frames.length], [1, 2]);
  assert.equal(hub.send(fake("9"), room, message.message, undefined), false, "not to a connection that is not in it");
});

test("those in a stream who speak the full protocol are told of a gap", async () => {
  const { hub } = setUp();
  const [old, full] = [fake("1"), fake("2", { protocol: "v2" })];
  await seated(hub, old);
  await seated(hub, full);
  hub.gap(accountTarget("app", "a"), { reason: "lost", epoch: "e", from: 3, to: 4 });
  assert.deepEqual(old.frames, []);
  assert.deepEqual(JSON.parse(full.frames[0] ?? ""), { op: "gap", stream: "account", reason: "lost", epoch: "e", from: 3, to: 4 });
});

test("a change of membership is told to every connection of the account, a kick closes them or the one that it names", async () => {
  const { hub, calls } = setUp();
  const [one, two] = [fake("1"), fake("2")];
  await seated(hub, one);
  await seated(hub, two);
  hub.deliver(accountTarget("app", "a"), membershipEnvelope("r", true), undefined);
  hub.deliver(accountTarget("app", "a"), membershipEnvelope("r", false), undefined);
  assert.deepEqual(calls.slice(-4), ["1 in r", "2 in r", "1 out of r", "2 out of r"]);
  hub.deliver(accountTarget("app", "a"), kickEnvelope("2"), undefined);
  assert.deepEqual([one.closed, two.closed], [[], [4010]]);
  hub.deliver(accountTarget("app", "a"), kickEnvelope(), undefined);
  assert.deepEqual(one.closed, [4010]);
});

test("accounts named like members of every object are accounts", async () => {
  const { hub } = setUp();
  for (const account of ["__proto__", "constructor", "toString"]) {
    const connection = fake(account, { account });
    await seated(hub, connection);
    hub.deliver(accountTarget("app", account), message, undefined);
    assert.equal(connection.frames.length, 1, account);
  }
});

test("streams are those that a client of the full protocol is in", async () => {
  const { hub } = setUp();
  const classic = fake("1", { account: "a" });
  await seated(hub, classic);
  await hub.subscribe(classic, roomTarget("app", "old"));
  assert.deepEqual([...hub.streams()], []);
  const full = fake("2", { account: "b", protocol: "v2" });
  const seat = await seated(hub, full);
  await hub.subscribe(full, roomTarget("app", "new"), () => {});
  assert.deepEqual([...hub.streams()].map(nameOf).sort(), ["all of app", "b", "room new"]);
  seat.leave();
  assert.deepEqual([...hub.streams()], []);
});
