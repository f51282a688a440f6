// Message ids: UUIDv7 as RFC 9562 lays it out, in order and never twice.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { newMsgId } from "../../server/src/protocol/message.ts";
import { createMsgIds } from "../../server/src/protocol/msg-id.ts";

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const NOW_MS = 0x0199_d3f0_7a3e;

/** The milliseconds that an id tells. */
function timeOf(id: string): number {
  return Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16);
}

function fillWith(byte: number): (bytes: Buffer) => void {
  return (bytes) => void bytes.fill(byte);
}

describe("a message id", () => {
  it("has the layout of the RFC, whatever the random bits", () => {
    for (const byte of [0x00, 0x55, 0xaa, 0xff]) {
      const next = createMsgIds({ now: () => NOW_MS, fill: fillWith(byte) });
      for (let n = 0; n < 300; n++) {
        const id = next();
        assert.match(id, UUID_V7);
        assert.equal(timeOf(id), NOW_MS);
      }
    }
  });

  it("starts with the time, then a counter with its highest bit clear, then random bits", () => {
    const [zeros, ones] = [createMsgIds({ now: () => NOW_MS, fill: fillWith(0) }), createMsgIds({ now: () => NOW_MS, fill: fillWith(0xff) })];
    assert.equal(zeros(), "0199d3f0-7a3e-7000-8000-000000000000");
    assert.equal(zeros(), "0199d3f0-7a3e-7000-8100-000000000000");
    assert.equal(ones(), "0199d3f0-7a3e-77ff-bfff-ffffffffffff");
    assert.equal(ones(), "0199d3f0-7a3e-7800-80ff-ffffffffffff", "the counter carries over the variant's bits");
  });

  it("is greater than the one before it, within a millisecond and from one to the next", () => {
    let nowMs = NOW_MS;
    const next = createMsgIds({ now: () => nowMs });
    let last = "";
    for (let n = 0; n < 20_000; n++) {
      if (n % 100 === 0) nowMs++;
      const id = next();
      assert.ok(id > last, `${id} after ${last}`);
      last = id;
    }
  });

  it("goes on from the last one when the clock steps back, and follows it when it has caught up", () => {
    let nowMs = NOW_MS;
    const next = createMsgIds({ now: () => nowMs });
    const before = next();
    nowMs -= 60_000;
    const during = [next(), next()];
    assert.deepEqual(during.map(timeOf), [NOW_MS, NOW_MS]);
    nowMs = NOW_MS + 1;
    const after = next();
    assert.equal(timeOf(after), NOW_MS + 1);
    const ids = [before, ...during, after];
    assert.deepEqual(ids, ids.toSorted());
    assert.equal(new Set(ids).size, 4);
  });

  it("takes the next millisecond when the counter is used up", () => {
    const next = createMsgIds({ now: () => NOW_MS, fill: fillWith(0xff) });
    let id = next();
    let last = id;
    for (let n = 0; timeOf(id) === NOW_MS; n++) {
      assert.ok(n < 2 ** 18, "the counter never ends");
      last = id;
      id = next();
    }
    assert.equal(last, "0199d3f0-7a3e-7fff-bfff-ffffffffffff");
    assert.equal(timeOf(id), NOW_MS + 1);
    assert.ok(id > last);
  });

  it("is never made twice, and its end cannot be told from the one before", () => {
    const ids = Array.from({ length: 100_000 }, newMsgId);
    assert.equal(new Set(ids).size, ids.length);
    assert.equal(new Set(ids.map((id) => id.slice(21))).size, ids.length, "56 random bits each");
    assert.deepEqual(ids, ids.toSorted());
    assert.ok(Math.abs(timeOf(newMsgId()) - Date.now()) < 5_000);
  });

  it("of two makers of the same millisecond differs", () => {
    const makers = Array.from({ length: 8 }, () => createMsgIds({ now: () => NOW_MS }));
    const ids = makers.flatMap((next) => Array.from({ length: 1_000 }, next));
    assert.equal(new Set(ids).size, ids.length);
  });
});
