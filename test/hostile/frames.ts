// Frames that an authenticated client must not be able to hurt anybody with.
import assert from "node:assert/strict";
import { type Case, closeCode, frame, opened, readUntil } from "./case.ts";

const [TEXT, BINARY, CLOSE, PING, PONG] = [1, 2, 8, 9, 10];
/** A frame after which a live connection answers `pong`. */
const PROBE = frame(PING, "alive?");
const ALIVE = /\x8a\x06alive\?/;

/** Frames that are skipped: the connection stays. */
function skipped(name: string, ...frames: Buffer[]): Case {
  return {
    name: `frame: ${name} is skipped and the socket stays open`,
    async run(attack) {
      const socket = await opened(attack);
      socket.write(Buffer.concat([...frames, PROBE]));
      assert.match(await readUntil(socket, ALIVE), ALIVE);
    },
  };
}

/** Frames that break the protocol: the connection is closed with the code. */
function closes(name: string, code: number, ...frames: Buffer[]): Case {
  return {
    name: `frame: ${name} closes ${code}`,
    async run(attack) {
      const socket = await opened(attack);
      for (const each of frames) socket.write(each);
      assert.equal(await closeCode(socket), code);
    },
  };
}

const deep = (n: number, open: string, close: string) => open.repeat(n) + close.repeat(n);
const to = (data: string, rest = "") => `{"to":"nobody","data":${data}${rest}}`;

const texts: Record<string, string> = {
  "an empty text": "",
  "white space": " \t\r\n ",
  "half an object": '{"to":"user_1",',
  "a lone brace": "}",
  null: "null",
  true: "true",
  "a number": "12345678901234567890",
  "a string": '"to"',
  "an array": '[{"to":"user_1","data":{}}]',
  "an empty object": "{}",
  "a frame without to": '{"data":{}}',
  "a frame without data": '{"to":"user_1"}',
  "to as a number": '{"to":1,"data":{}}',
  "to as null": '{"to":null,"data":{}}',
  "to as an array": '{"to":["user_1"],"data":{}}',
  "to as an object": '{"to":{"$ne":""},"data":{}}',
  "an empty to": '{"to":"","data":{}}',
  "data as null": to("null"),
  "data as a string": to('"text"'),
  "data as an array": to("[]"),
  "data as a number": to("1e999"),
  "data as false": to("false"),
  "a forged sender": '{"from":"admin","to":"nobody","data":{},"msg_id":"1","send_at":0,"conversation_id":"x"}',
  "event 2, which ended the process of the original": '{"to":"room","event":2,"data":{}}',
  "event 0, forged": to("{}", ',"event":0'),
  "event as text": to("{}", ',"event":"2"'),
  "event as an object": to("{}", ',"event":{}'),
  "event beyond all numbers": to("{}", ',"event":1e400'),
  "__proto__ as a member": '{"__proto__":{"to":"user_1"},"data":{}}',
  "constructor.prototype in data": to('{"constructor":{"prototype":{"polluted":1}}}'),
  "__proto__ in data": to('{"__proto__":{"polluted":true}}'),
  "__proto__ as the receiver": '{"to":"__proto__","data":{}}',
  "a single-quoted object": "{'to':'user_1','data':{}}",
  "a trailing comma": '{"to":"user_1","data":{},}',
  comments: '{/* */"to":"user_1","data":{}}',
  "NaN in data": to('{"n":NaN}'),
  "hexadecimal in data": to('{"n":0x10}'),
  "a leading zero in data": to('{"n":01}'),
  "a raw newline in a string": to('{"s":"a\nb"}'),
  "a NUL in a string": to('{"s":"a\u0000b"}'),
  "a bad escape": to('{"s":"\\x41"}'),
  "a lone surrogate": to('{"s":"\\ud800"}'),
  "a byte order mark": `\ufeff${to("{}")}`,
  "two objects": to("{}") + to("{}"),
  "data with an unclosed string": '{"to":"user_1","data":{"s":"',
  "arrays 20,000 deep": to(`{"d":${deep(20_000, "[", "]")}}`),
  "objects 8,000 deep": to(deep(8_000, '{"d":', "").concat("1", "}".repeat(8_000))),
  "20,000 opening brackets": "[".repeat(20_000),
  "20,000 members": to(`{${Array.from({ length: 5_000 }, (_, i) => `"k${i}":0`).join(",")}}`),
  "20,000 duplicate keys": `{${'"to":"nobody",'.repeat(3_000)}"data":{}}`,
  "10,000 backslashes": `{"to":"${"\\\\".repeat(10_000)}","data":{}}`,
  "a receiver of 60,000 characters": `{"to":"${"x".repeat(60_000)}","data":{}}`,
  "a number of 50,000 digits": to(`{"n":${"9".repeat(50_000)}}`),
  "a receiver with control characters": '{"to":"\\u0000\\r\\nPUBLISH","data":{}}',
  "a receiver with wildcards": '{"to":"*","data":{}}',
};

const garbage = Buffer.from(Array.from({ length: 4_096 }, (_, i) => (i * 197 + 31) & 255));

