// Documents keep the line of everything, and tell their faults without quoting.
import assert from "node:assert/strict";
import { test } from "node:test";
import { formatFinding } from "../../server/src/config/config.ts";
import { readDocument } from "../../server/src/config/document.ts";

test("keys and items have lines, in blocks, flows, aliases and JSON", () => {
  const yaml = readDocument("a: 1\nb:\n  - {x: 1}\n  - x: 2\n    y: &y\n      z: 3\nc: *y\n", "f.yaml");
  assert.deepEqual(yaml.findings, []);
  const lines = [["a"], ["b"], ["b", 0, "x"], ["b", 1, "x"], ["b", 1, "y", "z"], ["c"], ["c", "z"]].map((path) => yaml.line(path));
  assert.deepEqual(lines, [1, 2, 3, 4, 5 + 1, 7, 6]);
  const json = readDocument('{\n  "a": [\n    1,\n    {"b": 2}\n  ]\n}', "f.json");
  assert.equal(json.line(["a", 1, "b"]), 4);
});

test("what is absent has the line of what is around it", () => {
  const { line } = readDocument("\na:\n  b: 1\n", "f.yaml");
  assert.equal(line(["a", "x"]), 2);
  assert.equal(line(["x", "y"]), 2);
});

test("syntax errors name the line and never quote the text", () => {
  const wrong: [string, string, RegExp][] = [
    ["f.yaml", "a: 1\na: hunter2\n", /^f\.yaml:2: syntax: Map keys must be unique$/],
    ["f.yaml", "a: 1\nb: 'hunter2\n", /^f\.yaml:\d: syntax: Missing closing 'quote$/],
    ["f.yaml", "a: 1\nb: *hunter2\n", /^f\.yaml:2: syntax: unknown alias; a text that begins with \* needs quotes$/],
    ["f.yaml", "a: 1\nb: !hunter2 x\n", /^f\.yaml:2: syntax: unknown tag; a text that begins with ! needs quotes$/],
    ["f.yaml", 'a: 1\nb: "\\hunter2"\n', /^f\.yaml:2: syntax: not valid YAML \(bad dq escape\)$/],
    ["f.yaml", "a: 1\nb: |hunter2\n", /^f\.yaml:2: syntax: not valid YAML \(unexpected token\)$/],
    ["f.yaml", "a: 1\n---\nb: 2\n", /^f\.yaml:2: syntax: .*multiple documents/],
    ["f.json", '{\n "a": hunter2}', /^f\.json:2: syntax: not valid JSON$/],
    ["f.json", '{\n "a": 1,\n', /^f\.json:3: syntax: not valid JSON$/],
  ];
  for (const [name, text, message] of wrong) {
    const { value, findings } = readDocument(text, name);
    assert.equal(value, undefined, text);
    assert.match(findings.map(formatFinding)[0] ?? "", message, text);
    assert.ok(!findings.map(formatFinding).join().includes("hunter2"), text);
  }
});

test("a bomb of aliases is a fault, not an outage", () => {
  const levels = Array.from({ length: 9 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(", ")}]`);
  const { value, findings } = readDocument(["l0: &l0 [x, x, x]", ...levels].join("\n"), "f.yaml");
  assert.equal(value, undefined);
  assert.match(findings.map(formatFinding).join(), /too many aliases/);
});

test("an empty text is a document without a value", () => {
  for (const name of ["f.yaml", "f.json"]) {
    assert.equal(readDocument("", name).value, null);
    assert.deepEqual(readDocument("\n", name).findings, []);
  }
});
