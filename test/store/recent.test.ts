// A list that grows at its end and is cut at its beginning.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Recent } from "../../server/src/store/recent.ts";
import { createDraw } from "../helpers/random.ts";

test("it holds what an array would, whatever is pushed and cut", () => {
  const draw = createDraw(7);
  const [recent, array] = [new Recent<number>(), [] as number[]];
  for (let n = 0; n < 5_000; n++) {
    if (draw(5) < 3) {
      recent.push(n);
      array.push(n);
    } else {
      assert.equal(recent.shift(), array.shift());
    }
    assert.equal(recent.length, array.length);
    const at = draw(array.length + 2);
    assert.equal(recent.at(at), array[at]);
    const [from, to] = [draw(array.length + 1), draw(array.length + 1)];
    assert.deepEqual(recent.slice(from, to), array.slice(from, to));
  }
});

test("an empty list answers nothing", () => {
  const recent = new Recent<string>();
  assert.deepEqual([recent.shift(), recent.length, recent.at(0), recent.slice(0, 10)], [undefined, 0, undefined, []]);
});
