// A classic session among doubles: the rooms it enters by itself, also when store or exchange do not answer, and what it lets its client send.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { App, Right } from "../../server/src/apps/app.ts";
import { roomPatterns } from "../../server/src/auth/rights.ts";
import { ErrorCode, XlveinError } from "../../server/src/errors.ts";
import type { Connection } from "../../server/src/hub/connection.ts";
import { createMetrics } from "../../server/src/metrics/metrics.ts";
import type { Target } from "../../server/src/protocol/target.ts";
import type { Publish } from "../../server/src/publish/publish.ts";
import { ClassicSession } from "../../server/src/ws/classic-session.ts";
import type { SessionOptions } from "../../server/src/ws/context.ts";

interface Options {
  rights?: readonly Right[];
  rooms?: readonly string[];
  maxRooms?: number;
  roomsOf?: () => Promise<readonly string[]>;
}

function createFixture({ rights = ["direct", "publish"], rooms = [], maxRooms = 128, roomsOf = () => Promise.resolve([]) }: Options = {}) {
  const limits = { messagesPerSecondPerConnection: Number.POSITIVE_INFINITY, maxRoomsPerConnection: maxRooms };
  const rule = { prefix: "news:", publish: "nobody", history: undefined, slow: undefined };
  const app = { key: "test", rooms: [rule], limits } as unknown as App;
  const metrics = createMetrics("test");
  const inRooms = new Set<string>();
  const fixture = {
    inRooms,
    joined: [] as string[],
    published: [] as [Target, string][],
    warned: [] as string[],
    onJoin: (_target: Target): Promise<void> => Promise.resolve(),
    publish: (async (_app, [target], { data }) => {
      fixture.published.push([target as Target, data]);
      return { msgId: "m", duplicate: false, positions: [undefined] };
    }) as Publish,
    async dropped(reason: string): Promise<number> {
      const { values } = await metrics.messagesDropped.get();
      return values.find(({ labels }) => labels.reason === reason)?.value ?? 0;
    },
    async notEntered(reason: string): Promise<number> {
      const { values } = await metrics.roomsNotEntered.get();
      return values.find(({ labels }) => labels.reason === reason)?.value ?? 0;
    },
  };
  const options = {
    apps: { get: () => app },
    publish: (...request: Parameters<Publish>) => fixture.publish(...request),
    streams: {
      async join(_connection: Connection, target: Target) {
        fixture.joined.push(target.kind === "room" ? target.name : target.kind);
        await fixture.onJoin(target);
        if (target.kind === "room") inRooms.add(target.name);
        return { state: {}, go() {} };
      },
      leave: (_connection: Connection, { name }: Target) => void inRooms.delete(name),
    },
    roomsOf,
    limits: { jsonDepth: 8 },
    metrics,
    log: { warn: ({ event }: { event: string }) => void fixture.warned.push(event), debug() {}, info() {}, error() {} },
    now: () => 0,
  } as unknown as SessionOptions;
  const connection = { app: "test", account: "alice", open: true, protocol: "classic" } as unknown as Connection;
  const grant = { account: "alice", expiresAtMs: undefined, secretId: "default", rights: new Set(rights), rooms: roomPatterns(rooms) };
  const session = new ClassicSession(options, app, connection, { take() {}, live: () => void fixture.joined.push("live"), leave() {} }, grant);
  return Object.assign(fixture, { session, send: (frame: object) => session.receive(JSON.stringify(frame)) });
}

const outage = () => new XlveinError(ErrorCode.STORE_UNAVAILABLE, "the store does not answer");

test("what the token names is entered in the turn of the connect, whether the store answers or not", () => {
  const fixture = createFixture({ rooms: ["a", "b", "wild:*"], roomsOf: () => new Promise(() => {}) });
  fixture.session.start();
  assert.deepEqual(fixture.joined, ["live", "a", "b"]);
});

