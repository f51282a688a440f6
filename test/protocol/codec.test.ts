// Envelopes as text: what is written is read again, and everything else is poison.
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeBody, decodeOnChannel, encodeBody, encodeOnChannel, PoisonError } from "../../server/src/protocol/codec.ts";
import { encodeShared } from "../../server/src/protocol/codec-shared.ts";
import { type Envelope, kickEnvelope, loadEnvelope, membershipEnvelope, messageEnvelope, versionFor } from "../../server/src/protocol/envelope.ts";
import type { Event } from "../../server/src/protocol/message.ts";
import { envelopeVectors } from "./envelope-vectors.ts";

const message = messageEnvelope({ msgId: "m1", from: "user_1", event: 1, sendAt: 1_700_000_000_000, data: '{ "a" : 1e400,\n"b":"用户" }' });

test("a body is one line of members and the data as it was published", () => {
  assert.equal(encodeBody(message), '{"kind":"message","msg_id":"m1","from":"user_1","event":1,"send_at":1700000000000}\n{ "a" : 1e400,\n"b":"用户" }');
  assert.equal(encodeBody(kickEnvelope("c")), '{"kind":"kick","connection_id":"c"}\n');
  assert.equal(encodeBody(kickEnvelope()), '{"kind":"kick"}\n');
});

test("what is written is read again, whatever it holds", () => {
  const envelopes: Envelope[] = [message, kickEnvelope(), kickEnvelope(""), kickEnvelope("c\n\u0000😀")];
  for (const node of ["", "n-1\n😀"]) envelopes.push(loadEnvelope(node, 0), loadEnvelope(node, 1_000_000));
  for (const room of ["", "a b", "\n", "🏠"]) envelopes.push(membershipEnvelope(room, true), membershipEnvelope(room, false));
  for (const each of ["", "\n", '"', "__proto__", "用户"])
    envelopes.push(messageEnvelope({ msgId: "m", event: 1, key: each, exclude: each, trace: each, sendAt: 1, data: "{}" }));
  for (const event of [0, 1, 2] as const satisfies Event[])
    for (const from of ["", "\n", '"', "__proto__", "用户\u2028"]) envelopes.push(messageEnvelope({ msgId: "m\n", from, event, sendAt: 0, data: "{}" }));
  envelopes.push(messageEnvelope({ msgId: "m", event: 0, sendAt: -1.5, data: `{"x":"${"\n".repeat(1_000)}"}` }));
  for (const envelope of envelopes) {
    const body = encodeBody(envelope);
    assert.deepEqual(decodeBody(body), envelope);
    for (const position of [undefined, { epoch: "e1", offset: 1, previous: "" }, { epoch: "e1", offset: Number.MAX_SAFE_INTEGER, previous: "m0" }])
      for (const version of [1, 2] as const) assert.deepEqual(decodeOnChannel(encodeOnChannel(position, body, version)), { position, envelope });
  }
});

for (const { name, wire_version, target, position, envelope, on_channel: onChannel, shared } of envelopeVectors)
  test(`as test/vectors/envelope.json has it: ${name}`, () => {
    const [body, version] = [encodeBody(envelope), versionFor(wire_version, target.kind, envelope.kind)];
    assert.equal(encodeOnChannel(position, body, version), onChannel);
    assert.equal(encodeShared([{ target, position }], body, version), shared);
    assert.deepEqual(decodeOnChannel(onChannel), { position, envelope });
  });

test("members of another type than theirs are left out where a message can do without them", () => {
  const body = '{"kind":"message","msg_id":"m","from":1,"event":1,"send_at":1,"key":{},"exclude":null,"trace":["t"]}\n{}';
  assert.deepEqual(decodeBody(body), messageEnvelope({ msgId: "m", event: 1, sendAt: 1, data: "{}" }));
});

test("members that this version does not know are ignored", () => {
  const body = '{"kind":"message","msg_id":"m","event":1,"send_at":1,"colour":"t","__proto__":{"from":"x"},"from":"a"}\n{}';
  assert.deepEqual(decodeBody(body), messageEnvelope({ msgId: "m", from: "a", event: 1, sendAt: 1, data: "{}" }));
  assert.deepEqual(decodeBody('{"kind":"kick","why":1}\n'), kickEnvelope());
});

const BODIES: readonly string[] = [
  "",
  "\n",
  "{}",
  "{}\n{}",
  "null\n{}",
  "[]\n{}",
  '"kick"\n',
  '{"kind":"planet"}\n{}',
  '{"kind":"kick"',
  '{"kind":"kick","connection_id":1}\n',
  '{"kind":"kick","connection_id":null}\n',
  '{"kind":"constructor"}\n{}',
  '{"kind":"membership"}\n',
  '{"kind":"membership","room":"r"}\n',
  '{"kind":"membership","room":"r","member":"true"}\n',
  '{"kind":"membership","room":1,"member":true}\n',
  '{"kind":"load","node":"n"}\n',
  '{"kind":"load","connections":1}\n',
  '{"kind":"load","node":"n","connections":-1}\n',
  '{"kind":"load","node":"n","connections":1.5}\n',
  '{"kind":"load","node":"n","connections":"1"}\n',
  '{"kind":"message"}\n{}',
  '{"kind":"message","msg_id":"","event":1,"send_at":1}\n{}',
  '{"kind":"message","msg_id":1,"event":1,"send_at":1}\n{}',
  '{"kind":"message","msg_id":"m","event":3,"send_at":1}\n{}',
  '{"kind":"message","msg_id":"m","event":"1","send_at":1}\n{}',
  '{"kind":"message","msg_id":"m","event":1,"send_at":"1"}\n{}',
  '{"kind":"message","msg_id":"m","event":1}\n{}',
  '{"kind":"message","msg_id":"m","event":1,"send_at":1}',
  '{"kind":"message","msg_id":"m","event":1,"send_at":1}\n',
  '{"kind":"message","msg_id":"m","event":1,"send_at":1}\n[]',
  '{"kind":"message","msg_id":"m","event":1,"send_at":1}\n{',
];

for (const body of BODIES) {
  test(`a poisoned body: ${JSON.stringify(body)}`, () => {
    assert.throws(() => decodeBody(body), PoisonError);
    assert.throws(() => decodeOnChannel(`1\n${body}`), PoisonError);
  });
}

const HEADS: readonly string[] = [
  "",
  "0",
  "3",
  "01",
  "1.5",
  "2.0",
  "constructor",
  "one",
  "1 e",
  "1 e 0 -",
  "1 e -1 -",
  "1 e 1.5 -",
  "1 e x -",
  "1 e 9007199254740992 -",
  "1  1 -",
];

for (const head of HEADS) {
  test(`a poisoned head: ${JSON.stringify(head)}`, () => {
    assert.throws(() => decodeOnChannel(`${head}\n${encodeBody(message)}`), PoisonError);
  });
}

test("a text without any line is poison", () => {
  assert.throws(() => decodeOnChannel("1"), PoisonError);
});
