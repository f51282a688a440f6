// The frames that a v2 client sends: read into ops, or named by what is wrong with them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrorCode } from "../../server/src/errors.ts";
import { decodeOp, isRoomName, type OpFault } from "../../server/src/protocol/ops.ts";
import { assertFits } from "../helpers/schemas.ts";

const DEPTH = 4;

function read(frame: object | string): ReturnType<typeof decodeOp> {
  return decodeOp(typeof frame === "string" ? frame : JSON.stringify(frame), DEPTH);
}

/** What a frame is answered with: id, code and message. */
function fault(frame: object | string): [OpFault["id"], number, string] {
  const op = read(frame);
  assert.equal(op.op, "fault", `${JSON.stringify(frame)} was read`);
  const { id, error } = op as OpFault;
  return [id, error.code, error.message];
}

test("each op is read with what it holds", () => {
  const position = { epoch: "e", offset: 3, msg_id: "m" };
  assert.deepEqual(read({ op: "sub", id: 1, room: "chat:1" }), { op: "sub", id: 1, room: "chat:1", position: undefined, token: undefined });
  assert.deepEqual(read({ op: "sub", id: "a", room: "r", position, token: "x.y.z" }), {
    op: "sub",
    id: "a",
    room: "r",
    position: { epoch: "e", offset: 3, msgId: "m" },
    token: "x.y.z",
  });
  assert.deepEqual(read({ op: "unsub", id: 0, room: "r" }), { op: "unsub", id: 0, room: "r" });
  assert.deepEqual(read({ op: "pub", id: 1, to: "bob", data: {}, idempotency_key: "i", key: "k", exclude_self: true, trace: "t" }), {
    op: "pub",
    id: 1,
    to: { kind: "account", name: "bob" },
    data: "{}",
    idempotencyKey: "i",
    key: "k",
    excludeSelf: true,
    trace: "t",
  });
  assert.deepEqual((read({ op: "pub", id: 1, room: "r", data: {} }) as { to: object }).to, { kind: "room", name: "r" });
  assert.deepEqual(read({ op: "history", id: 1, room: "r" }), {
    op: "history",
    id: 1,
    of: { kind: "room", name: "r" },
    after: undefined,
    before: undefined,
    limit: 100,
  });
  assert.deepEqual(read({ op: "history", id: 1, stream: "app", after: { epoch: "e", offset: 0 }, limit: 1_000 }), {
    op: "history",
    id: 1,
    of: { kind: "app" },
    after: { epoch: "e", offset: 0 },
    before: undefined,
    limit: 1_000,
  });
  assert.deepEqual(read({ op: "refresh", id: 1, token: "t" }), { op: "refresh", id: 1, token: "t" });
  assert.deepEqual(
    [read({ op: "ping" }), read({ op: "ping", id: "p" }), read({ op: "pong" })],
    [
      { op: "ping", id: undefined },
      { op: "ping", id: "p" },
      { op: "pong", id: undefined },
    ],
  );
});

test("data stays the text that the client wrote", () => {
  const data = '{ "big" : 12345678901234567890 ,\t"dup":1,"dup":2, "u":"\\u4f60你" }';
  assert.equal((read(`{"op":"pub","id":1,"to":"bob","data":${data} }`) as { data: string }).data, data);
});

test("escaped keys are keys, and a member that is there twice is refused wherever it stands", () => {
  assert.deepEqual(read('{"\\u006fp":"ping","i\\u0064":1}'), { op: "ping", id: 1 });
  assert.deepEqual(fault('{"op":"pub","id":1,"to":"a","data":{},"t\\u006f":"b"}'), [1, 400, "op.to: is there twice"]);
  assert.deepEqual(fault('{"op":"pub","id":1,"to":"a","data":{},"data":{}}'), [1, 400, "op.data: is there twice"]);
  assert.deepEqual(fault('{"op":"ping","op":"ping"}'), [undefined, 400, "op.op: is there twice"]);
  assert.deepEqual(fault('{"op":"sub","id":1,"id":2,"room":"r"}'), [undefined, 400, "op.id: is there twice"]);
});

