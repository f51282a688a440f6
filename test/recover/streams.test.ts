// Joining a stream with a position: everything that was missed, in order, once, or an honest no; under publishing that never stops.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Connection } from "../../server/src/hub/connection.ts";
import type { Hub, Tap } from "../../server/src/hub/hub.ts";
import type { Message } from "../../server/src/protocol/message.ts";
import type { Position } from "../../server/src/protocol/position.ts";
import { roomTarget } from "../../server/src/protocol/target.ts";
import type { Order } from "../../server/src/recover/order.ts";
import type { Asked } from "../../server/src/recover/read-back.ts";
import { createStreams } from "../../server/src/recover/streams.ts";
import type { Store } from "../../server/src/store/store.ts";
import { StreamStore } from "./stream-store.ts";

const target = roomTarget("app", "room");

interface Scene {
  readonly store: StreamStore;
  readonly streams: ReturnType<typeof createStreams>;
  readonly connection: Connection;
  /** The ids that the connection was sent. */
  readonly sent: string[];
  readonly closed: number[];
  /** Publishes: into the store, and at once to the connection or its tap. */
  publish(id: string): void;
  /** Called after each message sent to the connection. */
  onSent: () => void;
  full: boolean;
  /** Lets the socket take what waits. */
  drain(): void;
}

function scene({ recoverMessages = 1_000, protocol = "v2" as "v2" | "classic" } = {}): Scene {
  const store = new StreamStore();
  const sent: string[] = [];
  const closed: number[] = [];
  let tap: Tap | undefined;
  let live = false;
  let drained: (() => void) | undefined;
  const s: Scene = {
    store,
    streams: undefined as never,
    connection: {
      id: "c",
      protocol,
      get open() {
        return closed.length === 0;
      },
      get bufferedBytes() {
        return s.full ? 1_000_000 : 0;
      },
      drained: () => new Promise<boolean>((resolve) => (drained = () => resolve(closed.length === 0))),
      close: (code: number) => void closed.push(code),
    } as unknown as Connection,
    sent,
    closed,
    publish(id) {
      const { message, position } = store.add(id);
      if (live) sent.push(message.msgId);
      else tap?.(message, position);
    },
    onSent: () => {},
    full: false,
    drain() {
      s.full = false;
      drained?.();
    },
  };
  const hub: Pick<Hub, "subscribe" | "live" | "unsubscribe" | "send"> = {
    async subscribe(_connection, _target, given) {
      tap = given;
      live = given === undefined;
    },
    live() {
      live = true;
    },
    unsubscribe() {
      live = false;
      tap = undefined;
    },
    send(_connection, _target, message: Message) {
      if (closed.length > 0) return false;
      sent.push(message.msgId);
      s.onSent();
      return true;
    },
  };
  const order: Pick<Order, "positionOf"> = { positionOf: () => store.at };
  const whole = Object.assign(store, {
    async latest(_target: unknown, before = Number.POSITIVE_INFINITY, limit: number) {
      const older = store.entries.filter(({ position }) => position.offset < before);
      return { position: store.at, entries: older.slice(-limit), more: older.length > limit };
    },
  });
  return Object.assign(s, { streams: createStreams({ hub: hub as Hub, order: order as Order, store: whole as unknown as Store, recoverMessages }) });
}

