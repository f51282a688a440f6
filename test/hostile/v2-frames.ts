// Frames of the full protocol that an authenticated client must not be able to hurt anybody with.
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { tokenFor } from "../helpers/client.ts";
import { assertServerFrame } from "../helpers/schemas.ts";
import { SECRET } from "../helpers/server.ts";
import { type Attack, type Case, closeCode, frame, handshake, readUntil } from "./case.ts";

const [TEXT, BINARY, PING, PONG] = [1, 2, 9, 10];

const token = () => tokenFor("mallory", SECRET, { rooms: ["r", "full:*"] });

/** A raw socket of the full protocol that has had its hello. */
async function openedV2(attack: Attack): Promise<Socket> {
  const socket = attack.tcp();
  socket.write(handshake("/ws/connect?app_id=test", { "Sec-WebSocket-Protocol": `xlvein.v2.json, xlvein.token.${token()}` }));
  const answer = await readUntil(socket, /"op":"hello".*\}\}\}/s);
  if (!answer.startsWith("HTTP/1.1 101")) throw new Error(`handshake answered ${answer.slice(0, 40)}`);
  return socket;
}

/** The text frames of the server in what was read from a socket. */
function textsIn(bytes: string): string[] {
  const buffer = Buffer.from(bytes, "latin1");
  const texts: string[] = [];
  for (let at = 0; at + 2 <= buffer.length; ) {
    const opcode = (buffer[at] as number) & 15;
    let length = (buffer[at + 1] as number) & 127;
    let start = at + 2;
    if (length === 126) {
      length = buffer.readUInt16BE(start);
      start += 2;
    }
    if (opcode === TEXT) texts.push(buffer.toString("utf8", start, start + length));
    at = start + length;
  }
  return texts;
}

interface Answer {
  readonly op: string;
  readonly id?: number | string;
  readonly code?: number;
}

/** A ping op that comes after every answer to what was asked before: a history may take longer than other ops, but not than a history after the next. */
const PROBES = [
  frame(TEXT, '{"op":"history","id":"flush","stream":"app"}'),
  frame(TEXT, '{"op":"history","id":"flush","stream":"app"}'),
  frame(TEXT, '{"op":"ping","id":"probe"}'),
];

/** What the server answers to frames; each answer fits its schema. */
async function answersTo(attack: Attack, frames: readonly Buffer[]): Promise<Answer[]> {
  const socket = await openedV2(attack);
  socket.write(Buffer.concat([...frames, ...PROBES]));
  const texts = textsIn(await readUntil(socket, /"id":"probe"\}/));
  for (const text of texts) assertServerFrame(text);
  const answers = texts.map((text) => JSON.parse(text) as Answer).filter(({ id }) => id !== "flush");
  assert.deepEqual(answers.pop(), { op: "pong", id: "probe" }, "the connection goes on");
  return answers;
}

/** A frame that is answered with an error of this code, and with this id; the connection goes on. */
function refused(name: string, code: number, id: number | string | undefined, bytes: string | Buffer, opcode = TEXT): Case {
  return {
    name: `v2 frame: ${name} is answered ${code}`,
    async run(attack) {
      const answers = await answersTo(attack, [frame(opcode, bytes)]);
      assert.deepEqual(
        answers.map(({ op, code: told, id: of }) => [op, told, of]),
        [["error", code, id]],
      );
    },
  };
}

/** Frames that are no harm: the connection goes on, and says nothing of its own accord but answers. */
function harmless(name: string, expected: readonly string[], ...frames: Buffer[]): Case {
  return {
    name: `v2 frame: ${name} does no harm`,
    run: async (attack) =>
      assert.deepEqual(
        (await answersTo(attack, frames)).map(({ op }) => op),
        expected,
      ),
  };
}