test("what is not one JSON object has no id to answer", () => {
  for (const text of [
    "",
    " ",
    "null",
    "1",
    '"op"',
    "[]",
    '[{"op":"ping"}]',
    "{",
    '{"op":"ping"',
    '{"op":"ping"}{}',
    '{"id":1,"op":"sub",}',
    "\ufeff{}",
    '{"op":"ping","x":\u0001}',
  ])
    assert.deepEqual(fault(text).slice(0, 2), [undefined, 400], text);
});

test("too deep data is answered with the id, wherever it stands; other depths have the same bound", () => {
  const deep = '{"a":{"b":{"c":{"d":{}}}}}';
  const message = `the frame is nested deeper than ${DEPTH} levels`;
  assert.deepEqual(fault(`{"op":"pub","to":"a","data":${deep},"id":7}`), [7, ErrorCode.MESSAGE_INVALID, message]);
  assert.deepEqual(fault(`{"op":"pub","id":"x","to":"a","data":${deep}}`), ["x", ErrorCode.MESSAGE_INVALID, message]);
  assert.deepEqual(fault(`{"op":"pub","id":${deep},"to":"a","data":{}}`), [undefined, ErrorCode.MESSAGE_INVALID, message]);
  assert.deepEqual(fault(`{"op":"pub","id":1,"to":"a","data":${deep},`), [undefined, ErrorCode.MESSAGE_INVALID, message]);
  assert.equal(read('{"op":"pub","id":1,"to":"a","data":{"a":{"b":{"c":{}}}}}').op, "pub");
  const abyss = "[".repeat(30_000);
  assert.deepEqual(fault(`{"op":"pub","id":1,"to":"a","data":${abyss}`).slice(0, 2), [undefined, ErrorCode.MESSAGE_INVALID]);
});

