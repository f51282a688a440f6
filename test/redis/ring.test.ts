// Consistent hashing: fair, stable, and with few ids moving.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createRing } from "../../server/src/redis/ring.ts";

const shards = (n: number) => Array.from({ length: n }, (_, i) => `single 10.0.0.${i}:6379  0`);
const ids = Array.from({ length: 20_000 }, (_, n) => `3:app7:accountuser_${n}`);

test("one shard has everything", () => {
  const place = createRing(shards(1));
  assert.ok(ids.slice(0, 100).every((id) => place(id) === 0));
});

test("each of several shards has its share, within a fifth", () => {
  for (const n of [2, 3, 8]) {
    const place = createRing(shards(n));
    const counts = Array<number>(n).fill(0);
    for (const id of ids) counts[place(id)] = (counts[place(id)] ?? 0) + 1;
    const fair = ids.length / n;
    assert.ok(
      counts.every((count) => Math.abs(count - fair) < fair / 5),
      `${n} shards: ${counts}`,
    );
  }
});

test("a shard that is added takes its share from the others, and nothing moves between those", () => {
  for (const n of [2, 4]) {
    const [before, after] = [createRing(shards(n)), createRing(shards(n + 1))];
    const moved = ids.filter((id) => before(id) !== after(id));
    assert.ok(moved.every((id) => after(id) === n));
    const share = ids.length / (n + 1);
    assert.ok(moved.length > share * 0.8 && moved.length < share * 1.2, `${n} to ${n + 1}: ${moved.length} moved`);
  }
});

test("the order of the list does not matter", () => {
  const list = shards(5);
  const turned = [...list.slice(2), ...list.slice(0, 2)];
  const [place, other] = [createRing(list), createRing(turned)];
  for (const id of ids.slice(0, 5_000)) assert.equal(list[place(id)], turned[other(id)]);
});

test("the places never change between versions: nodes of two versions run side by side", () => {
  const place = createRing(shards(3));
  assert.deepEqual(["a", "b", "c", "用户", "", "x".repeat(5_000)].map(place), EXPECTED);
});

const EXPECTED = [1, 2, 2, 1, 1, 2];