function closes(name: string, code: number, ...frames: Buffer[]): Case {
  return {
    name: `v2 frame: ${name} closes ${code}`,
    async run(attack) {
      const socket = await openedV2(attack);
      for (const each of frames) socket.write(each);
      assert.equal(await closeCode(socket), code);
    },
  };
}

const BAD = 400;
const [TOO_DEEP, UNKNOWN, NOT_IN, TOKEN] = [1003, 1010, 1011, 1000];

/** Not one JSON object: no id can be read. */
const NO_JSON: Record<string, string> = {
  "an empty text": "",
  "white space": " \t\r\n ",
  null: "null",
  true: "true",
  "a number": "12345678901234567890",
  "a string": '"sub"',
  "an array": '[{"op":"ping"}]',
  "an empty array": "[]",
  "a lone brace": "}",
  "half an object": '{"op":"sub","id":1,',
  "two objects": '{"op":"ping"}{"op":"ping"}',
  "a trailing comma": '{"op":"ping",}',
  "a leading comma": '{,"op":"ping"}',
  "single quotes": "{'op':'ping'}",
  "a key without quotes": '{op:"ping"}',
  comments: '{/* */"op":"ping"}',
  "a byte order mark": '\ufeff{"op":"ping"}',
  NaN: '{"op":"ping","id":NaN}',
  hexadecimal: '{"op":"ping","id":0x10}',
  "a leading zero": '{"op":"ping","id":01}',
  "a plus sign": '{"op":"ping","id":+1}',
  "a lone minus": '{"op":"ping","id":-}',
  "a raw newline in a string": '{"op":"pi\nng"}',
  "a NUL in a string": '{"op":"pi\u0000ng"}',
  "a NUL behind": '{"op":"ping"}\u0000',
  "a bad escape": '{"op":"\\x41"}',
  "half an escape": '{"op":"\\u00"}',
  "an open string": '{"op":"ping',
  "a missing colon": '{"op" "ping"}',
  "a missing value": '{"op":}',
  "True of Python": '{"op":"pub","id":1,"exclude_self":True}',
  "an end of line": "\n",
  "10,000 opening brackets": "[".repeat(10_000),
  "10,000 opening braces": "{".repeat(10_000),
  "10,000 open objects": '{"a":'.repeat(10_000),
};

const deep = (n: number, open: string, close: string) => open.repeat(n) + close.repeat(n);

/** The members of each op, as they should be. */
const OPS: Record<string, Record<string, unknown>> = {
  sub: { room: "r" },
  unsub: { room: "r" },
  pub: { to: "nobody", data: {} },
  history: { stream: "account" },
  refresh: { token: "x.y.z" },
};

/** What members hold that they must not. */
const WRONG: Record<string, unknown> = {
  null: null,
  true: true,
  "a number": 7,
  "an empty text": "",
  "an array": ["r"],
  "an object": { $ne: "" },
  "half a pair": "\ud800",
};

const wrongMembers = Object.entries(OPS).flatMap(([op, good]) =>
  Object.keys(good).flatMap((member) =>
    Object.entries(WRONG)
      .filter(([name]) => !(member === "data" && name === "an object") && !(op === "refresh" && name === "half a pair"))
      .map(([name, value]) => refused(`${op} with ${name} for ${member}`, BAD, 3, JSON.stringify({ op, id: 3, ...good, [member]: value }))),
  ),
);

const missingMembers = Object.entries(OPS).flatMap(([op, good]) =>
  Object.keys(good).map((member) => {
    const { [member]: _, ...rest } = good;
    return refused(`${op} without ${member}`, BAD, 3, JSON.stringify({ op, id: 3, ...rest }));
  }),
);

const unknownMembers = Object.entries({ ...OPS, ping: {}, pong: {} }).flatMap(([op, good]) =>
  ["from", "event", "__proto__", "constructor", "x".repeat(1_000), "\u0000", ""].map((member) =>
    refused(
      `${op} with the member ${JSON.stringify(member).slice(0, 20)}`,
      BAD,
      "i",
      `{"op":"${op}","id":"i",${JSON.stringify(good).slice(1, -1)}${Object.keys(good).length > 0 ? "," : ""}${JSON.stringify(member)}:1}`,
    ),
  ),
);