test("every fault names the member and keeps the id", () => {
  const id = 9;
  const whole = "must be a whole number from 0 up or a text of 1 to 64 characters";
  for (const [frame, message] of [
    [{ id }, "op: is missing"],
    [{ op: 1, id }, "op: must be a text"],
    [{ op: null, id }, "op: must be a text"],
    [{ op: "sub", id }, "op.room: is missing"],
    [{ op: "sub", id, room: "" }, "op.room: must be a text of 1 to 256 characters without *"],
    [{ op: "sub", id, room: "chat:*" }, "op.room: must be a text of 1 to 256 characters without *"],
    [{ op: "sub", id, room: "x".repeat(257) }, "op.room: must be a text of 1 to 256 characters without *"],
    [{ op: "sub", id, room: 5 }, "op.room: must be a text of 1 to 256 characters without *"],
    [{ op: "sub", id, room: ["r"] }, "op.room: must be a text of 1 to 256 characters without *"],
    [{ op: "sub", id, room: "r", data: {} }, "op.data: is not known"],
    [{ op: "sub", id, room: "r", position: "e:1:m" }, "op.position: must be an object"],
    [{ op: "sub", id, room: "r", position: [] }, "op.position: must be an object"],
    [{ op: "sub", id, room: "r", position: {} }, "op.position.epoch: must be a text of 1 to 64 characters"],
    [{ op: "sub", id, room: "r", position: { epoch: "e", offset: -1, msg_id: "" } }, "op.position.offset: must be a whole number from 0 up"],
    [{ op: "sub", id, room: "r", position: { epoch: "e", offset: 1.5, msg_id: "" } }, "op.position.offset: must be a whole number from 0 up"],
    [{ op: "sub", id, room: "r", position: { epoch: "e", offset: 1 } }, "op.position.msg_id: must be a text of 0 to 64 characters"],
    [{ op: "sub", id, room: "r", token: "" }, "op.token: must be a token"],
    [{ op: "sub", id, room: "r", token: null }, "op.token: must be a token"],
    [{ op: "unsub", id }, "op.room: is missing"],
    [{ op: "unsub", id, room: "r", position: {} }, "op.position: is not known"],
    [{ op: "pub", id, data: {} }, "op: must have one of to and room"],
    [{ op: "pub", id, data: {}, to: "a", room: "r" }, "op: must have one of to and room"],
    [{ op: "pub", id, to: "a" }, "op.data: is missing"],
    [{ op: "pub", id, to: "a", data: null }, "op.data: must be an object"],
    [{ op: "pub", id, to: "a", data: [] }, "op.data: must be an object"],
    [{ op: "pub", id, to: "a", data: "{}" }, "op.data: must be an object"],
    [{ op: "pub", id, to: "", data: {} }, "op.to: must be a text of 1 to 4096 characters"],
    [{ op: "pub", id, to: "x".repeat(4_097), data: {} }, "op.to: must be a text of 1 to 4096 characters"],
    [{ op: "pub", id, to: "a", data: {}, idempotency_key: 1 }, "op.idempotency_key: must be a text of 1 to 128 characters"],
    [{ op: "pub", id, to: "a", data: {}, key: "" }, "op.key: must be a text of 1 to 128 characters"],
    [{ op: "pub", id, to: "a", data: {}, trace: "x".repeat(129) }, "op.trace: must be a text of 1 to 128 characters"],
    [{ op: "pub", id, to: "a", data: {}, exclude_self: "true" }, "op.exclude_self: must be true or false"],
    [{ op: "pub", id, to: "a", data: {}, from: "admin" }, "op.from: is not known"],
    [{ op: "pub", id, to: "a", data: {}, ["x".repeat(100)]: 1 }, `op.${"x".repeat(64)}: is not known`],
    [{ op: "history", id }, "op: must have one of room and stream"],
    [{ op: "history", id, room: "r", stream: "app" }, "op: must have one of room and stream"],
    [{ op: "history", id, stream: "room" }, "op.stream: must be account or app"],
    [{ op: "history", id, stream: "app", limit: 0 }, "op.limit: must be a whole number from 1 to 1000"],
    [{ op: "history", id, stream: "app", limit: 1_001 }, "op.limit: must be a whole number from 1 to 1000"],
    [{ op: "history", id, stream: "app", limit: "10" }, "op.limit: must be a whole number from 1 to 1000"],
    [{ op: "history", id, stream: "app", before: 0 }, "op.before: must be a whole number from 1 up"],
    [{ op: "history", id, stream: "app", before: 1, after: { epoch: "e", offset: 1 } }, "op: must not have both after and before"],
    [{ op: "history", id, stream: "app", after: { epoch: "e" } }, "op.after.offset: must be a whole number from 0 up"],
    [{ op: "history", id, stream: "app", after: { epoch: "e", offset: 1, msg_id: "m" } }, "op.after.msg_id: is not known"],
    [{ op: "refresh", id }, "op.token: is missing"],
    [{ op: "refresh", id, token: {} }, "op.token: must be a token"],
    [{ op: "ping", id, data: 1 }, "op.data: is not known"],
    [{ op: "pong", id, time: 1 }, "op.time: is not known"],
  ] as const)
    assert.deepEqual(fault(frame), [id, 400, message]);
  for (const bad of [null, true, -1, 1.5, 1e300, "", "x".repeat(65), {}, []])
    assert.deepEqual(fault({ op: "sub", id: bad, room: "r" }), [undefined, 400, `op.id: ${whole}`]);
  assert.deepEqual(fault({ op: "sub", room: "r" }), [undefined, 400, "op.id: is missing"]);
});

test("an op that this server has not is told apart from a faulty one, whatever it is called", () => {
  for (const op of ["dance", "", "SUB", "sub ", "hello", "reply", "presence", "__proto__", "constructor", "toString"])
    assert.deepEqual(fault({ op, id: 7, what: 1 }), [7, ErrorCode.UNKNOWN_OP, "op: this server has no such op"]);
  assert.deepEqual(fault({ op: "dance" }).slice(0, 2), [undefined, ErrorCode.UNKNOWN_OP]);
});

test("halves of surrogate pairs are refused in names and let pass in data", () => {
  for (const frame of [
    '{"op":"sub","id":1,"room":"\\ud800"}',
    '{"op":"pub","id":1,"to":"\\udc00","data":{}}',
    '{"op":"pub","id":1,"to":"a","data":{},"key":"\\ud800"}',
  ])
    assert.deepEqual(fault(frame).slice(0, 2), [1, 400]);
  assert.deepEqual(fault('{"op":"ping","id":"\\ud800"}').slice(0, 2), [undefined, 400]);
  assert.equal(read('{"op":"pub","id":1,"to":"a","data":{"s":"\\ud800"}}').op, "pub");
});

