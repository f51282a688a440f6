// What must not stand in a public repository: paths of one machine, notes to oneself, and files by accident.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readSources, repositoryFiles, type Sources } from "./sources.ts";

const TEXT = /(\.(ts|tsx|js|mjs|cjs|json|yaml|yml|md|sh|html|css|svg|txt|tpl)|\/run|Dockerfile|ignore|rc|\.editorconfig)$/;
const MACHINE = /(?<![\w.}-])\/(home|root|Users|work|opt|mnt)\/[\w.-]+/;
const TEMPORARY = /(?<![\w.}-])\/tmp\/[\w.-]+/;
const NOTE = /\b(TO[D]O|FIX[M]E|XX[X]|HAC[K])\b/;
const SECRETS = /-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/]{20}/;

function problems(sources: Sources): string[] {
  return [...sources].flatMap(([file, text]) =>
    text.split("\n").flatMap((line, index) => {
      const found = MACHINE.exec(line) ?? NOTE.exec(line) ?? SECRETS.exec(line) ?? (file.endsWith(".md") ? TEMPORARY.exec(line) : null);
      return found ? [`${file}:${index + 1}: ${found[0]}`] : [];
    }),
  );
}

describe("the repository's files", () => {
  it("name no machine and hold no note to oneself", () => {
    const sources = readSources((file) => TEXT.test(file) && !file.includes("/vendor/") && !file.endsWith("words.test.ts"));
    assert.ok(sources.size > 50);
    assert.deepEqual(problems(sources), []);
  });

  it("are sources: nothing built, packed, logged or private", () => {
    const stray = repositoryFiles().filter((file) =>
      /(^|\/)(node_modules|dist|\.cache|coverage)\/|\.(tgz|log|pem|key|tmp|swp|orig|rej)$|(^|\/)\.env$|\.DS_Store$/.test(file),
    );
    assert.deepEqual(stray, []);
  });

  it("are judged by a check that finds what is planted", () => {
    const home = ["", "home", "ann", "x"].join("/");
    const planted = new Map([
      ["a.md", `See ${home}.\nRun /tmp/x now.\nSee https://example.org/home/page and ./root/x.`],
      ["b.ts", "// TO" + "DO: later\nconst path = '/tmp/x';"],
    ]);
    assert.deepEqual(problems(planted), ["a.md:1: /home/ann", "a.md:2: /tmp/x", "b.ts:1: TO" + "DO"]);
  });
});