export const frames: Case[] = [
  ...Object.entries(texts).map(([name, text]) => skipped(name, frame(TEXT, text))),
  skipped(
    "JSON in a binary frame with bytes that are not UTF-8",
    frame(BINARY, Buffer.concat([Buffer.from('{"to":"nobody","data":{"s":"'), garbage, Buffer.from('"}}')])),
  ),
  skipped("random binary", frame(BINARY, garbage)),
  skipped("an empty binary frame", frame(BINARY)),
  skipped("1,000 empty frames", ...Array.from({ length: 1_000 }, () => frame(TEXT))),
  skipped("50 unasked pongs", ...Array.from({ length: 50 }, () => frame(PONG, "x".repeat(125)))),
  skipped(
    "a message in 500 fragments",
    frame(TEXT, '{"to":"nobody",', { fin: false }),
    ...Array.from({ length: 500 }, () => frame(0, " ", { fin: false })),
    frame(0, '"data":{}}'),
  ),
  skipped("a ping between fragments", frame(TEXT, '{"to":', { fin: false }), frame(PING, "x"), frame(0, '"nobody","data":{}}')),

  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => closes(`reserved opcode ${opcode}`, 1002, frame(opcode))),
  ...[1, 2, 4, 7].map((rsv) => closes(`reserved bits ${rsv}`, 1002, frame(TEXT, "{}", { rsv }))),
  closes("a text without a mask", 1002, frame(TEXT, "{}", { masked: false })),
  closes("a ping without a mask", 1002, frame(PING, "", { masked: false })),
  closes("a continuation without a start", 1002, frame(0, "{}")),
  closes("a new text within a fragmented one", 1002, frame(TEXT, "{", { fin: false }), frame(TEXT, "}")),
  closes("a fragmented ping", 1002, frame(PING, "", { fin: false })),
  closes("a ping of 126 bytes", 1002, frame(PING, "x".repeat(126))),
  closes("a close of 126 bytes", 1002, frame(CLOSE, Buffer.alloc(126, 3))),
  closes("a close of one byte", 1002, frame(CLOSE, "x")),
  ...[0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535].map((code) =>
    closes(`close code ${code} from a client`, 1002, frame(CLOSE, Buffer.from([code >> 8, code & 255]))),
  ),
  closes("a close reason that is not UTF-8", 1007, frame(CLOSE, Buffer.from([3, 232, 0xff, 0xfe]))),
  ...[[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82], [0x80]].map((bytes) =>
    closes(`text with the bytes ${Buffer.from(bytes).toString("hex")}`, 1007, frame(TEXT, Buffer.from(bytes))),
  ),
  closes("text of 64 KiB and one byte", 1009, frame(TEXT, "x".repeat(65_537))),
  closes("a claim of 2 GiB", 1009, frame(TEXT, "x", { claim: 2n ** 31n })),
  closes("a claim of 2^53", 1009, frame(TEXT, "x", { claim: 2n ** 53n })),
  closes("a claim of 2^63", 1009, frame(TEXT, "x", { claim: 2n ** 63n })),
  closes("fragments that add up to more than 64 KiB", 1009, frame(TEXT, "x".repeat(40_000), { fin: false }), frame(0, "x".repeat(40_000))),
  closes("2,000 empty fragments", 1008, frame(TEXT, "", { fin: false }), ...Array.from({ length: 2_000 }, () => frame(0, "", { fin: false }))),

  {
    name: "frame: half a frame, left there",
    async run(attack) {
      (await opened(attack)).write(frame(TEXT, to("{}")).subarray(0, 7));
    },
  },
  {
    name: "frame: a connection reset in the middle of a frame",
    async run(attack) {
      const socket = await opened(attack);
      socket.write(frame(TEXT, to("{}")).subarray(0, 12));
      socket.resetAndDestroy();
    },
  },
  {
    name: "frame: a FIN right after the handshake",
    async run(attack) {
      const socket = await opened(attack);
      socket.end();
      assert.equal(await closeCode(socket), 1006);
    },
  },
  {
    name: "frame: 20,000 pings without reading an answer",
    async run(attack) {
      const socket = await opened(attack);
      socket.pause();
      socket.write(Buffer.concat(Array.from({ length: 20_000 }, () => frame(PING, "x".repeat(100)))));
    },
  },
  {
    name: "frame: 2,000 messages to itself without reading one",
    async run(attack) {
      const socket = await opened(attack);
      socket.pause();
      for (let i = 0; i < 2_000; i++) socket.write(frame(TEXT, `{"to":"mallory","data":{"s":"${"x".repeat(4_000)}"}}`));
    },
  },
  {
    name: "frame: a message and a close at once, then more frames",
    async run(attack) {
      const socket = await opened(attack);
      socket.write(Buffer.concat([frame(TEXT, to("{}")), frame(CLOSE, Buffer.from([3, 232])), frame(TEXT, to("{}")), frame(TEXT, "garbage")]));
      assert.equal(await closeCode(socket), 1000);
    },
  },
];