test("the rooms of the backend follow when the store has named them, with what has changed meanwhile", async () => {
  const { promise, resolve } = Promise.withResolvers<readonly string[]>();
  const fixture = createFixture({ roomsOf: () => promise });
  fixture.session.start();
  fixture.session.membership("early", true);
  fixture.session.membership("gone", false);
  resolve(["gone", "given"]);
  await turn();
  assert.deepEqual([...fixture.inRooms].sort(), ["early", "given"]);
  fixture.session.membership("early", false);
  fixture.session.membership("later", true);
  await turn();
  assert.deepEqual([...fixture.inRooms].sort(), ["given", "later"]);
});

test("a store that does not answer costs those rooms only, is counted, logged, and made good when the rooms are read again", async () => {
  const fixture = createFixture({ rooms: ["named"], roomsOf: () => Promise.reject(outage()) });
  fixture.session.start();
  await turn();
  assert.deepEqual([[...fixture.inRooms], await fixture.notEntered("store"), fixture.warned.length], [["named"], 1, 1]);
  fixture.session.memberOf(["given"]);
  await turn();
  assert.deepEqual([...fixture.inRooms], ["named", "given"]);
  fixture.session.memberOf([]);
  assert.deepEqual([...fixture.inRooms], ["named"]);
});

test("a room that the exchange does not confirm is counted, and tried again when the rooms are read again", async () => {
  const fixture = createFixture({ rooms: ["named"] });
  fixture.onJoin = ({ name }) => (name === "named" ? Promise.reject(new XlveinError(ErrorCode.EXCHANGE_UNAVAILABLE, "not confirmed")) : Promise.resolve());
  fixture.session.start();
  await turn();
  assert.deepEqual([[...fixture.inRooms], await fixture.notEntered("exchange")], [[], 1]);
  fixture.send({ to: "named", event: 2, data: {} });
  assert.deepEqual(fixture.published, []);
  fixture.onJoin = () => Promise.resolve();
  fixture.session.memberOf([]);
  await turn();
  assert.deepEqual([...fixture.inRooms], ["named"]);
});

test("rooms beyond the limit are not entered, and one that is left makes room", async () => {
  const fixture = createFixture({ rooms: ["a"], maxRooms: 2, roomsOf: () => Promise.resolve(["b", "c"]) });
  fixture.session.start();
  await turn();
  assert.deepEqual([[...fixture.inRooms], await fixture.notEntered("limit")], [["a", "b"], 1]);
  fixture.session.membership("b", false);
  fixture.session.membership("d", true);
  await turn();
  assert.deepEqual([...fixture.inRooms], ["a", "d"]);
});

test("a frame goes to an account or, with event 2, to a room that the client is in; the rest is counted", async () => {
  const fixture = createFixture({ rooms: ["chat", "news:1"] });
  fixture.session.start();
  await turn();
  fixture.send({ to: "bob", data: { n: 1 } });
  fixture.send({ to: "chat", event: 2, data: { n: 2 } });
  for (const to of ["news:1", "other", "alice"]) fixture.send({ to, event: 2, data: {} });
  fixture.send({ data: {} });
  assert.deepEqual(fixture.published, [
    [{ app: "test", kind: "account", name: "bob" }, '{"n":1}'],
    [{ app: "test", kind: "room", name: "chat" }, '{"n":2}'],
  ]);
  assert.deepEqual([await fixture.dropped("not_in_room"), await fixture.dropped("no_recipient_named")], [3, 1]);
});

test("a right that is missing counts as what was tried", async () => {
  const [mute, quiet] = [createFixture({ rights: ["publish"], rooms: ["chat"] }), createFixture({ rights: ["direct"], rooms: ["chat"] })];
  for (const fixture of [mute, quiet]) {
    fixture.session.start();
    await turn();
    fixture.send({ to: "bob", data: {} });
    fixture.send({ to: "chat", event: 2, data: {} });
  }
  assert.deepEqual([mute.published.length, await mute.dropped("not_authorised")], [1, 1]);
  assert.deepEqual([quiet.published.length, await quiet.dropped("not_in_room")], [1, 1]);
});

test("a message that the exchange does not take is counted and logged, and the client is not told", async () => {
  const fixture = createFixture();
  fixture.session.start();
  fixture.publish = () => Promise.reject(outage());
  fixture.send({ to: "bob", data: {} });
  await turn();
  assert.deepEqual([await fixture.dropped("exchange"), fixture.warned], [1, ["client message lost"]]);
});
