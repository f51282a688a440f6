// The frames that a v2 client receives.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrorCode, XlveinError } from "../../server/src/errors.ts";
import * as frames from "../../server/src/protocol/frames.ts";
import { Event, type Message } from "../../server/src/protocol/message.ts";
import { accountTarget, appTarget, roomTarget } from "../../server/src/protocol/target.ts";
import { assertServerFrame } from "../helpers/schemas.ts";

const message: Message = { msgId: "0199d3f0-7a3e-7cc4-b1ab-6f0c5d2a9e11", sendAt: 1_795_412_345_678, event: Event.CHAT, from: "alice", data: '{"text":"hi"}' };
const place = { epoch: "k3vZ8Qa1.2", offset: 17, previous: "" };
const position = { epoch: "k3vZ8Qa1.2", offset: 17, msgId: message.msgId };

/** The frame, which must fit the schema of the same name. */
function read(text: string, schema: string): unknown {
  assertServerFrame(text, schema);
  return JSON.parse(text);
}

test("a message in a room names the room, whoever sent it", () => {
  const rest = '"data":{"text":"hi"},"msg_id":"0199d3f0-7a3e-7cc4-b1ab-6f0c5d2a9e11","send_at":1795412345678,"conversation_id":"chat:1"';
  assert.equal(
    frames.encodeMessage(roomTarget("test", "chat:1"), message, place),
    `{"room":"chat:1","from":"alice","event":2,${rest},"epoch":"k3vZ8Qa1.2","offset":17}`,
  );
  const { from, ...push } = { ...message, event: Event.SYSTEM };
  assert.equal(frames.encodeMessage(roomTarget("test", "chat:1"), push, undefined), `{"room":"chat:1","event":2,${rest}}`);
});

test("a message to an account names it; a push has no conversation", () => {
  const target = accountTarget("test", "bob");
  assert.deepEqual(read(frames.encodeMessage(target, message, place), "MessageFrame"), {
    to: "bob",
    from: "alice",
    event: 1,
    data: { text: "hi" },
    msg_id: message.msgId,
    send_at: message.sendAt,
    conversation_id: "bob",
    epoch: "k3vZ8Qa1.2",
    offset: 17,
  });
  const { from, ...push } = { ...message, event: Event.SYSTEM };
  assert.deepEqual(Object.keys(read(frames.encodeMessage(target, push, undefined), "MessageFrame") as object), ["to", "event", "data", "msg_id", "send_at"]);
});

test("a message to everyone names nobody", () => {
  const frame = read(frames.encodeMessage(appTarget("test"), { ...message, event: Event.SYSTEM }, place), "MessageFrame") as Record<string, unknown>;
  assert.deepEqual([frame["to"], frame["room"], frame["conversation_id"], frame["event"]], [undefined, undefined, undefined, 0]);
});

test("key and trace go along; which connection is left out does not", () => {
  const frame = read(frames.encodeMessage(roomTarget("test", "r"), { ...message, key: 'a"b', trace: "00-1-2-01", exclude: "secret" }, place), "MessageFrame");
  assert.deepEqual([(frame as { key: string }).key, (frame as { trace: string }).trace], ['a"b', "00-1-2-01"]);
  assert.ok(!JSON.stringify(frame).includes("secret"));
});

test("data goes out to the letter, and no name breaks out of its place", () => {
  const data = '{ "big" : 12345678901234567890 ,\t"dup":1,"dup":2, "u":"\\u4f60你" }';
  for (const name of ['"},"op":"hello', "\\", "\n\u0000\u2028", "😀", "\ud83d"]) {
    const text = frames.encodeMessage(roomTarget("test", name), { ...message, from: name, data }, { epoch: name, offset: 1 });
    assert.ok(text.includes(`"data":${data},`));
    const frame = JSON.parse(text) as Record<string, unknown>;
    assert.deepEqual([frame["room"], frame["from"], frame["conversation_id"], frame["epoch"], frame["op"]], [name, name, name, name, undefined]);
  }
});

