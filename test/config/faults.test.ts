// Every key wrong in turn, generated from the schema: the error names the key, the file and the line.
import assert from "node:assert/strict";
import { test } from "node:test";
import { stringify } from "yaml";
import { type Finding, formatFinding } from "../../server/src/config/config.ts";
import { inspectConfig, loadConfig } from "../../server/src/config/load.ts";
import { type Setting, sections, settings } from "../../server/src/config/schema.ts";
import { makeFolder } from "./folder.ts";

/** Two lines of comment, then the value alone in its sections. */
function fileWith(key: string, value: unknown): { text: string; line: number } {
  const path = key.split(".");
  const tree = path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
  return { text: `# one\n# two\n${stringify(tree)}`, line: 2 + path.length };
}

function wrongTypes({ format }: Setting): unknown[] {
  if (format === "switch") return ["perhaps", 1, [true], { on: true }];
  if (format === "whole" || format === "decimal") return ["many", "10x", "10", true, [1], { n: 1 }, Number.NaN, Number.POSITIVE_INFINITY];
  if (format === "applications") return ["test", 5, true];
  if (format === "listen") return ["http://x", ":65536", "::::", true, [":8090"], { port: 1 }, -1];
  if (format === "addresses") return [5, true, ["x", 5], ["x", ""], { x: 1 }];
  return [5, true, ["x"], { x: 1 }];
}

function outOfRange({ format, min, max }: Setting): unknown[] {
  const values: unknown[] = [];
  if (min !== undefined) values.push(min - (format === "whole" ? 1 : 0.001));
  if (max !== undefined) values.push(max + 1);
  if (format === "whole") values.push(1.5);
  if (format === "choice") values.push("other", "");
  if (format === "host") values.push("127.0.0.1:80", "http://x");
  return values;
}

function findingsOf(t: Parameters<typeof makeFolder>[0], text: string): readonly Finding[] {
  const cwd = makeFolder(t, { "conf.yaml": text });
  return inspectConfig({ env: {}, cwd }).findings;
}

for (const setting of settings) {
  test(`${setting.key} with a wrong value is an error at its line`, (t) => {
    const values = [...wrongTypes(setting), ...outOfRange(setting)];
    assert.ok(values.length > 2);
    for (const value of values) {
      const { text, line } = fileWith(setting.key, value);
      const errors = findingsOf(t, text).filter(({ severity }) => severity === "error");
      assert.equal(errors.length, 1, `${setting.key}: ${JSON.stringify(value)}`);
      const [fault] = errors;
      assert.deepEqual([fault?.source, fault?.key, fault?.line], ["conf.yaml", setting.key, line], text);
      assert.match(fault?.message ?? "", /^must /);
    }
  });

  test(`${setting.key} misspelt is named with what was meant`, (t) => {
    const wrong = `${setting.key.slice(0, -1)}${setting.key.endsWith("x") ? "" : "x"}`;
    const { text, line } = fileWith(wrong, setting.default);
    const finding = findingsOf(t, text).find(({ key }) => key === wrong);
    assert.equal(finding?.line, line);
    assert.equal(finding?.severity, setting.key.includes(".") ? "error" : "warning");
    assert.equal(finding?.suggestion, setting.key, formatFinding(finding as Finding));
  });

  test(`${setting.variable} with a wrong value is an error that names the variable`, (t) => {
    const texts = {
      switch: "perhaps",
      whole: "10x",
      decimal: "1,5",
      choice: "other",
      listen: "http://x",
      host: "a:b",
      name: "a b",
      secret: "A_b",
      applications: '{"app_key": hunter2',
    };
    const text = texts[setting.format as keyof typeof texts];
    if (text === undefined) return assert.ok(["text", "path", "addresses"].includes(setting.format));
    const { findings } = inspectConfig({ env: { [setting.variable]: text }, cwd: makeFolder(t) });
    assert.deepEqual(
      findings.map(({ severity, source, key }) => [severity, source, key]),
      [["error", "environment", setting.variable]],
    );
    assert.ok(!JSON.stringify(findings).includes("hunter2"));
  });

  test(`--set ${setting.key} with a wrong value is an error that names the flag`, (t) => {
    const { findings } = inspectConfig({ env: {}, flags: { [setting.key]: Symbol.for("wrong") }, cwd: makeFolder(t) });
    assert.deepEqual(
      findings.map(({ severity, source, key }) => [severity, source, key]),
      [["error", "flags", setting.key]],
    );
  });
}

