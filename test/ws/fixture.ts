// A session of the full protocol with doubles for all that it is joined to.
import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import type { App, Right } from "../../server/src/apps/app.ts";
import { roomPatterns } from "../../server/src/auth/rights.ts";
import type { Connection } from "../../server/src/hub/connection.ts";
import type { Outgoing } from "../../server/src/hub/outgoing.ts";
import type { Wheel } from "../../server/src/hub/wheel.ts";
import { createMetrics } from "../../server/src/metrics/metrics.ts";
import type { Target } from "../../server/src/protocol/target.ts";
import type { Publish } from "../../server/src/publish/publish.ts";
import type { Streams } from "../../server/src/recover/streams.ts";
import type { ClientSocket } from "../../server/src/ws/client-socket.ts";
import type { SessionOptions } from "../../server/src/ws/context.ts";
import { FullSession } from "../../server/src/ws/session.ts";
import { assertServerFrame } from "../helpers/schemas.ts";

/** A promise that the test settles. */
export function gate<T>() {
  const { promise, resolve } = Promise.withResolvers<T>();
  return { promise, open: resolve };
}

export interface FixtureOptions {
  rights?: readonly Right[];
  /** Patterns of the token. */
  rooms?: readonly string[];
  maxRooms?: number;
  rate?: number;
  app?: Partial<App>;
}

type Frame = Record<string, unknown>;

export function createFixture({
  rights = ["direct", "publish", "history"],
  rooms = [],
  maxRooms = 128,
  rate = Number.POSITIVE_INFINITY,
  app: more = {},
}: FixtureOptions = {}) {
  const limits = { maxMessageBytes: Number.POSITIVE_INFINITY, messagesPerSecondPerConnection: rate, maxRoomsPerConnection: maxRooms };
  const app = { key: "test", enabled: true, rooms: [], nonceTtlMs: 300_000, limits, ...more } as unknown as App;
  const metrics = createMetrics("test");
  const position = { epoch: "e", offset: 0, msgId: "" };
  const nameOf = ({ kind, name }: Target) => (kind === "room" ? `room ${name}` : kind);

  const streams: Streams = {
    async join(_connection, target) {
      fixture.events.push(`join ${nameOf(target)}`);
      await fixture.onJoin(target);
      return { state: { position }, go: () => void fixture.events.push(`go ${nameOf(target)}`) };
    },
    leave: (_connection, target) => void fixture.events.push(`leave ${nameOf(target)}`),
    read: () => Promise.resolve({ texts: [], position, more: false }),
  };
  const connection = {
    id: "connection-1",
    app: "test",
    account: "alice",
    deviceId: undefined,
    protocol: "v2",
    get open() {
      return fixture.open && fixture.closedWith === undefined;
    },
    send({ frame }: Outgoing) {
      const text = frame.subarray((frame[1] as number) < 126 ? 2 : 4).toString();
      assertServerFrame(text);
      const read = JSON.parse(text) as Frame;
      fixture.sent.push(read);
      if (read["op"] === "hello") fixture.events.push("hello");
      return true;
    },
    drained: () => fixture.drained(),
    close: (code: number, reason: string) => {
      fixture.closedWith ??= [code, reason];
    },
    alive() {},
    expireAt() {},
  } as unknown as Connection;
  const socket = { pause: () => fixture.socketCalls.push("pause"), resume: () => fixture.socketCalls.push("resume") } as unknown as ClientSocket;
  const wheel: Wheel = { tick: 0, add() {}, remove() {}, close() {} };
  const log = { error() {}, warn() {}, debug() {}, info() {} };
  const options = {
    apps: { get: () => app },
    publish: (...request: Parameters<Publish>) => fixture.publish(...request),
    streams,
    roomsOf: () => fixture.roomsOf(),
    limits: { frameBytes: 65_536, jsonDepth: 64, tokenBytes: 4_096, outboxBytes: 1_048_576 },
    wheel,
    pingMs: 25_000,
    recoverable: true,
    version: "1.2.3",
    metrics,
    log,
    noteSecretUse() {},
    now: () => 1_795_412_345_678,
  } as unknown as SessionOptions;
  const grant = { account: "alice", expiresAtMs: undefined, secretId: "default", rights: new Set(rights), rooms: roomPatterns(rooms) };

  const session = new FullSession(options, socket, app, connection, { take() {}, live() {}, leave() {} }, grant);
  let notEntered = 0;
  metrics.roomsNotEntered.inc = (() => void notEntered++) as typeof metrics.roomsNotEntered.inc;

  const fixture = {
    session,
    open: true,
    closedWith: undefined as [number, string] | undefined,
    /** What has been sent, read. */
    sent: [] as Frame[],
    /** Joins, goes, leaves and hello, in their order. */
    events: [] as string[],
    socketCalls: [] as string[],
    onJoin: (_target: Target): Promise<void> => Promise.resolve(),
    roomsOf: (): Promise<readonly string[]> => Promise.resolve([]),
    drained: (): Promise<boolean> => Promise.resolve(true),
    publish: (async () => ({ msgId: "m", duplicate: false, positions: [undefined] })) as Publish,
    notEntered: (_reason: string) => notEntered,
    start: () => session.start(app, undefined, { account: undefined, app: undefined }),
    receive: (frame: object | string) => session.receive(typeof frame === "string" ? frame : JSON.stringify(frame)),
    ops: () => fixture.sent.map(({ op }) => op),
    ids: () => fixture.sent.flatMap(({ id }) => (id === undefined ? [] : [id])),
    /** Waits until so many frames have been sent. */
    async until(count: number): Promise<void> {
      for (let turns = 0; fixture.sent.length < count; turns++) {
        assert.ok(turns < 1_000, `${fixture.sent.length} of ${count} frames were sent`);
        await turn();
      }
    },
    async answer(id: unknown): Promise<Frame> {
      for (let turns = 0; ; turns++) {
        const found = fixture.sent.find((frame) => frame["id"] === id);
        if (found) return found;
        assert.ok(turns < 1_000, `no answer to ${String(id)}`);
        await turn();
      }
    },
    async ask(op: Frame): Promise<Frame> {
      fixture.receive(op);
      return fixture.answer(op["id"]);
    },
  };
  return fixture;
}
