// JSON shown as it was sent: laid out, taken apart, and judged before it is sent.
import assert from "node:assert/strict";
import { test } from "node:test";
import { layOut, memberText, objectFault } from "../../server/console/json-text.ts";

const text = (json: string) =>
  layOut(json)
    ?.map((piece) => piece.text)
    .join("");

test("short JSON stays on one line, with room to read", () => {
  assert.equal(text('{"text":"hello","n":[1,-2.5e3,true,null],"o":{}}'), '{ "text": "hello", "n": [1, -2.5e3, true, null], "o": {} }');
  assert.equal(text("[]"), "[]");
  assert.equal(text(' "just text" '), '"just text"');
});

test("long JSON gets a line for each member, and its short parts stay whole", () => {
  const long = "x".repeat(60);
  assert.equal(
    text(`{"a":"${long}","tags":["b",1],"c":[{"d":"${long}"},{}]}`),
    ["{", `  "a": "${long}",`, '  "tags": ["b", 1],', '  "c": [', "    {", `      "d": "${long}"`, "    },", "    {}", "  ]", "}"].join("\n"),
  );
});

test("what is laid out means the same, and its numbers and escapes stay as written", () => {
  const json = String.raw`{"big":12345678901234567890123,"e":1E+2,"s":"a\"\\\u0041 {[,:]} 中😀","k\"":{"deep":[[["${"y".repeat(70)}"]]]}}`;
  const shown = text(json) ?? "";
  assert.deepEqual(JSON.parse(shown), JSON.parse(json));
  assert.match(shown, /12345678901234567890123/);
  assert.ok(shown.includes(String.raw`"a\"\\\u0041 {[,:]} 中😀"`));
});

test("each piece has its kind", () => {
  const kinds = layOut('{"k":"s","n":1,"w":null}')?.filter(({ kind }) => kind !== "mark");
  assert.deepEqual(kinds, [
    { kind: "key", text: '"k"' },
    { kind: "string", text: '"s"' },
    { kind: "key", text: '"n"' },
    { kind: "number", text: "1" },
    { kind: "key", text: '"w"' },
    { kind: "word", text: "null" },
  ]);
});

test("text that is not JSON is not laid out", () => {
  for (const json of ["", "{", '{"a":}', "hello", '{"a":1}x']) assert.equal(layOut(json), undefined, json);
});

test("a frame of the largest size is laid out in less than a second", () => {
  const json = JSON.stringify({ list: Array.from({ length: 12_000 }, (_, i) => i % 9), text: "\\".repeat(10_000) });
  const startedMs = performance.now();
  assert.deepEqual(JSON.parse(text(json) ?? ""), JSON.parse(json));
  assert.ok(performance.now() - startedMs < 1000);
});

test("a member's text is found at the top level only, as written", () => {
  const frame = '{"from":"a","data": {"to":"inner","n":9007199254740993} ,"to":"b","event":0}';
  assert.equal(memberText(frame, "data"), '{"to":"inner","n":9007199254740993}');
  assert.equal(memberText(frame, "to"), '"b"');
  assert.equal(memberText(frame, "event"), "0");
  assert.equal(memberText(frame, "from"), '"a"');
  assert.equal(memberText(frame, "n"), undefined);
  assert.equal(memberText('{"a":1,"a":[2]}', "a"), "[2]");
});

test("frames that are no JSON object have no members", () => {
  for (const frame of ["", "hello", '{"to":', "[]", '"to"', "null"]) assert.equal(memberText(frame, "to"), undefined, frame);
});

test("a message that cannot be sent is explained, one that can is not", () => {
  for (const good of ["{}", ' {"text":"hi"}\n']) assert.equal(objectFault(good), undefined, good);
  assert.match(objectFault("  ") ?? "", /is empty\. Write a JSON object/);
  for (const json of ["[1]", '"text"', "1", "null"]) assert.match(objectFault(json) ?? "", /must be a JSON object/, json);
  assert.match(objectFault('{"a":}') ?? "", /is not JSON: Unexpected token .+Write a JSON object/);
});
