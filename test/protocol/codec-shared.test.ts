// Envelopes with several targets, as text: what is written is read again, and everything else is poison.
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeBody, PoisonError } from "../../server/src/protocol/codec.ts";
import { decodeShared, encodeShared, type SharedDelivery } from "../../server/src/protocol/codec-shared.ts";
import { kickEnvelope, messageEnvelope } from "../../server/src/protocol/envelope.ts";
import { accountTarget, appTarget, roomTarget } from "../../server/src/protocol/target.ts";

const body = encodeBody(messageEnvelope({ msgId: "m1", from: "a", event: 1, sendAt: 5, data: '{"a":\n1}' }));

test("the first line is a version and the deliveries, the rest is the body", () => {
  const deliveries: SharedDelivery[] = [
    { target: accountTarget("app", "user\n1"), position: { epoch: "e", offset: 7, previous: "m0" } },
    { target: accountTarget("app", "user_2"), position: undefined },
  ];
  assert.equal(encodeShared(deliveries, body), `1 [["app","account","user\\n1","e",7,"m0"],["app","account","user_2"]]\n${body}`);
});

test("whatever the names and positions hold comes through", () => {
  const names = ["", " ", "\n", "a b", "]]\n", '"', "\\", "__proto__", "\u0000", "用户", "😀", "\u2028", "x".repeat(10_000)];
  const deliveries: SharedDelivery[] = names.flatMap((name) => [
    { target: accountTarget(name, name), position: undefined },
    { target: roomTarget("app", name), position: { epoch: name || "e", offset: 1, previous: "" } },
    { target: appTarget(name), position: undefined },
    { target: accountTarget("app", name), position: { epoch: "e", offset: Number.MAX_SAFE_INTEGER, previous: name } },
  ]);
  for (const [n, envelope] of [messageEnvelope({ msgId: "m", event: 0, sendAt: 1, data: "{}" }), kickEnvelope(), kickEnvelope("c\n")].entries()) {
    const shared = decodeShared(encodeShared(deliveries, encodeBody(envelope), n === 1 ? 1 : 2));
    assert.deepEqual(shared.deliveries, deliveries);
    assert.deepEqual(shared.envelope(), envelope);
  }
});

const POISON: readonly string[] = [
  "",
  "\n",
  "1",
  "1\n",
  "1 \n",
  " \n{}",
  `0 [["a","account","b"]]\n${body}`,
  `3 [["a","account","b"]]\n${body}`,
  `constructor [["a","account","b"]]\n${body}`,
  `01 [["a","account","b"]]\n${body}`,
  `1.0 [["a","account","b"]]\n${body}`,
  `1\n[["a","account","b"]] x\n${body}`,
  `1 [["a","account","b"]]`,
  `1 [["a","account","b"]\n${body}`,
  `1 []\n${body}`,
  `1 {}\n${body}`,
  `1 null\n${body}`,
  `1 [null]\n${body}`,
  `1 [{"length":3,"0":"a"}]\n${body}`,
  `1 [["a","account"]]\n${body}`,
  `1 [["a","account","b","e"]]\n${body}`,
  `1 [["a","account","b","e",1]]\n${body}`,
  `1 [["a","account","b","e",1,"m",2]]\n${body}`,
  `1 [["a","account",1]]\n${body}`,
  `1 [[1,"account","b"]]\n${body}`,
  `1 [["a",null,"b"]]\n${body}`,
  `1 [["a","planet","b"]]\n${body}`,
  `1 [["a","constructor","b"]]\n${body}`,
  `1 [["a","account","b","",1,"m"]]\n${body}`,
  `1 [["a","account","b",1,1,"m"]]\n${body}`,
  `1 [["a","account","b","e",0,"m"]]\n${body}`,
  `1 [["a","account","b","e",-1,"m"]]\n${body}`,
  `1 [["a","account","b","e",1.5,"m"]]\n${body}`,
  `1 [["a","account","b","e",9007199254740992,"m"]]\n${body}`,
  `1 [["a","account","b","e","1","m"]]\n${body}`,
  `1 [["a","account","b","e",1,null]]\n${body}`,
  `1 [["a","account","b"],["a","account"]]\n${body}`,
];

for (const text of POISON) {
  test(`poison: ${JSON.stringify(text.slice(0, 60))}`, () => {
    assert.throws(() => decodeShared(text), PoisonError);
  });
}

test("a body that is none is poison only to those who look at it", () => {
  const shared = decodeShared('1 [["a","account","b"]]\nnothing');
  assert.equal(shared.deliveries.length, 1);
  assert.throws(() => shared.envelope(), PoisonError);
});

test("no text breaks the reader in another way", () => {
  const whole = encodeShared([{ target: accountTarget("app", "用户"), position: { epoch: "e", offset: 1, previous: "" } }], body);
  let seed = 1;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % below;
  };
  for (let n = 0; n < 20_000; n++) {
    const at = random(whole.length);
    const text = `${whole.slice(0, at)}${String.fromCharCode(random(128))}${whole.slice(at + random(4))}`;
    try {
      decodeShared(text).envelope();
    } catch (error) {
      assert.ok(error instanceof PoisonError, `${JSON.stringify(text)}: ${error}`);
    }
  }
});
