// Which rooms a connection may enter, and for how long a room token lets it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { roomPatterns } from "../../server/src/auth/rights.ts";
import type { Timed, Wheel } from "../../server/src/hub/wheel.ts";
import { Access } from "../../server/src/ws/access.ts";

/** An access among a wheel that is turned by hand; `ended` are the rooms whose token has ended with nothing beside it. */
function createAccess(...patterns: string[]) {
  const items = new Map<Timed, number>();
  const ended: string[] = [];
  const wheel: Wheel = {
    tick: 0,
    add: (item, delayMs) => void items.set(item, delayMs),
    remove: (item) => void items.delete(item),
    close() {},
  };
  const access = new Access(roomPatterns(patterns), { onPassEnded: (room) => void ended.push(room) }, wheel);
  function turn(nowMs: number): void {
    for (const item of [...items.keys()]) {
      items.delete(item);
      const delayMs = item.onTimer(nowMs);
      if (delayMs !== undefined) items.set(item, delayMs);
    }
  }
  return { access, items, ended, turn };
}

test("a room is open by the token's patterns, by the backend, or by a room token", () => {
  const { access } = createAccess("chat:*");
  assert.deepEqual([access.opens("chat:1"), access.opens("news")], [true, false]);
  access.memberships.change("news", true);
  access.admit("private", 10_000, 0);
  assert.deepEqual([access.opens("news"), access.opens("private"), access.opens("other")], [true, true, false]);
});

test("a room token ends five seconds after its exp, in one turn of the wheel, and that is told", () => {
  const { access, items, ended, turn } = createAccess();
  access.admit("private", 10_000, 1_000);
  assert.deepEqual([...items.values()], [14_000]);
  turn(14_999);
  assert.deepEqual([access.opens("private"), [...items.values()], ended], [true, [1], []]);
  turn(15_000);
  assert.deepEqual([access.opens("private"), items.size, ended], [false, 0, ["private"]]);
});

test("a room that something else opens outlives the token, silently", () => {
  const { access, ended, turn } = createAccess("chat:*");
  access.memberships.change("news", true);
  for (const room of ["chat:1", "news"]) access.admit(room, 1_000, 0);
  turn(10_000);
  assert.deepEqual([access.opens("chat:1"), access.opens("news"), ended], [true, true, []]);
});

test("a newer token for the room takes the place of the old one", () => {
  const { access, items, ended, turn } = createAccess();
  access.admit("private", 1_000, 0);
  access.admit("private", 60_000, 0);
  assert.equal(items.size, 1);
  turn(30_000);
  assert.deepEqual([access.opens("private"), ended], [true, []]);
});

test("a room that was left, and a connection that has gone, leave nothing on the wheel", () => {
  const { access, items, ended, turn } = createAccess();
  for (const room of ["a", "b", "c"]) access.admit(room, 1_000, 0);
  access.withdraw("a");
  access.withdraw("never");
  assert.deepEqual([items.size, access.opens("a")], [2, false]);
  access.end();
  assert.equal(items.size, 0);
  turn(100_000);
  assert.deepEqual(ended, []);
});
