// The rooms that the backend has added an account to, as a connection knows them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Memberships } from "../../server/src/ws/memberships.ts";

test("changes that come before the rooms have been read go on top of what is read", () => {
  const memberships = new Memberships();
  assert.ok(!memberships.known);
  assert.ok(memberships.change("new", true));
  assert.ok(memberships.change("old", false));
  assert.ok(memberships.change("back", false));
  assert.ok(memberships.change("back", true));
  assert.deepEqual([memberships.has("new"), memberships.has("old"), memberships.has("stays")], [true, false, false]);
  assert.deepEqual([...memberships.rooms], ["new", "back"]);
  memberships.read(["old", "stays"]);
  assert.ok(memberships.known);
  assert.deepEqual(new Set(memberships.rooms), new Set(["stays", "new", "back"]));
});

test("a change that is none is told apart", () => {
  const memberships = new Memberships();
  assert.deepEqual([memberships.change("r", true), memberships.change("r", true)], [true, false]);
  memberships.read(["r"]);
  assert.deepEqual([memberships.change("r", true), memberships.change("r", false), memberships.change("r", false)], [false, true, false]);
  assert.ok(!memberships.has("r"));
});

test("what is read later tells what is new and what is gone", () => {
  const memberships = new Memberships();
  assert.deepEqual(memberships.read(["a", "b"]), { added: ["a", "b"], removed: [] });
  assert.deepEqual(memberships.read(["b", "c"]), { added: ["c"], removed: ["a"] });
  assert.deepEqual(memberships.read([]), { added: [], removed: ["b", "c"] });
});

test("an early change is known already when the rooms are read", () => {
  const memberships = new Memberships();
  memberships.change("early", true);
  assert.deepEqual(memberships.read(["early", "other"]), { added: ["other"], removed: [] });
});