const wrongIds = [null, true, -1, 0.5, 1e300, "", "x".repeat(65), {}, [], "\ud800"].flatMap((id) =>
  ["sub", "ping"].map((op) => refused(`${op} with the id ${JSON.stringify(id).slice(0, 20)}`, BAD, undefined, JSON.stringify({ op, id, ...OPS[op] }))),
);

const twice = Object.entries(OPS).flatMap(([op, good]) => {
  const members = Object.entries({ op, id: 3, ...good }).map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  return members.map((member) =>
    refused(`${op} with ${member.slice(0, 20)} twice`, BAD, member.startsWith('"id"') ? undefined : 3, `{${members.join()},${member}}`),
  );
});

const unknownOps = [
  "",
  "SUB",
  "sub ",
  " sub",
  "su\u0000b",
  "hello",
  "reply",
  "error",
  "gap",
  "drain",
  "presence",
  "ack",
  "__proto__",
  "constructor",
  "toString",
  "valueOf",
  "用户",
  "x".repeat(10_000),
].map((op) => refused(`the op ${JSON.stringify(op).slice(0, 20)}`, UNKNOWN, 3, JSON.stringify({ op, id: 3 })));

const special: [string, number, number | string | undefined, string][] = [
  ["an empty object", BAD, undefined, "{}"],
  ["an op as a number", BAD, 3, '{"op":7,"id":3}'],
  ["an op as null", BAD, 3, '{"op":null,"id":3}'],
  ["an op as a list", BAD, 3, '{"op":["sub"],"id":3}'],
  ["an op without an id", BAD, undefined, '{"op":"sub","room":"r"}'],
  ["an unknown op without an id", UNKNOWN, undefined, '{"op":"dance"}'],
  ["a classic frame", BAD, undefined, '{"to":"nobody","data":{}}'],
  ["a message of a server", BAD, undefined, '{"room":"r","from":"admin","event":2,"data":{},"msg_id":"1","send_at":0}'],
  ["a pub to an account and a room", BAD, 3, '{"op":"pub","id":3,"to":"a","room":"r","data":{}}'],
  ["a pub that forges its sender", BAD, 3, '{"op":"pub","id":3,"to":"a","from":"admin","data":{}}'],
  ["a pub whose data is a text that looks like an object", BAD, 3, '{"op":"pub","id":3,"to":"a","data":"{}"}'],
  ["a pub into a room that it is not in", NOT_IN, 3, '{"op":"pub","id":3,"room":"r","data":{}}'],
  ["a pub to a receiver of 5,000 characters", BAD, 3, `{"op":"pub","id":3,"to":"${"x".repeat(5_000)}","data":{}}`],
  ["a pub with a key of 129 characters", BAD, 3, `{"op":"pub","id":3,"to":"a","data":{},"idempotency_key":"${"k".repeat(129)}"}`],
  ["a pub with exclude_self as a text", BAD, 3, '{"op":"pub","id":3,"to":"a","data":{},"exclude_self":"true"}'],
  ["a sub to a pattern", BAD, 3, '{"op":"sub","id":3,"room":"*"}'],
  ["a sub to every room", BAD, 3, '{"op":"sub","id":3,"room":"full:*"}'],
  ["a sub to a room of 257 characters", BAD, 3, `{"op":"sub","id":3,"room":"${"r".repeat(257)}"}`],
  ["a sub to a room of others", NOT_IN, 3, '{"op":"sub","id":3,"room":"secret"}'],
  ["a sub to __proto__", NOT_IN, 3, '{"op":"sub","id":3,"room":"__proto__"}'],
  ["a sub with a token that is none", TOKEN, 3, '{"op":"sub","id":3,"room":"secret","token":"x"}'],
  ["a sub with a token of 60,000 characters", TOKEN, 3, `{"op":"sub","id":3,"room":"secret","token":"${"x".repeat(60_000)}"}`],
  ["a sub with a position that is a text", BAD, 3, '{"op":"sub","id":3,"room":"r","position":"e:1:m"}'],
  ["a sub with a position that is a list", BAD, 3, '{"op":"sub","id":3,"room":"r","position":[]}'],
  ["a sub with a negative offset", BAD, 3, '{"op":"sub","id":3,"room":"r","position":{"epoch":"e","offset":-1,"msg_id":""}}'],
  ["a sub with an offset beyond all numbers", BAD, 3, '{"op":"sub","id":3,"room":"r","position":{"epoch":"e","offset":1e400,"msg_id":""}}'],
  ["a sub with an offset beyond 2^53", BAD, 3, '{"op":"sub","id":3,"room":"r","position":{"epoch":"e","offset":9007199254740993,"msg_id":""}}'],
  ["a sub with an epoch of 65 characters", BAD, 3, `{"op":"sub","id":3,"room":"r","position":{"epoch":"${"e".repeat(65)}","offset":1,"msg_id":""}}`],
  ["a sub with a polluting position", BAD, 3, '{"op":"sub","id":3,"room":"r","position":{"__proto__":{"epoch":"e","offset":1,"msg_id":"polluted"}}}'],
  ["a history of a room that it is not in", NOT_IN, 3, '{"op":"history","id":3,"room":"r"}'],
  ["a history of somebody else's account", BAD, 3, '{"op":"history","id":3,"stream":"canary"}'],
  ["a history of an account named beside", BAD, 3, '{"op":"history","id":3,"stream":"account","account":"canary"}'],
  ["a history of nothing", BAD, 3, '{"op":"history","id":3}'],
  ["a history of 1,001 messages", BAD, 3, '{"op":"history","id":3,"stream":"app","limit":1001}'],
  ["a history of no messages", BAD, 3, '{"op":"history","id":3,"stream":"app","limit":0}'],
  ["a history of 2^53 messages", BAD, 3, '{"op":"history","id":3,"stream":"app","limit":9007199254740992}'],
  ["a history before 0", BAD, 3, '{"op":"history","id":3,"stream":"app","before":0}'],
  ["a history before and after", BAD, 3, '{"op":"history","id":3,"stream":"app","before":5,"after":{"epoch":"e","offset":1}}'],
  ["a history after a place of another epoch", 1012, 3, '{"op":"history","id":3,"stream":"app","after":{"epoch":"e","offset":1}}'],
  ["a history after a far place", 1012, 3, '{"op":"history","id":3,"stream":"app","after":{"epoch":"e","offset":9007199254740991}}'],
  ["a refresh with nonsense", TOKEN, 3, '{"op":"refresh","id":3,"token":"nonsense"}'],
  ["a refresh without a signature", TOKEN, 3, '{"op":"refresh","id":3,"token":"eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9."}'],
  ["a refresh to another account", TOKEN, 3, `{"op":"refresh","id":3,"token":"${tokenFor("canary", SECRET)}"}`],
  ["data 65 deep", TOO_DEEP, 3, `{"op":"pub","id":3,"to":"a","data":${deep(65, '{"d":', "}").replace('"d":}', '"d":0}')}}`],
  ["data of arrays 15,000 deep", TOO_DEEP, 3, `{"op":"pub","to":"a","data":{"d":${deep(15_000, "[", "]")}},"id":3}`],
  ["data 5,000 deep that does not end", TOO_DEEP, undefined, `{"op":"pub","id":3,"to":"a","data":${'{"d":'.repeat(5_000)}`],
  ["an id 100 deep", TOO_DEEP, undefined, `{"op":"ping","id":${deep(100, "[", "]")}}`],
  ["an unknown member 100 deep", TOO_DEEP, 3, `{"op":"ping","id":3,"x":${deep(100, "[", "]")}}`],
  ["3,000 times the same key", BAD, 3, `{${'"room":"r",'.repeat(3_000)}"op":"sub","id":3}`],
  ["4,000 unknown members", BAD, 3, `{"op":"ping","id":3,${Array.from({ length: 4_000 }, (_, i) => `"k${i}":0`).join()}}`],
];

