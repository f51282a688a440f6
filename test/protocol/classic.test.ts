// The classic frames, outwards and inwards.
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeClassicSend, encodeClassic } from "../../server/src/protocol/classic.ts";
import { Event } from "../../server/src/protocol/message.ts";
import { accountTarget, appTarget, roomTarget } from "../../server/src/protocol/target.ts";

const identity = { msgId: "0199d3f0-7a3e-7cc4-b1ab-6f0c5d2a9e11", sendAt: 1_795_412_345_678 };

test("a push has no sender and no conversation, and event 0 is always there", () => {
  const frame = encodeClassic(accountTarget("test", "user_1"), "user_1", { ...identity, event: Event.SYSTEM, data: '{"text":"hi"}' });
  assert.equal(frame, '{"to":"user_1","event":0,"data":{"text":"hi"},"msg_id":"0199d3f0-7a3e-7cc4-b1ab-6f0c5d2a9e11","send_at":1795412345678}');
});

test("a client's message names its sender and its conversation; names are escaped", () => {
  const account = '用户 "2"\n';
  const frame = encodeClassic(accountTarget("test", account), account, { ...identity, from: 'a"\\', event: Event.CHAT, data: "{}" });
  assert.deepEqual(JSON.parse(frame), {
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
  assert.ok(encodeClassic(accountTarget("test", "u"), "u", { ...identity, event: Event.SYSTEM, data }).includes(`"data":${data},`));
});

test("a message in a room is event 2 to the room, whoever sent it and whoever receives it", () => {
  const target = roomTarget("test", 'chat:"1"');
  const chat = { ...identity, from: "alice", event: Event.CHAT, data: "{}" };
  const frame = encodeClassic(target, "bob", chat);
  assert.equal(frame, encodeClassic(target, "carol", chat));
  assert.deepEqual(JSON.parse(frame), {
    from: "alice",
    to: 'chat:"1"',
    event: 2,
    data: {},
    msg_id: identity.msgId,
    send_at: identity.sendAt,
    conversation_id: 'chat:"1"',
  });
  const pushed = JSON.parse(encodeClassic(target, "bob", { ...identity, event: Event.SYSTEM, data: "{}" })) as Record<string, unknown>;
  assert.deepEqual([pushed["event"], pushed["conversation_id"], pushed["from"]], [2, 'chat:"1"', undefined]);
});

test("a message to everyone names each receiver and has event 0", () => {
  const frame = encodeClassic(appTarget("test"), "bob", { ...identity, event: Event.SYSTEM, data: "{}" });
  assert.deepEqual(JSON.parse(frame), { to: "bob", event: 0, data: {}, msg_id: identity.msgId, send_at: identity.sendAt });
});

test("what only the full protocol has is not in a classic frame", () => {
  const frame = encodeClassic(roomTarget("test", "r"), "bob", { ...identity, event: Event.CHAT, key: "k", trace: "t", exclude: "c", data: "{}" });
  assert.deepEqual(Object.keys(JSON.parse(frame) as object), ["to", "event", "data", "msg_id", "send_at", "conversation_id"]);
});

test("a frame's receiver and data are read whatever else it holds; the last of a repeated member counts", () => {
  assert.deepEqual(decodeClassicSend('{"to":"a","to":"b","from":"x","data":1,"data":{"n":1e999}}', 8), {
    kind: "account",
    to: "b",
    data: '{"n":1e999}',
  });
  assert.deepEqual(decodeClassicSend('{"t\\u006f":"\\u00fc","d\\u0061ta": { } }', 8), { kind: "account", to: "ü", data: "{ }" });
});

test("event 2 sends to a room; any other event is as if it were not there", () => {
  const kindOf = (event: string) => (decodeClassicSend(`{"to":"a","event":${event},"data":{}}`, 2) as { kind: string }).kind;
  for (const event of ["2", "2.0", "0.2e1", "2e0"]) assert.equal(kindOf(event), "room", event);
  for (const event of ["0", "1", "3", "20", '"2"', "null", "true", "[2]", '{"a":2}', "1e400"]) assert.equal(kindOf(event), "account", event);
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
  ] as const)
    assert.equal(decodeClassicSend(text, 2), reason, text);
});
