// The scanner: agrees with JSON.parse on what is an object, and finds its members' text without touching it.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ErrorCode, XlveinError } from "../../server/src/errors.ts";
import { checkObject, endOfValue, findSyntaxError, JsonSyntaxError, readArray, scanObject } from "../../server/src/protocol/scan.ts";
import { createDraw } from "../helpers/random.ts";

const DEPTH = 32;

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function scanned(text: string): ReturnType<typeof scanObject> | undefined {
  try {
    return scanObject(text, DEPTH);
  } catch (error) {
    assert.ok(error instanceof XlveinError && error.code === ErrorCode.MESSAGE_INVALID, String(error));
    return undefined;
  }
}

function assertAgrees(text: string): void {
  const [expected, actual] = [parsed(text), scanned(text)];
  assert.equal(actual !== undefined, expected !== undefined, JSON.stringify(text));
  if (expected === undefined || actual === undefined) return;
  assert.deepEqual([...actual.keys()].sort(), Object.keys(expected).sort(), JSON.stringify(text));
  for (const [key, { start, end }] of actual) {
    const value = text.slice(start, end);
    assert.equal(value.trim(), value);
    assert.deepEqual(JSON.parse(value), expected[key], `${JSON.stringify(text)} at ${key}`);
  }
}

const SCALARS = [
  "0",
  "-0",
  "1e5",
  "-1.25E-3",
  "12345678901234567890",
  "true",
  "false",
  "null",
  '""',
  '"a"',
  '"\\u00e9\\n\\"\\\\"',
  '"你好 😀"',
  '"}],{"',
  '"\\ud800"',
];
const SPACES = ["", "", "", " ", "\n", "\t\r\n  "];

function generated(random: (below: number) => number, depth: number): string {
  const space = () => SPACES[random(SPACES.length)] ?? "";
  const list = (make: () => string) => Array.from({ length: random(4) }, () => space() + make() + space()).join(",");
  const kind = depth === 0 ? 0 : random(4);
  if (kind === 1) return `[${list(() => generated(random, depth - 1)) || space()}]`;
  if (kind === 2 || depth === 5) {
    return `{${list(() => `"${["a", "b", "d\\u0061ta", "data", "", "__proto__", "constructor"][random(7)]}"${space()}:${space()}${generated(random, depth - 1)}`) || space()}}`;
  }
  return SCALARS[random(SCALARS.length)] ?? "0";
}