const harmlessTexts: [string, readonly string[], string][] = [
  ["a pong without a ping", [], '{"op":"pong"}'],
  ["a pong with an id", [], '{"op":"pong","id":"nobody asked"}'],
  ["a ping with white space around", ["pong"], ' \n{ "op" : "ping" }\t'],
  ["an escaped op", ["pong"], '{"\\u006f\\u0070":"\\u0070ing"}'],
  ["an id of zero", ["pong"], '{"op":"ping","id":0}'],
  ["an id in scientific notation", ["pong"], '{"op":"ping","id":1e3}'],
  ["an unsub from a room never entered", ["reply"], '{"op":"unsub","id":1,"room":"never"}'],
  ["an unsub from __proto__", ["reply"], '{"op":"unsub","id":1,"room":"__proto__"}'],
  ["data that would pollute", ["reply"], '{"op":"pub","id":1,"to":"nobody","data":{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":1}}}}'],
  ["data with a lone surrogate", ["reply"], '{"op":"pub","id":1,"to":"nobody","data":{"s":"\\ud800"}}'],
  ["data with a number of 50,000 digits", ["reply"], `{"op":"pub","id":1,"to":"nobody","data":{"n":${"9".repeat(50_000)}}}`],
  ["data with 5,000 members", ["reply"], `{"op":"pub","id":1,"to":"nobody","data":{${Array.from({ length: 5_000 }, (_, i) => `"k${i}":0`).join()}}}`],
  ["data with repeated keys inside", ["reply"], '{"op":"pub","id":1,"to":"nobody","data":{"a":1,"a":2}}'],
  ["a receiver with control characters", ["reply"], '{"op":"pub","id":1,"to":"\\u0000\\r\\nPUBLISH","data":{}}'],
  ["a receiver with wildcards", ["reply"], '{"op":"pub","id":1,"to":"*","data":{}}'],
  ["a key that imitates a border", ["reply"], '{"op":"pub","id":1,"to":"nobody","data":{},"idempotency_key":"7:malloryx:y\\u0000"}'],
];

