// The order of last use.
import assert from "node:assert/strict";
import { test } from "node:test";
import { LastUse, type Place } from "../../server/src/store/last-use.ts";

class Thing implements Place<Thing> {
  readonly name: string;
  before: Thing | undefined;
  after: Thing | undefined;

  constructor(name: string) {
    this.name = name;
  }
}

function drain(order: LastUse<Thing>): string[] {
  const found: string[] = [];
  for (let first = order.first; first !== undefined; first = order.first) {
    found.push(first.name);
    order.remove(first);
  }
  return found;
}

function setUp(names: readonly string[]) {
  const order = new LastUse<Thing>();
  const things = new Map(names.map((name) => [name, new Thing(name)]));
  const thing = (name: string) => things.get(name) as Thing;
  for (const name of names) order.use(thing(name));
  return { order, use: (name: string) => order.use(thing(name)), remove: (name: string) => order.remove(thing(name)) };
}

test("what was used longest ago comes first, however often it was used before", () => {
  const { order, use } = setUp(["a", "b", "c", "d"]);
  for (const name of ["a", "c", "c", "d", "b"]) use(name);
  assert.deepEqual(drain(order), ["a", "c", "d", "b"]);
});

test("what is removed at either end or between is gone, and may come back", () => {
  const { order, use, remove } = setUp(["a", "b", "c", "d", "e"]);
  for (const name of ["a", "c", "e", "e"]) remove(name);
  use("c");
  assert.deepEqual(drain(order), ["b", "d", "c"]);
  assert.equal(order.first, undefined);
});

test("nothing comes first in an order that was cleared", () => {
  const { order } = setUp(["a", "b"]);
  order.clear();
  assert.equal(order.first, undefined);
  const other = new Thing("c");
  order.use(other);
  assert.equal(order.first, other);
});