for (const section of sections) {
  test(`${section} that is no map is an error at its line`, (t) => {
    for (const value of ["text", 5, true, ["x"]]) {
      const { text, line } = fileWith(section, value);
      const findings = findingsOf(t, text);
      assert.deepEqual(
        findings.map(({ severity, key, line: at }) => [severity, key, at]),
        [["error", section, line]],
      );
    }
  });
}

test("every fault is told at once, in the order of the lines", (t) => {
  const text = 'debug: perhaps\nlimits:\n  frame_byte: 1\n  body_bytes: "x"\nping: {seconds: 0}\n';
  const cwd = makeFolder(t, { "conf.yaml": text });
  assert.throws(
    () => loadConfig({ env: { XLVEIN_LIMITS_JSON_DEPTH: "deep" }, cwd }),
    (error: Error) => {
      assert.equal(
        error.message,
        [
          "conf.yaml:1: debug: must be true or false",
          "conf.yaml:3: limits.frame_byte: unknown key; did you mean limits.frame_bytes?",
          "conf.yaml:4: limits.body_bytes: must be a whole number from 64 to 67108864",
          "conf.yaml:5: ping.seconds: must be from 0.01 to 3600",
          "environment: XLVEIN_LIMITS_JSON_DEPTH: must be a whole number from 1 to 1000",
        ].join("\n"),
      );
      return true;
    },
  );
});

test("a fault in the file is told even where the environment stands above it", (t) => {
  const cwd = makeFolder(t, { "conf.yaml": "limits: {connections: many}\n" });
  const { config, findings } = inspectConfig({ env: { XLVEIN_LIMITS_CONNECTIONS: "7" }, cwd });
  assert.equal(config.limits.connections, 7);
  assert.deepEqual(
    findings.map(({ key }) => key),
    ["limits.connections"],
  );
});

test("a key of another section is named with its section", (t) => {
  const findings = findingsOf(t, "limits: {missed: 2}\nport: 8090\nframe_bytes: 1\nzzz: {a: 1}\n");
  assert.deepEqual(findings.map(formatFinding), [
    "conf.yaml:1: limits.missed: unknown key; did you mean ping.missed?",
    "conf.yaml:2: port: unknown key, ignored; did you mean host?",
    "conf.yaml:3: frame_bytes: unknown key, ignored; did you mean limits.frame_bytes?",
    "conf.yaml:4: zzz: unknown key, ignored",
  ]);
});

test("a key without a value warns and keeps its default; an empty section is no fault", (t) => {
  const findings = findingsOf(t, "host:\nlimits:\n  # frame_bytes: 1\n");
  assert.deepEqual(findings.map(formatFinding), ["conf.yaml:1: host: has no value; the default is used"]);
});

test("a file that is no map, and a file that is no YAML, are errors", (t) => {
  assert.deepEqual(findingsOf(t, "- 1\n").map(formatFinding), ["conf.yaml: file: must be a map of keys"]);
  assert.match(findingsOf(t, "a: 1\na: 2\n").map(formatFinding).join(), /^conf\.yaml:2: syntax: /);
});

test("names that live on every object are unknown keys like any other", (t) => {
  const findings = findingsOf(t, "__proto__: {frame_bytes: 1}\nconstructor: 1\nlimits: {__proto__: 5, toString: 1}\n");
  assert.deepEqual(
    findings.map(({ key, line, severity }) => [key, line, severity]),
    [
      ["__proto__", 1, "warning"],
      ["constructor", 2, "warning"],
      ["limits.__proto__", 3, "error"],
      ["limits.toString", 3, "error"],
    ],
  );
});