const garbage = Buffer.from(Array.from({ length: 4_096 }, (_, i) => (i * 197 + 31) & 255));
const bad = (n: number) => Array.from({ length: n }, () => frame(TEXT, "{"));

export const v2Frames: Case[] = [
  ...Object.entries(NO_JSON).map(([name, text]) => refused(name, name.includes("open objects") ? TOO_DEEP : BAD, undefined, text)),
  ...wrongMembers,
  ...missingMembers,
  ...unknownMembers,
  ...wrongIds,
  ...twice,
  ...unknownOps,
  ...special.map(([name, code, id, text]) => refused(name, code, id, text)),
  refused("random binary", BAD, undefined, garbage, BINARY),
  refused("an empty binary frame", BAD, undefined, "", BINARY),
  refused(
    "an op in a binary frame with bytes that are not UTF-8",
    UNKNOWN,
    3,
    Buffer.concat([Buffer.from('{"id":3,"op":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]),
    BINARY,
  ),
  ...harmlessTexts.map(([name, expected, text]) => harmless(name, expected, frame(TEXT, text))),
  harmless("a ping op in a binary frame", ["pong"], frame(BINARY, '{"op":"ping"}')),
  harmless("50 unasked WebSocket pongs", [], ...Array.from({ length: 50 }, () => frame(PONG, "x".repeat(125)))),
  harmless(
    "an op in 500 fragments",
    ["pong"],
    frame(TEXT, '{"op":', { fin: false }),
    ...Array.from({ length: 500 }, () => frame(0, " ", { fin: false })),
    frame(0, '"ping"}'),
  ),
  harmless(
    "20 bad frames, a good one and 20 bad ones",
    [...Array(20).fill("error"), "pong", ...Array(20).fill("error")],
    ...bad(20),
    frame(TEXT, '{"op":"ping"}'),
    ...bad(20),
  ),
  harmless("500 ops at once", Array(500).fill("pong"), ...Array.from({ length: 500 }, (_, id) => frame(TEXT, `{"op":"ping","id":${id}}`))),
  harmless(
    "200 histories at once",
    Array(200).fill("reply"),
    ...Array.from({ length: 200 }, (_, id) => frame(TEXT, `{"op":"history","id":${id},"stream":"app"}`)),
  ),
  harmless(
    "129 rooms",
    [...Array(128).fill("reply"), "error"],
    ...Array.from({ length: 129 }, (_, id) => frame(TEXT, `{"op":"sub","id":${id},"room":"full:${id}"}`)),
  ),
  harmless(
    "entering and leaving one room 100 times",
    Array(200).fill("reply"),
    ...Array.from({ length: 200 }, (_, id) => frame(TEXT, `{"op":"${id % 2 === 0 ? "sub" : "unsub"}","id":${id},"room":"r"}`)),
  ),
  closes("21 frames in a row that are not JSON", 4011, ...bad(21)),
  closes("21 unknown ops in a row", 4011, ...Array.from({ length: 21 }, (_, id) => frame(TEXT, `{"op":"dance","id":${id}}`))),
  closes("1,000 empty frames", 4011, ...Array.from({ length: 1_000 }, () => frame(TEXT))),
  closes("text that is not UTF-8", 1007, frame(TEXT, Buffer.from([0x7b, 0xff, 0x7d]))),
  closes("an op of 64 KiB and one byte", 1009, frame(TEXT, "x".repeat(65_537))),
  closes("a reserved opcode", 1002, frame(3, "{}")),
  {
    name: "v2 frame: 64 pubs, then a reset",
    async run(attack) {
      const socket = await openedV2(attack);
      socket.write(Buffer.concat(Array.from({ length: 64 }, (_, id) => frame(TEXT, `{"op":"pub","id":${id},"to":"nobody","data":{}}`))));
      socket.resetAndDestroy();
    },
  },
  {
    name: "v2 frame: a sub and a close in one packet",
    async run(attack) {
      const socket = await openedV2(attack);
      socket.write(Buffer.concat([frame(TEXT, '{"op":"sub","id":1,"room":"r"}'), frame(8, Buffer.from([3, 232]))]));
      assert.equal(await closeCode(socket), 1000);
    },
  },
  {
    name: "v2 frame: an op before hello is answered after it",
    async run(attack) {
      const socket = attack.tcp();
      const offer = { "Sec-WebSocket-Protocol": `xlvein.v2.json, xlvein.token.${token()}` };
      socket.write(Buffer.concat([Buffer.from(handshake("/ws/connect?app_id=test", offer)), frame(TEXT, '{"op":"ping","id":"early"}')]));
      assert.match(await readUntil(socket, /"id":"early"\}/), /"op":"hello".*"op":"pong","id":"early"/s);
    },
  },
  {
    name: "v2 frame: half of one, left there",
    async run(attack) {
      (await openedV2(attack)).write(frame(TEXT, '{"op":"ping"}').subarray(0, 7));
    },
  },
  {
    name: "v2 frame: WebSocket pings among ops",
    run: async (attack) => {
      const answers = await answersTo(attack, [frame(PING, "a"), frame(TEXT, '{"op":"ping","id":1}'), frame(PING, "b")]);
      assert.deepEqual(answers, [{ op: "pong", id: 1 }]);
    },
  },
];