describe("scanObject", () => {
  it("agrees with JSON.parse on thousands of generated objects", () => {
    const random = createDraw(1);
    for (let i = 0; i < 4_000; i++) assertAgrees(generated(random, 5));
  });

  it("agrees with JSON.parse when a valid text is damaged by a character", () => {
    const random = createDraw(2);
    const damage = '{}[]:,"\\ \t\n\u0001\u00a0\u2028\ufeff0-+.eEntu1a/';
    for (let i = 0; i < 8_000; i++) {
      const text = generated(random, 5);
      const at = random(text.length + 1);
      assertAgrees(text.slice(0, at) + (damage[random(damage.length)] ?? "") + text.slice(at + random(2)));
      assertAgrees(text.slice(0, at));
    }
  });

  it("agrees with JSON.parse on random strings of JSON's own characters", () => {
    const random = createDraw(3);
    const alphabet = '{}[]:,"\\ue0-1.tn ';
    for (let i = 0; i < 20_000; i++) {
      assertAgrees(`{${Array.from({ length: random(12) }, () => alphabet[random(alphabet.length)]).join("")}}`);
    }
  });

  it("agrees with JSON.parse on the classic traps", () => {
    const traps = [
      '{"a":01}',
      '{"a":1.}',
      '{"a":.5}',
      '{"a":+1}',
      '{"a":1e}',
      '{"a":NaN}',
      '{"a":-}',
      "{a:1}",
      "{'a':1}",
      '{"a":1,}',
      '{"a":[1,]}',
      '{"a":[,1]}',
      '{,"a":1}',
      '{"a"}',
      '{"a":}',
    ];
    traps.push(
      '{"a":"\t"}',
      '{"a":"\\x41"}',
      '{"a":"\\u12g4"}',
      '{"a":"\\u123"}',
      '{"a":truex}',
      '{"a":tru}',
      '{"a":1}{}',
      '{"a":1} x',
      "",
      " ",
      "null",
      "[]",
      '"a"',
      "{",
      "}",
      '{"a":"',
      '{"a":"\\',
      "{}",
      " {} ",
    );
    traps.push(
      '{"a":1}\u00a0',
      '\ufeff{"a":1}',
      '{"a":1/**/}',
      '{"a":1}//',
      '{"a":[1}',
      '{"a":{"b":1]}',
      '{"a":\u20281}',
      '{"a":1e999}',
      '{"a":"\u2028"}',
      '{"a":"\u007f"}',
      '{"a":00}',
      '{"a":-01}',
      '{"a":1 2}',
    );
    for (const text of traps) assertAgrees(text);
  });

  it("gives the exact text, so that numbers beyond 2^53 and repeated inner keys survive", () => {
    const data = '{"id":12345678901234567890.10, "id":1E400,\n"s":"\\u0041"}';
    const text = `{"to":"u","data": ${data} }`;
    const span = scanObject(text, DEPTH).get("data");
    assert.ok(span);
    assert.equal(text.slice(span.start, span.end), data);
  });

  it("lets the last of repeated keys win, also when one is escaped", () => {
    const text = '{"data":1,"d\\u0061ta":{"x":2}}';
    const members = scanObject(text, DEPTH);
    assert.equal(members.size, 1);
    const span = members.get("data");
    assert.ok(span && text[span.start] === "{");
    assert.equal(text.slice(span.start, span.end), '{"x":2}');
  });

  it("counts depth from each value, and refuses one level too many", () => {
    const nested = (levels: number) => `{"a":${"[".repeat(levels)}${"]".repeat(levels)}}`;
    assert.equal(scanObject(nested(3), 3).size, 1);
    assert.throws(() => scanObject(nested(4), 3), /message is nested deeper than 3 levels/);
    assert.equal(scanObject('{"a":1}', 0).size, 1);
  });

  it("names the text and the place of a fault, and shows nothing of the text", () => {
    assert.throws(() => scanObject('{"secret":x}', DEPTH, "body"), { message: "body is not valid JSON: fault at position 10" });
    assert.throws(() => scanObject('{"secret":', DEPTH, "body"), { message: "body is not valid JSON: it ends too early" });
    assert.throws(() => scanObject("[]", DEPTH, "body"), { message: "body is not a JSON object" });
  });

  it("takes linear time on hostile texts and does not overflow the stack", () => {
    const size = 1_000_000;
    const hostile = [
      "[".repeat(size),
      `{"a":${"[".repeat(size)}`,
      `{"a":${'{"a":'.repeat(size / 5)}`,
      `{"a":"${"\\\\".repeat(size / 2)}`,
      `{${'"a":1,'.repeat(size / 6)}`,
      `{"a":${"1".repeat(size)}`,
      `{"a":"${"\\u00".repeat(size / 4)}"}`,
    ];
    const started = process.cpuUsage();
    for (const text of hostile) {
      assert.equal(scanned(text), undefined);
      assert.notEqual(findSyntaxError(text), -1);
    }
    // Anything quadratic would need minutes for a million characters; other work on the machine does not count.
    const { user, system } = process.cpuUsage(started);
    assert.ok(user + system < 10_000_000, `took ${user + system} µs of CPU`);
    assert.equal(scanned(`{${Array.from({ length: 100_000 }, (_, i) => `"k${i}":${i}`).join(",")}}`)?.size, 100_000);
  });
});

describe("checkObject", () => {
  it("takes one object within the depth, itself being the first level", () => {
    checkObject(' {"a":[1]} ', 2);
    checkObject("{}", 1);
    assert.throws(() => checkObject('{"a":[1]}', 1), /nested deeper than 1 levels/);
    assert.throws(() => checkObject('{"a":{}}', 1), /nested deeper/);
  });

  it("refuses everything else by name", () => {
    for (const text of ["", "[]", "null", '"{}"', "1"])
      assert.throws(() => checkObject(text, DEPTH, "message"), { message: "message is not a JSON object", code: 1003 });
    for (const text of ["{", "{}{}", '{"a":1}}', "{} x"]) assert.throws(() => checkObject(text, DEPTH), /message is not valid JSON/);
  });
});

describe("readArray", () => {
  function elementsOf(text: string): readonly string[] {
    const elements: string[] = [];
    const end = readArray(text, text.indexOf("["), "list", (start) => {
      const end = endOfValue(text, start, DEPTH, "list");
      elements.push(text.slice(start, end));
      return end;
    });
    assert.equal(text.slice(end), "}");
    return elements;
  }

  it("gives the place of each element in order, and answers where the array ends", () => {
    assert.deepEqual(elementsOf('{"list":[ {"a":1} ,[2 , 3],"x,]", 4 ]}'), ['{"a":1}', "[2 , 3]", '"x,]"', "4"]);
    assert.deepEqual(elementsOf('{"list":[ ]}'), []);
  });

  it("refuses what is no array", () => {
    for (const text of ["[1 2]", "[1,]", "[,1]", "[1", "["]) assert.throws(() => elementsOf(text), JsonSyntaxError);
  });
});

describe("findSyntaxError", () => {
  it("tells where a text stops being JSON, whatever its type", () => {
    assert.equal(findSyntaxError('[1,"a",{"b":null}]'), -1);
    assert.equal(findSyntaxError("7"), -1);
    assert.equal(findSyntaxError("[1,]"), 3);
    assert.equal(findSyntaxError("{} x"), 3);
    assert.equal(findSyntaxError('{"a":'), 5);
  });
});