test("hello tells what the connection may do and where its streams are", () => {
  const hello = {
    connectionId: "c1",
    account: "alice",
    deviceId: undefined,
    serverVersion: "1.2.3",
    pingMs: 25_000,
    maxFrameBytes: 65_536,
    recoverable: true,
    timeMs: 1,
    expiresAtMs: undefined,
    rights: new Set(["direct", "history"]),
    rooms: ["chat:7"],
    streams: { account: { position, recovered: true }, app: { recovered: false, reason: "store_unavailable" } },
  } as const;
  assert.deepEqual(read(frames.encodeHello(hello), "HelloFrame"), {
    op: "hello",
    connection_id: "c1",
    account: "alice",
    server_version: "1.2.3",
    ping_ms: 25_000,
    max_frame_bytes: 65_536,
    recoverable: true,
    time: 1,
    rights: ["direct", "history"],
    rooms: ["chat:7"],
    streams: {
      account: { position: { epoch: "k3vZ8Qa1.2", offset: 17, msg_id: message.msgId }, recovered: true },
      app: { recovered: false, reason: "store_unavailable" },
    },
  });
  const full = read(frames.encodeHello({ ...hello, deviceId: "phone", expiresAtMs: 2 }), "HelloFrame") as Record<string, unknown>;
  assert.deepEqual([full["device_id"], full["expires_at"]], ["phone", 2]);
});

test("answers carry the id as it came", () => {
  assert.equal(frames.encodeReply(7), '{"op":"reply","id":7}');
  assert.equal(frames.encodeReply('a"b', { msg_id: "m", epoch: undefined }), '{"op":"reply","id":"a\\"b","msg_id":"m"}');
  assert.equal(frames.pong(), '{"op":"pong"}');
  assert.equal(frames.pong(0), '{"op":"pong","id":0}');
});

test("a history is a reply with messages as they were sent", () => {
  const text = frames.encodeMessage(roomTarget("test", "r"), message, place);
  const reply = read(frames.encodeHistoryReply("h", [text, text], position, true), "HistoryReply");
  assert.deepEqual(reply, {
    op: "reply",
    id: "h",
    messages: [JSON.parse(text), JSON.parse(text)],
    position: { epoch: position.epoch, offset: 17, msg_id: message.msgId },
    more: true,
  });
  assert.equal(
    frames.historyMembers([], { epoch: "e", offset: 0, msgId: "" }, false),
    '"messages":[],"position":{"epoch":"e","offset":0,"msg_id":""},"more":false',
  );
});

test("an error says its code, whether to try again and when; without an id it has none", () => {
  const unknown = new XlveinError(ErrorCode.UNKNOWN_OP, "op: this server has no such op");
  assert.equal(frames.encodeError(7, unknown), '{"op":"error","id":7,"code":1010,"message":"op: this server has no such op","retryable":false}');
  const limited = new XlveinError(ErrorCode.RATE_LIMITED, "too fast", { retryAfterSeconds: 3 });
  assert.deepEqual(read(frames.encodeError(undefined, limited), "ErrorFrame"), {
    op: "error",
    code: 600,
    message: "too fast",
    retryable: true,
    retry_after_ms: 3_000,
  });
});

test("a gap names its stream and what is missing, as far as anybody knows", () => {
  const gap = { reason: "dropped", epoch: "e", from: 3, to: 9 } as const;
  assert.equal(frames.encodeGap(roomTarget("test", "r"), gap), '{"op":"gap","room":"r","reason":"dropped","epoch":"e","from":3,"to":9}');
  assert.equal(frames.encodeGap(accountTarget("test", "a"), gap), '{"op":"gap","stream":"account","reason":"dropped","epoch":"e","from":3,"to":9}');
  assert.equal(
    frames.encodeGap(appTarget("test"), { reason: "lost", epoch: undefined, from: undefined, to: undefined }),
    '{"op":"gap","stream":"app","reason":"lost"}',
  );
});

test("notices are as small as their schemas", () => {
  assert.deepEqual(read(frames.encodeMembership("sub", "r"), "MembershipFrame"), { op: "sub", room: "r" });
  assert.deepEqual(read(frames.encodeMembership("unsub", "r", "token_expired"), "MembershipFrame"), { op: "unsub", room: "r", reason: "token_expired" });
  assert.deepEqual(read(frames.encodeDrain(5_000), "DrainFrame"), { op: "drain", within_ms: 5_000 });
  assert.deepEqual(read(frames.PING, "PingFrame"), { op: "ping" });
});
