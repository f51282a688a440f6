// The order of last use.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createPlace, LastUse } from "../../server/src/store/last-use.ts";

function drain(order: LastUse<string>, places: ReadonlyMap<string, ReturnType<typeof createPlace<string>>>): string[] {
  const found: string[] = [];
  for (let first = order.first; first !== undefined; first = order.first) {
    found.push(first);
    order.remove(places.get(first) as ReturnType<typeof createPlace<string>>);
  }
  return found;
}

function setUp(names: readonly string[]) {
  const order = new LastUse<string>();
  const places = new Map(names.map((name) => [name, createPlace(name)]));
  const placeOf = (name: string) => places.get(name) as ReturnType<typeof createPlace<string>>;
  for (const name of names) order.use(placeOf(name));
  return { order, places, use: (name: string) => order.use(placeOf(name)), remove: (name: string) => order.remove(placeOf(name)) };
}

test("what was used longest ago comes first, however often it was used before", () => {
  const { order, places, use } = setUp(["a", "b", "c", "d"]);
  for (const name of ["a", "c", "c", "d", "b"]) use(name);
  assert.deepEqual(drain(order, places), ["a", "c", "d", "b"]);
});

test("what is removed at either end or between is gone, and may come back", () => {
  const { order, places, use, remove } = setUp(["a", "b", "c", "d", "e"]);
  for (const name of ["a", "c", "e", "e"]) remove(name);
  use("c");
  assert.deepEqual(drain(order, places), ["b", "d", "c"]);
  assert.equal(order.first, undefined);
});

test("nothing comes first in an order that was cleared", () => {
  const { order } = setUp(["a", "b"]);
  order.clear();
  assert.equal(order.first, undefined);
  order.use(createPlace("c"));
  assert.equal(order.first, "c");
});
