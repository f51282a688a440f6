// The lines to copy: whatever the values are, a shell and a JavaScript engine read exactly them.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import { type SnippetValues, snippetsOf } from "../../server/console/snippets.ts";

const NASTY = `it's "quoted" $(id) \`id\` \\ ! & ; | > 中😀 </script>`;
const plain: SnippetValues = {
  server: "http://127.0.0.1:8090",
  appKey: "test",
  secret: "s3cr3t",
  accounts: ["user_1", "user_2"],
  data: '{"text":"hi"}',
  apiToken: "a.b.c",
  connectToken: "d.e.f",
};
const nasty: SnippetValues = {
  ...plain,
  appKey: NASTY,
  secret: NASTY,
  accounts: [NASTY, "-x"],
  data: JSON.stringify({ text: NASTY, big: 0 }).replace("0}", "9007199254740993}"),
};

function snippet(id: string, values: SnippetValues) {
  const found = snippetsOf(values).find((each) => each.id === id);
  assert.ok(found);
  return found;
}

/** The arguments with which a shell runs the line, `curl` being a function that prints them. */
function argumentsOf(line: string): string[] {
  return execFileSync("bash", ["-c", `curl() { printf '%s\\0' "$@"; }\n${line}`], { encoding: "utf8" })
    .split("\0")
    .slice(0, -1);
}

test("the curl line carries the token and the body exactly", () => {
  const args = argumentsOf(snippet("curl", nasty).text);
  const body = `{"accounts":${JSON.stringify(nasty.accounts)},"data":${nasty.data}}`;
  assert.deepEqual(args, [
    "-sS",
    "http://127.0.0.1:8090/api/v1/messages",
    "-H",
    "Authorization: Bearer a.b.c",
    "-H",
    "Content-Type: application/json",
    "-d",
    body,
  ]);
});

test("the classic line carries the first account, and another nonce each time", () => {
  const line = snippet("classic", nasty).text;
  const [once, again] = [argumentsOf(line), argumentsOf(line)];
  const fields = once.filter((_, i) => once[i - 1] === "--data-urlencode");
  assert.deepEqual(fields.slice(0, 3), [`app_key=${NASTY}`, `send_to=${NASTY}`, `message=${nasty.data}`]);
  assert.match(fields[3] ?? "", /^nonce=\d{10}-\d+$/);
  assert.notEqual(fields[3], again.at(-1));
  assert.ok(once.includes("Authorization: Bearer a.b.c"));
});

test("without a token the classic line is the open call, and the other asks for one", () => {
  const classic = snippet("classic", { ...plain, apiToken: "" });
  assert.ok(!classic.text.includes("Authorization"));
  assert.match(classic.about, /"open"/);
  const curl = snippet("curl", { ...plain, apiToken: "" });
  assert.match(curl.text, /Bearer \$XLVEIN_API_TOKEN/);
  assert.match(curl.about, /Give the app secret/);
});

test("the Node.js lines hold the values as they are; the secret in them is marked, and left to the environment when there is none", () => {
  const { text, hide } = snippet("node", nasty);
  assert.equal(hide, NASTY);
  const options = runInNewContext(`(${/createXlvein\((\{.*?\n\})\)/s.exec(text)?.[1]})`) as Record<string, string>;
  assert.deepEqual({ ...options }, { url: nasty.server, appKey: NASTY, appSecret: NASTY });
  assert.ok(text.includes("9007199254740993"));
  assert.match(snippet("node", { ...plain, secret: "" }).text, /appSecret: process\.env\.APP_SECRET/);
});

test("a value cannot end the script of the browser page", () => {
  const { text } = snippet("browser", { ...nasty, connectToken: "d.e.f" });
  assert.equal(text.match(/<\/script>/g)?.length, 2);
  const options = runInNewContext(`(${/createClient\((\{.*?\n {2}\})\)/s.exec(text)?.[1]})`) as Record<string, string>;
  assert.deepEqual({ ...options }, { url: nasty.server, appKey: NASTY, token: "d.e.f" });
});
