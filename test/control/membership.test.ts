// Membership of rooms: remembered first, then told; and read again after an outage in which changes may have been lost.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createMembership } from "../../server/src/control/membership.ts";
import type { Exchange } from "../../server/src/exchange/exchange.ts";
import type { Connection } from "../../server/src/hub/connection.ts";
import type { Hub } from "../../server/src/hub/hub.ts";
import { accountTarget, roomTarget } from "../../server/src/protocol/target.ts";
import { createMemoryStore } from "../../server/src/store/memory.ts";
import type { Store } from "../../server/src/store/store.ts";

function setUp(t: { after(end: () => Promise<void>): void }, connected: readonly string[] = []) {
  const store = createMemoryStore({ now: () => 0, historyOf: () => ({ messages: 0, ms: 0 }) });
  t.after(() => store.close());
  const told: string[] = [];
  const read: string[] = [];
  const exchange: Pick<Exchange, "publish"> = {
    async publish(deliveries, envelope) {
      if (envelope.kind !== "membership") throw new Error(`a ${envelope.kind} was published`);
      for (const { target } of deliveries) told.push(`${target.app}/${target.name} ${envelope.member ? "in" : "out of"} ${envelope.room}`);
    },
  };
  const connection = (app: string, account: string) => ({ id: account, app, account }) as Connection;
  const hub: Pick<Hub, "connections"> = { connections: (app, account) => (connected.includes(account) ? [connection(app, account)] : []) };
  const onRooms = ({ id }: Connection, rooms: readonly string[]) => void read.push(`${id}: ${rooms.toSorted()}`);
  const onChange = ({ id }: Connection, room: string, member: boolean) => void read.push(`${id}: ${member ? "in" : "out of"} ${room}`);
  const membership = createMembership({ hub, exchange, store, onRooms, onChange });
  return { membership, exchange, store, told, read, connection };
}

test("adding and removing is remembered, and told to every node that holds one of the accounts", async (t) => {
  const { membership, told } = setUp(t);
  await membership.add("app", "r", ["b", "a"]);
  assert.deepEqual(await membership.members("app", "r", undefined, 10), ["a", "b"]);
  await membership.remove("app", "r", ["b"]);
  assert.deepEqual(await membership.members("app", "r", undefined, 10), ["a"]);
  assert.deepEqual([await membership.roomsOf("app", "a"), await membership.roomsOf("app", "b")], [["r"], []]);
  assert.deepEqual(told, ["app/b in r", "app/a in r", "app/b out of r"]);
});

test("what the store has refused is told to nobody", async (t) => {
  const { membership, store, told } = setUp(t);
  store.addMembers = async () => {
    throw new Error("the store does not answer");
  };
  await assert.rejects(membership.add("app", "r", ["a"]), /the store does not answer/);
  assert.deepEqual(told, []);
});

test("a change that could not be told is an error, and the same call again completes it", async (t) => {
  const { membership, exchange, told } = setUp(t);
  const publish = exchange.publish;
  exchange.publish = async () => {
    throw new Error("the exchange does not answer");
  };
  await assert.rejects(membership.add("app", "r", ["a"]), /the exchange does not answer/);
  assert.deepEqual(await membership.roomsOf("app", "a"), ["r"]);
  exchange.publish = publish;
  await membership.add("app", "r", ["a"]);
  assert.deepEqual(told, ["app/a in r"]);
});

test("of calls that meet on the same member, what is told last is what the store says, whichever of them is told first", async (t) => {
  const { membership, exchange, told } = setUp(t);
  const publish = exchange.publish;
  const { promise: slow, resolve } = Promise.withResolvers<void>();
  exchange.publish = async (deliveries, envelope) => {
    if (envelope.kind === "membership" && envelope.member) await slow;
    await publish(deliveries, envelope);
  };
  const added = membership.add("app", "r", ["a", "b"]);
  await membership.remove("app", "r", ["a"]);
  resolve();
  await added;
  assert.deepEqual(await membership.members("app", "r", undefined, 10), ["b"]);
  assert.deepEqual(told, ["app/a out of r", "app/a in r", "app/b in r", "app/a out of r"]);
});

/** A store that answers `roomsOf` with what it held when it was asked, as soon as `answer` is called. */
function slowToAnswer(store: Store): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  const roomsOf = store.roomsOf;
  store.roomsOf = async (app, accounts) => {
    const rooms = await roomsOf(app, accounts);
    await promise;
    return rooms;
  };
  return resolve;
}

test("a change that is told while rooms are read again goes on top of what is read, which may be older", async (t) => {
  const { membership, store, read, connection } = setUp(t, ["a", "b"]);
  await membership.add("app", "old", ["a", "b"]);
  const answer = slowToAnswer(store);
  const compared = membership.compare([accountTarget("app", "a"), accountTarget("app", "b"), accountTarget("other", "a")]);
  await membership.add("app", "new", ["a"]);
  membership.receive(connection("app", "a"), "new", true);
  await membership.remove("app", "old", ["a"]);
  membership.receive(connection("app", "a"), "old", false);
  answer();
  await compared;
  assert.deepEqual(read, ["a: in new", "a: out of old", "a: new", "b: old", "a: "]);
});

test("so it does for a connection that asks for its account's rooms; a change from before is in what is read", async (t) => {
  const { membership, store, connection } = setUp(t, ["a"]);
  membership.receive(connection("app", "a"), "before", true);
  await membership.add("app", "old", ["a"]);
  const answer = slowToAnswer(store);
  const rooms = membership.roomsOf("app", "a");
  membership.receive(connection("app", "a"), "new", true);
  membership.receive(connection("app", "a"), "new", false);
  membership.receive(connection("app", "a"), "newer", true);
  answer();
  assert.deepEqual(await rooms, ["old", "newer"]);
});

test("after an outage the rooms of connected accounts are read again, of each application by itself", async (t) => {
  const { membership, read } = setUp(t, ["a", "b"]);
  await membership.add("one", "r", ["a"]);
  await membership.add("two", "s", ["b"]);
  await membership.compare([accountTarget("one", "a"), accountTarget("two", "b"), accountTarget("one", "away"), roomTarget("one", "r")]);
  assert.deepEqual(read, ["a: r", "b: s"]);
});

test("more accounts than fit into one request are all read, and an application that cannot be read does not stop the others", async (t) => {
  const accounts = Array.from({ length: 1_201 }, (_, i) => `user_${i}`);
  const { membership, store, read } = setUp(t, [...accounts, "b"]);
  await membership.add("two", "s", ["b"]);
  const sizes: number[] = [];
  const roomsOf: Store["roomsOf"] = store.roomsOf;
  store.roomsOf = async (app, asked) => {
    sizes.push(asked.length);
    if (app === "broken") throw new Error("the store does not answer");
    return roomsOf(app, asked);
  };
  await membership.compare([...accounts.map((name) => accountTarget("one", name)), accountTarget("broken", "a"), accountTarget("two", "b")]);
  assert.equal(read.length, 1_202);
  assert.equal(read.at(-1), "b: s");
  assert.deepEqual(sizes, [500, 500, 201, 1, 1]);
});
