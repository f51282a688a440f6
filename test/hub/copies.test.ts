// The frames of a message: which connections share one, and what is compressed.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { constants, inflateRawSync } from "node:zlib";
import type { Connection } from "../../server/src/hub/connection.ts";
import { Copies } from "../../server/src/hub/copies.ts";
import { MIN_DEFLATED_BYTES } from "../../server/src/hub/deflate.ts";
import type { Stream } from "../../server/src/hub/outgoing.ts";
import type { Message } from "../../server/src/protocol/message.ts";
import { accountTarget, appTarget, roomTarget, type Target } from "../../server/src/protocol/target.ts";
import { payloadOf } from "../../server/src/protocol/ws-frame.ts";

const place = { epoch: "e", offset: 1, previous: "" };

function copiesOf(target: Target, data: string): Copies {
  const stream: Stream = { target, slow: "close" };
  const message: Message = { event: 0, data, msgId: "0199d3f0-7a3e-7cc4-b1ab-6f0c5d2a9e12", sendAt: 1 };
  return new Copies(stream, message, place);
}

function peer(protocol: "classic" | "v2", deflates: boolean, account = "a"): Connection {
  return { protocol, deflates, account } as Connection;
}

function inflated(frame: Buffer): string {
  assert.equal(frame[0], 0xc1, "RSV1 is set");
  return inflateRawSync(Buffer.concat([payloadOf(frame), Buffer.of(0, 0, 0xff, 0xff)]), { finishFlush: constants.Z_SYNC_FLUSH }).toString();
}

const long = JSON.stringify({ text: "a longer text, and a longer text ".repeat(20) });
const short = JSON.stringify({ text: "x" });

describe("a message", () => {
  it("is compressed once for all who take it, in each protocol, and holds the same text", () => {
    for (const target of [roomTarget("app", "r"), accountTarget("app", "a"), appTarget("app")]) {
      const copies = copiesOf(target, long);
      const [plain, deflated] = [copies.for(peer("v2", false)), copies.for(peer("v2", true))];
      assert.equal(copies.for(peer("v2", true, "b")), deflated);
      assert.equal(copies.for(peer("v2", false, "b")), plain);
      assert.ok(deflated.frame.length < plain.frame.length / 2);
      assert.equal(inflated(deflated.frame), payloadOf(plain.frame).toString());
      assert.equal(deflated.entry, plain.entry);
    }
    const copies = copiesOf(roomTarget("app", "r"), long);
    const [plain, deflated] = [copies.for(peer("classic", false)), copies.for(peer("classic", true))];
    assert.equal(copies.for(peer("classic", true, "b")), deflated);
    assert.equal(inflated(deflated.frame), payloadOf(plain.frame).toString());
    assert.notEqual(deflated, copies.for(peer("v2", true)));
  });

  it("of everyone names each classic receiver, and is compressed for none of them", () => {
    const copies = copiesOf(appTarget("app"), long);
    const [one, other] = [copies.for(peer("classic", true, "a")), copies.for(peer("classic", true, "b"))];
    assert.notEqual(one, other);
    for (const [name, { frame }] of [["a", one] as const, ["b", other] as const]) {
      assert.equal(frame[0], 0x81);
      assert.equal(JSON.parse(payloadOf(frame).toString()).to, name);
    }
  });

  it("that is short, or that compressing does not make shorter, stays as it is", () => {
    const copies = copiesOf(roomTarget("app", "r"), short);
    assert.ok(copies.for(peer("v2", false)).frame.length < MIN_DEFLATED_BYTES);
    assert.equal(copies.for(peer("v2", true)), copies.for(peer("v2", false)));
    const noise = JSON.stringify({ text: crypto.getRandomValues(Buffer.alloc(60_000)).toString("base64") });
    const noisy = copiesOf(roomTarget("app", "r"), noise);
    const frame = noisy.for(peer("v2", true)).frame;
    assert.ok(frame.length <= noisy.for(peer("v2", false)).frame.length);
  });

  it("is compressed whatever its size", () => {
    for (const bytes of [256, 257, 511, 513, 4_096, 70_000, 300_000]) {
      const copies = copiesOf(roomTarget("app", "r"), JSON.stringify({ text: "abcdefgh ".repeat(bytes / 9) }));
      const [plain, deflated] = [copies.for(peer("v2", false)), copies.for(peer("v2", true))];
      assert.equal(inflated(deflated.frame), payloadOf(plain.frame).toString(), String(bytes));
    }
  });
});