/** Everything under way has had its turn. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
}

const ids = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `m${from + i}`);
const fill = (s: Scene, from: number, to: number) => ids(from, to).forEach((id) => void s.store.add(id));
const positionAt = (s: Scene, offset: number): Position => ({ epoch: s.store.epoch, offset, msgId: offset === 0 ? "" : `m${offset}` });

test("without a position the answer says where the stream is, and what comes later is live", async () => {
  const s = scene();
  fill(s, 1, 3);
  const joined = s.streams.join(s.connection, target);
  s.publish("m4");
  const { state, go } = await joined;
  assert.deepEqual(state, { position: positionAt(s, 4) });
  s.publish("m5");
  go();
  s.publish("m6");
  assert.deepEqual(s.sent, ["m5", "m6"], "m4 is before the position that was answered");
});

test("at the end of the stream nothing is missed, and the store is not asked", async () => {
  const s = scene();
  fill(s, 1, 3);
  const { state, go } = await s.streams.join(s.connection, target, positionAt(s, 3));
  assert.deepEqual(state, { position: positionAt(s, 3), recovered: true });
  assert.equal(s.store.asked, 0);
  go();
  await settled();
  s.publish("m4");
  assert.deepEqual(s.sent, ["m4"]);
});

test("what was missed comes in order before what comes live, each once, while publishing goes on", async () => {
  for (const missed of [1, 99, 100, 101, 250]) {
    const s = scene();
    fill(s, 1, missed + 10);
    let next = missed + 11;
    const publish = () => s.publish(`m${next++}`);
    // A message more for every second one that is sent, for a while: the stream grows under the replay.
    let turn = 0;
    s.onSent = () => {
      if (turn++ % 2 === 0 && next < missed + 60) publish();
    };
    const joining = s.streams.join(s.connection, target, positionAt(s, 10));
    publish();
    const { state, go } = await joining;
    assert.equal(state.recovered, true);
    publish();
    go();
    for (let i = 0; i < 20; i++) {
      await settled();
      publish();
    }
    await settled();
    assert.deepEqual(s.sent, ids(11, next - 1), `${missed} missed`);
  }
});

test("more live messages than are kept meanwhile are read from the store", async () => {
  const s = scene();
  fill(s, 1, 20);
  s.full = true;
  const { go } = await s.streams.join(s.connection, target, positionAt(s, 10));
  go();
  await settled();
  assert.deepEqual(s.sent, [], "the socket takes nothing");
  for (let n = 21; n <= 3_000; n++) s.publish(`m${n}`);
  s.drain();
  await settled();
  s.publish("m3001");
  await settled();
  assert.deepEqual(s.sent, ids(11, 3_001));
});

test("a position that the store does not have is answered with the reason, and nothing of what was missed is sent", async () => {
  const cases: [string, (s: Scene) => Position | undefined][] = [
    ["epoch_changed", (s) => ({ ...positionAt(s, 5), epoch: "other" })],
    ["epoch_changed", (s) => ({ ...positionAt(s, 5), msgId: "another message" })],
    ["epoch_changed", (s) => ({ ...positionAt(s, 50) })],
    [
      "too_old",
      (s) => {
        s.store.entries.splice(0, 8);
        return positionAt(s, 5);
      },
    ],
    ["too_many", (s) => positionAt(s, 2)],
    [
      "store_unavailable",
      (s) => {
        s.store.down = true;
        return positionAt(s, 5);
      },
    ],
  ];
  for (const [reason, from] of cases) {
    const s = scene({ recoverMessages: 15 });
    fill(s, 1, 20);
    const { state, go } = await s.streams.join(s.connection, target, from(s));
    assert.deepEqual(state, { position: positionAt(s, 20), recovered: false, reason });
    go();
    s.publish("m21");
    await settled();
    assert.deepEqual(s.sent, ["m21"], reason);
  }
});

test("what leaves the store while it is being sent closes the connection: never half of it in silence", async () => {
  const s = scene();
  fill(s, 1, 300);
  s.onSent = () => {
    if (s.sent.length === 50) s.store.entries.splice(0, 250);
  };
  const { state, go } = await s.streams.join(s.connection, target, positionAt(s, 0));
  assert.equal(state.recovered, true);
  go();
  await settled();
  assert.deepEqual(s.closed, [4204]);
  assert.deepEqual(s.sent, ids(1, 100));
});

test("a stream that begins anew while it is caught up with closes the connection", async () => {
  const s = scene();
  fill(s, 1, 20);
  const { go } = await s.streams.join(s.connection, target, positionAt(s, 10));
  s.store.wipe("e2");
  s.publish("n1");
  go();
  await settled();
  assert.deepEqual(s.closed, [4204]);
});

test("a classic connection is live at once", async () => {
  const s = scene({ protocol: "classic" });
  fill(s, 1, 3);
  const joining = s.streams.join(s.connection, target);
  s.publish("m4");
  assert.deepEqual((await joining).state, {});
  assert.deepEqual(s.sent, ["m4"]);
});

test("reading back: the newest, those before, those after, and no further than the stream is whole", async () => {
  const s = scene();
  fill(s, 1, 10);
  const read = async (asked: Omit<Asked, "maxBytes">, maxBytes = 1_000_000) => {
    const { texts, more } = await s.streams.read(target, { ...asked, maxBytes });
    return [texts.map((text) => JSON.parse(text).msg_id), more];
  };
  assert.deepEqual(await read({ limit: 3 }), [ids(8, 10), true]);
  assert.deepEqual(await read({ before: 4, limit: 10 }), [ids(1, 3), false]);
  assert.deepEqual(await read({ after: { epoch: "e1", offset: 4 }, limit: 3 }), [ids(5, 7), true]);
  assert.deepEqual(await read({ after: { epoch: "e1", offset: 8 }, limit: 5 }), [ids(9, 10), false]);
  assert.deepEqual(await read({ after: { epoch: "e1", offset: 10 }, limit: 5 }), [[], false]);
  assert.deepEqual(await read({ limit: 5 }, 1), [ids(10, 10), true], "one, however large");
  assert.deepEqual(await read({ after: { epoch: "e1", offset: 2 }, limit: 5 }, 1), [ids(3, 3), true]);
  fill(s, 11, 400);
  assert.deepEqual(await read({ limit: 250 }), [ids(151, 400), true], "several pages");
  assert.deepEqual(await read({ limit: 1_000 }), [ids(1, 400), false]);
  assert.deepEqual(await read({ before: 301, limit: 1_000 }), [ids(1, 300), false]);
  assert.deepEqual(await read({ after: { epoch: "e1", offset: 50 }, limit: 250 }), [ids(51, 300), true]);
  assert.deepEqual(await read({ after: { epoch: "e1", offset: 100 }, limit: 300 }), [ids(101, 400), false]);
  s.store.entries.splice(0, 5);
  for (const after of [
    { epoch: "e1", offset: 4 },
    { epoch: "e0", offset: 8 },
    { epoch: "e1", offset: 401 },
  ])
    await assert.rejects(read({ after, limit: 5 }), { code: 1012 });
});
