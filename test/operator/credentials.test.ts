// The life of a generated secret.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type AdvanceInput, advance, firstCredentials, nextChangeMs, type Rotation, rotationOf, toSecrets } from "../../server/src/operator/credentials.ts";
import { parseSpan } from "../../server/src/operator/duration.ts";
import { NOW, secretOf } from "./sample.ts";

const HOUR = 3_600_000;
const rotation: Rotation = { intervalMs: 10 * HOUR, overlapMs: 5 * HOUR, trigger: "" };
const first = firstCredentials(secretOf("1"), NOW, "");
const input = (nowMs: number, more: Partial<AdvanceInput> = {}): AdvanceInput => ({
  rotation,
  nowMs,
  told: secretOf("1").secret,
  generate: () => secretOf("2"),
  ...more,
});

test("durations add up", () => {
  assert.deepEqual(["90s", "1h30m", "0s", "720h"].map(parseSpan), [90_000, 5_400_000, 0, 2_592_000_000]);
  assert.throws(() => parseSpan("1d"), /"1d" is no duration/);
});

test("the overlap is half the interval unless set, and a day without an interval", () => {
  const of = (spec: object) => rotationOf({ credentials: { rotation: spec } });
  assert.deepEqual(of({ interval: "10h" }), { ...rotation });
  assert.equal(of({ interval: "10h", overlap: "1h" })?.overlapMs, HOUR);
  assert.deepEqual(of({ trigger: "x" }), { intervalMs: undefined, overlapMs: 24 * HOUR, trigger: "x" });
  assert.equal(rotationOf({}), undefined);
});

test("nothing changes before the interval is over", () => {
  assert.deepEqual(advance(first, input(NOW + 10 * HOUR - 1)), first);
  assert.equal(nextChangeMs(first, rotation), NOW + 10 * HOUR);
  assert.equal(nextChangeMs(first, undefined), Number.POSITIVE_INFINITY);
});

test("a secret that is due waits beside the active one until it has been told, however long that takes", () => {
  const due = advance(first, input(NOW + 10 * HOUR));
  assert.deepEqual([due.active, due.pending, due.previous], [first.active, secretOf("2"), []]);
  assert.deepEqual(toSecrets(due), [secretOf("1"), secretOf("2")]);
  assert.deepEqual(advance(due, input(NOW + 90 * HOUR, { generate: () => assert.fail("one is on its way") })), due);
  assert.equal(nextChangeMs(due, rotation), Number.POSITIVE_INFINITY);
});

test("a secret that was told becomes the active one, and the one before ends after the overlap", () => {
  const due = advance(first, input(NOW + 10 * HOUR));
  const turned = advance(due, input(NOW + 11 * HOUR, { told: secretOf("2").secret }));
  assert.equal(turned.pending, undefined);
  assert.deepEqual(toSecrets(turned), [secretOf("2"), { ...secretOf("1"), not_after: new Date(NOW + 16 * HOUR).toISOString() }]);
  assert.equal(nextChangeMs(turned, rotation), NOW + 16 * HOUR);
  const told = { told: secretOf("2").secret };
  assert.equal(advance(turned, input(NOW + 16 * HOUR - 1, told)).previous.length, 1);
  const ended = advance(turned, input(NOW + 16 * HOUR, told));
  assert.deepEqual(toSecrets(ended), [secretOf("2")]);
  assert.equal(nextChangeMs(ended, rotation), NOW + 21 * HOUR);
});

test("a change of the trigger rotates once, and taking it away does not", () => {
  const by = (trigger: string) => ({ rotation: { ...rotation, intervalMs: undefined, trigger } });
  const triggered = advance(first, input(NOW, by("now")));
  assert.deepEqual([triggered.pending, triggered.trigger], [secretOf("2"), "now"]);
  const again = advance(triggered, input(NOW, { ...by("now"), told: secretOf("2").secret, generate: () => assert.fail("once") }));
  assert.equal(again.active.id, "2");
  assert.equal(advance(again, input(NOW, { ...by(""), told: secretOf("2").secret, generate: () => assert.fail("nothing asked") })).trigger, "");
  assert.equal(advance(again, input(NOW, { ...by("later"), told: secretOf("2").secret, generate: () => secretOf("3") })).pending?.id, "3");
});

test("an application that was made with a trigger is not rotated by it", () => {
  assert.equal(advance(firstCredentials(secretOf("1"), NOW, "x"), input(NOW, { rotation: { ...rotation, trigger: "x" } })).pending, undefined);
});

test("a Secret that somebody has edited does not finish a rotation", () => {
  const due = advance(first, input(NOW + 10 * HOUR));
  assert.deepEqual(advance(due, input(NOW + 11 * HOUR, { told: "something else" })), due);
  assert.deepEqual(advance(due, input(NOW + 11 * HOUR, { told: undefined })), due);
});

test("rotations in quick succession keep the last four accepted", () => {
  let credentials = first;
  for (let i = 2; i <= 9; i++) {
    const by = { rotation: { ...rotation, trigger: String(i) }, generate: () => secretOf(String(i)) };
    credentials = advance(credentials, input(NOW, { ...by, told: credentials.active.secret }));
    credentials = advance(credentials, input(NOW, { ...by, told: credentials.pending?.secret }));
  }
  assert.deepEqual([credentials.active.id, credentials.previous.map(({ id }) => id)], ["9", ["8", "7", "6", "5"]]);
});
