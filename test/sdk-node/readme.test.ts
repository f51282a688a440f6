// Runs every example of sdk-node/README.md against a real server, as whoever copies it would.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { createXlvein } from "../../sdk-node/src/index.ts";
import { connect } from "../helpers/client.ts";
import { startServer } from "../helpers/server.ts";

const SAMPLE_SECRET = "j8jasd98efan9sdfj89asjdf";
const SOURCES = new URL("../../sdk-node/src/index.ts", import.meta.url).href;
const run = promisify(execFile);

const readme = await readFile(new URL("../../sdk-node/README.md", import.meta.url), "utf8");
const blocks = [...readme.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code = ""]) => code);
const first = blocks[0] ?? "";
/** What later examples go on with: the first one up to its client. */
const setUp = first.slice(0, first.indexOf("});") + 4);

/** Runs an example in a process of its own; rejects when it fails. Answers what it printed. */
async function runExample(t: TestContext, code: string, url: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "xlvein-readme-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const whole = code.includes('from "@xlvein/node"') ? code : setUp + code;
  const file = join(directory, "example.mjs");
  await writeFile(file, whole.replaceAll("http://127.0.0.1:8090", url).replaceAll('"@xlvein/node"', JSON.stringify(SOURCES)));
  const { stdout, stderr } = await run(process.execPath, ["--disable-warning=ExperimentalWarning", file]);
  assert.equal(stderr, "");
  return stdout;
}

function startSample(t: TestContext): ReturnType<typeof startServer> {
  return startServer(t, { applications: [{ app_key: "test", app_secret: SAMPLE_SECRET }] });
}

test("the first example pushes what the text says, and prints the message's id", async (t) => {
  const { url } = await startSample(t);
  const client = await connect(t, url, { secret: SAMPLE_SECRET });
  const printed = await runExample(t, first, url);
  const { data, msg_id } = await client.next();
  assert.deepEqual(data, { text: "hello" });
  assert.equal(printed, `pushed ${msg_id}\n`);
});

test("every other example runs, and prints what its comments say", async (t) => {
  assert.ok(blocks.length >= 12, "the README has examples");
  const { url } = await startSample(t);
  for (const code of blocks.slice(1)) {
    const client = await connect(t, url, { secret: SAMPLE_SECRET, query: { device_id: "phone-1" } });
    await t.test(firstLine(code), async (t) => {
      const printed = await runExample(t, code, url);
      for (const expected of promised(code)) assert.match(printed.replaceAll(url.replace("http", "ws"), "ws://127.0.0.1:8090"), expected);
    });
    client.socket.terminate();
  }
});

test("the README shows every method and every option", async () => {
  const client = createXlvein({ url: "http://127.0.0.1:8090", appKey: "test", appSecret: SAMPLE_SECRET });
  const methods = Object.entries(client).flatMap(([name, value]) =>
    typeof value === "function" ? name : Object.keys(value as object).map((inner) => `${name}.${inner}`),
  );
  for (const method of methods) {
    assert.ok(readme.includes(`| \`${method}(`), `${method} is in the table of methods`);
    assert.ok(
      blocks.some((code) => code.includes(`.${method}(`)),
      `${method} has an example`,
    );
  }
  const source = await readFile(new URL("../../sdk-node/src/options.ts", import.meta.url), "utf8");
  const start = source.indexOf("interface XlveinOptions");
  const declared = source.slice(start, source.indexOf("\n}", start));
  const options = [...declared.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name]) => name);
  assert.ok(options.length >= 11);
  const table = readme.slice(readme.indexOf("## All options"));
  for (const option of options) assert.ok(table.includes(`\`${option}\``), `${option} is in the table of options`);
});

function firstLine(code: string): string {
  return code.split("\n").find((line) => line !== "" && !line.startsWith("import ")) ?? "";
}

/** `console.log(…); // expected`, where … stands for anything. */
function promised(code: string): RegExp[] {
  return [...code.matchAll(/^ *console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text = ""]) => {
    const literal = text.replaceAll('"', "'").replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
    return new RegExp(`^${literal.replaceAll("…", ".*")}$`, "m");
  });
}
