// The classic frames, outwards and inwards.
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeClassicSend, encodeClassic } from "../../server/src/protocol/classic.ts";
import { Event } from "../../server/src/protocol/message.ts";

const identity = { msgId: "0199d3f0-7a3e-7cc4-b1ab-6f0c5d2a9e11", sendAt: 1_795_412_345_678 };

test("a push has no sender and no conversation, and event 0 is always there", () => {
  const frame = encodeClassic("user_1", { ...identity, event: Event.SYSTEM, data: '{"text":"hi"}' });
  assert.equal(String(frame), '{"to":"user_1","event":0,"data":{"text":"hi"},"msg_id":"0199d3f0-7a3e-7cc4-b1ab-6f0c5d2a9e11","send_at":1795412345678}');
});

test("a client's message names its sender and its conversation; names are escaped", () => {
  const frame = encodeClassic('用户 "2"\n', { ...identity, from: 'a"\\', event: Event.CHAT, data: "{}" });
  assert.deepEqual(JSON.parse(String(frame)), {
    from: 'a"\\',
    to: '用户 "2"\n',
    event: 1,
    data: {},
    msg_id: identity.msgId,
    send_at: identity.sendAt,
    conversation_id: '用户 "2"\n',
  });
});

test("data goes out as it came in, to the letter", () => {
  const data = '{ "big" : 12345678901234567890 ,\t"dup":1,"dup":2, "e":1E+2,"u":"\\u4f60你" }';
  assert.ok(String(encodeClassic("u", { ...identity, event: Event.SYSTEM, data })).includes(`"data":${data},`));
});

test("a frame's receiver and data are read whatever else it holds; the last of a repeated member counts", () => {
  assert.deepEqual(decodeClassicSend('{"to":"a","to":"b","from":"x","data":1,"data":{"n":1e999}}', 8), { to: "b", data: '{"n":1e999}' });
  assert.deepEqual(decodeClassicSend('{"t\\u006f":"\\u00fc","d\\u0061ta": { } }', 8), { to: "ü", data: "{ }" });
});

test("what cannot be a message is named by its reason", () => {
  for (const [text, reason] of [
    ["", "unparsable"],
    ["[]", "unparsable"],
    ['{"to":"a","data":{"b":[[]]}}', "unparsable"],
    ['{"data":{}}', "no_recipient_named"],
    ['{"to":"","data":{}}', "no_recipient_named"],
    ['{"to":1,"data":{}}', "no_recipient_named"],
    ['{"to":"half a pair \\ud800","data":{}}', "no_recipient_named"],
    [`{"to":"${"x".repeat(4_097)}","data":{}}`, "no_recipient_named"],
    ['{"to":"a"}', "data_not_object"],
    ['{"to":"a","data":[]}', "data_not_object"],
    ['{"to":"a","event":2,"data":{}}', "not_in_room"],
  ] as const)
    assert.equal(decodeClassicSend(text, 2), reason, text);
});