test("members named like parts of objects are unknown members, and pollute nothing", () => {
  assert.deepEqual(fault('{"op":"sub","id":1,"room":"r","__proto__":{"polluted":1}}'), [1, 400, "op.__proto__: is not known"]);
  assert.deepEqual(fault('{"op":"sub","id":1,"room":"r","position":{"__proto__":{"epoch":"e","offset":1,"msg_id":""}}}').slice(0, 2), [1, 400]);
  assert.deepEqual(fault('{"op":"history","id":1,"room":"r","after":{"epoch":"e","offset":1,"__proto__":{}}}'), [1, 400, "op.after.__proto__: is not known"]);
  assert.equal(({} as { polluted?: number }).polluted, undefined);
});

test("a position may hold members of a newer server", () => {
  assert.deepEqual((read({ op: "sub", id: 1, room: "r", position: { epoch: "e", offset: 0, msg_id: "", shard: 3 } }) as { position: object }).position, {
    epoch: "e",
    offset: 0,
    msgId: "",
  });
});

test("the names of rooms", () => {
  for (const name of ["a", "chat:1", " ", "用户", "😀", "\u0000", "x".repeat(256)]) assert.ok(isRoomName(name), name);
  for (const name of ["", "*", "a*b", "x".repeat(257), "\ud800", 1, null, undefined, {}]) assert.ok(!isRoomName(name), String(name));
});

/** Values that a member may be given, right and wrong ones. */
const VALUES = [
  undefined,
  null,
  true,
  0,
  1,
  -1,
  1.5,
  1_000,
  1_001,
  "",
  "e",
  "account",
  "x".repeat(129),
  [],
  {},
  { epoch: "e", offset: 1 },
  { epoch: "e", offset: 0, msg_id: "" },
];
const MEMBERS = ["id", "room", "to", "stream", "data", "position", "after", "before", "limit", "token", "key", "idempotency_key", "exclude_self", "trace"];
const GOOD = [
  { op: "sub", id: 1, room: "r", position: { epoch: "e", offset: 1, msg_id: "m" }, token: "t" },
  { op: "unsub", id: 1, room: "r" },
  { op: "pub", id: 1, to: "a", data: {}, key: "k", idempotency_key: "i", exclude_self: false, trace: "t" },
  { op: "pub", id: 1, room: "r", data: {} },
  { op: "history", id: 1, room: "r", after: { epoch: "e", offset: 1 }, limit: 5 },
  { op: "history", id: 1, stream: "account", before: 5 },
  { op: "refresh", id: 1, token: "t" },
  { op: "ping", id: 1 },
];

test("what is read fits its schema, and what does not fit is not read: each good frame with each member replaced by each value", () => {
  let count = 0;
  for (const good of GOOD) {
    const schema = `${good.op[0]?.toUpperCase()}${good.op.slice(1)}`.replace("Ping", "PingFrame").replace(/^(Sub|Unsub|Pub|History|Refresh)$/, "$1Op");
    for (const member of MEMBERS) {
      for (const value of VALUES) {
        const frame = { ...good, [member]: value };
        const op = read(frame);
        let fits = true;
        try {
          assertFits(JSON.parse(JSON.stringify(frame)), schema);
        } catch {
          fits = false;
        }
        count++;
        if (op.op !== "fault") assert.ok(fits, `read although it does not fit: ${JSON.stringify(frame)}`);
        else if (fits) assert.match(op.error.message, /^op: must|^op\.(id|token): must/, `not read although it fits: ${JSON.stringify(frame)}`);
      }
    }
  }
  assert.equal(count, GOOD.length * MEMBERS.length * VALUES.length);
});

test("whatever the text, it is read or answered, never thrown at", () => {
  let seed = 42;
  const random = (n: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed % n;
  };
  const pieces = [
    '{"op":',
    '"sub"',
    '"pub"',
    ',"id":',
    "1",
    '"a"',
    ',"room":',
    '"r"',
    ',"data":{',
    "}",
    "}}",
    "[",
    "]",
    ",",
    ":",
    '"',
    "\\",
    "\\u00",
    "null",
    "1e9",
    " ",
    "\u0000",
    "é",
    "\ud800",
    '"__proto__":',
  ];
  for (let i = 0; i < 20_000; i++) {
    const text = Array.from({ length: 1 + random(14) }, () => pieces[random(pieces.length)]).join("");
    const op = decodeOp(text, DEPTH);
    if (op.op === "fault") assert.ok([400, 1003, 1010].includes(op.error.code), text);
  }
});
