// Every file in examples/ does what it says, against the repository's own conf.yaml; every configuration in a document is one.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { WebSocketServer } from "ws";
import { parse } from "yaml";
import { parseApplications } from "../../server/src/apps/parse.ts";
import { inspectConfig } from "../../server/src/config/load.ts";
import { openBrowser } from "../helpers/browser.ts";
import { connect, connectUrl, tokenFor } from "../helpers/client.ts";
import { codeBlocks, markdownFiles, ROOT, readDocument, section } from "./markdown.ts";
import { DOCUMENTED_URL, run, startSample } from "./run.ts";

/** Published with the Go service's sample: every example's default. */
const SAMPLE = "j8jasd98efan9sdfj89asjdf";
const NODE = `"${process.execPath}"`;
/** One server for all of them; each test has accounts of its own where it counts connections. */
const { url } = await startSample({ after: (end) => after(end as () => unknown) });

test("every example is listed in examples/README.md", async () => {
  const files = (await readdir(join(ROOT, "examples"), { recursive: true, withFileTypes: true })).filter(
    (entry) => entry.isFile() && entry.name !== "README.md",
  );
  const listed = readDocument("examples/README.md");
  const missing = files
    .map((entry) => join(entry.parentPath, entry.name).slice(join(ROOT, "examples/").length))
    .filter((name) => !listed.includes(`](${name})`));
  assert.deepEqual(missing, []);
});

test("classic/push.sh pushes with a sign that the server accepts, text of any language included", async (t) => {
  const client = await connect(t, url, { secret: SAMPLE, account: "用户&=1" });
  const answer = await run(t, `examples/classic/push.sh '用户&=1' '{"text":"你好 & = 😀","n":9007199254740993}'`, { URL: url }).output;
  assert.equal(answer.trim(), '{"error":0,"message":"","data":{}}');
  assert.match(await client.nextText(), /"data":\{"text":"你好 & = 😀","n":9007199254740993\}/);
});

test("classic/push.sh shows the server's refusal when the secret is wrong", async (t) => {
  const answer = await run(t, `examples/classic/push.sh user_1 '{}'`, { URL: url, APP_SECRET: "wrong" }).output;
  assert.equal((JSON.parse(answer) as { error: number }).error, 1002);
});

test("classic/push-bearer.sh pushes with a token made by openssl", async (t) => {
  const client = await connect(t, url, { secret: SAMPLE });
  const answer = JSON.parse(await run(t, `examples/classic/push-bearer.sh user_1 '{"text":"by bearer"}'`, { URL: url }).output) as {
    msg_id: string;
    duplicate: boolean;
  };
  const frame = await client.next();
  assert.deepEqual([frame.data, frame.msg_id, answer.duplicate], [{ text: "by bearer" }, answer.msg_id, false]);
});

test("node-push/push.mjs pushes and tells who is connected", async (t) => {
  const client = await connect(t, url, { secret: SAMPLE, account: "user_5" });
  const printed = await run(t, `${NODE} examples/node-push/push.mjs user_5 user_6`, { URL: url }).output;
  assert.match(printed, /^pushed [0-9a-f-]{36}\nuser_5: 1 connected\nuser_6: 0 connected$/);
  assert.equal((await client.next()).data.text, "hello from a backend");
});

test("node-push/push.mjs says what to do when the secret is wrong", async (t) => {
  await assert.rejects(run(t, `${NODE} examples/node-push/push.mjs user_1`, { URL: url, APP_SECRET: "wrong" }).output, /Check `appSecret`/);
});

test("classic/listen.mjs prints frames, and stops when the backend disconnects it", async (t) => {
  const listen = run(t, `${NODE} examples/classic/listen.mjs "${connectUrl(url, { secret: SAMPLE })}"`);
  await listen.line(/^connected$/);
  await run(t, `examples/classic/push.sh user_1 '{"text":"signed"}'`, { URL: url }).output;
  assert.match(await listen.line(/signed/), /"event":0/);
  const { createXlvein } = await import("@xlvein/node");
  await createXlvein({ url, appKey: "test", appSecret: SAMPLE }).disconnect("user_1");
  await listen.line(/^closed for good: 4010$/);
  await assert.rejects(listen.output, /ended with 1/);
});

test("classic/listen.mjs comes back after a restart code", async (t) => {
  const codes = [1012, 4003];
  const restarting = new WebSocketServer({ host: "127.0.0.1", port: 0 }).on("connection", (socket) => socket.close(codes.shift()));
  t.after(() => restarting.close());
  await once(restarting, "listening");
  const listen = run(t, `${NODE} examples/classic/listen.mjs "ws://127.0.0.1:${(restarting.address() as AddressInfo).port}/"`);
  await listen.line(/^closed: 1012; trying again in \d+ ms$/);
  await listen.line(/^closed for good: 4003$/);
});

test("classic/chat.mjs carries a message from one account to the other", async (t) => {
  const [from, to] = [connectUrl(url, { secret: SAMPLE }), connectUrl(url, { secret: SAMPLE, account: "user_2" })];
  assert.match(await run(t, `${NODE} examples/classic/chat.mjs "${from}" "${to}" user_2`).output, /^user_1 wrote \(event 1, 20\d\d-.*Z\): \{"text":"hi"\}$/);
});

test("browser/index.html, opened from disk in Chromium, receives a push and sends", async (t) => {
  const browser = await openBrowser(t);
  const page = await browser.newPage();
  await page.goto(`${pathToFileURL(join(ROOT, "examples/browser/index.html"))}?server=${url}`);
  await page.fill("#url", connectUrl(url, { secret: SAMPLE }));
  await page.click("#connect button");
  await page.getByText("connected", { exact: true }).waitFor();
  await run(t, `examples/classic/push.sh user_1 '{"text":"<b>hello</b>"}'`, { URL: url }).output;
  await page.getByText('backend: {"text":"<b>hello</b>"}').waitFor();

  const other = await connect(t, url, { secret: SAMPLE, account: "user_2" });
  await page.fill("#to", "user_2");
  await page.fill("#text", "from the page");
  await page.click("#send button");
  const frame = await other.next();
  assert.deepEqual([frame.from, frame.data], ["user_1", { text: "from the page" }]);
});

test("the page of README.md, `Receive in a browser`, logs a push with the token that its backend gives", async (t) => {
  const block = codeBlocks(section(readDocument("README.md"), "Receive in a browser")).find(({ language }) => language === "html");
  const html = block?.text.replaceAll(DOCUMENTED_URL, url) ?? assert.fail("no html block");
  const backend = createServer((request, response) => {
    if (request.url === "/token") response.end(tokenFor("user_1", SAMPLE));
    else response.setHeader("content-type", "text/html").end(html);
  }).listen(0, "127.0.0.1");
  t.after(() => backend.close());
  const page = await (await openBrowser(t)).newPage();
  const logged = (text: string) => page.waitForEvent("console", (message) => message.text().startsWith(text));
  const connected = logged("connected");
  await page.goto(`http://127.0.0.1:${(backend.address() as AddressInfo).port}/`);
  await connected;
  const received = logged("backend");
  await run(t, `examples/classic/push.sh user_1 '{"text":"hello"}'`, { URL: url }).output;
  const [, data] = (await received).args();
  assert.deepEqual(await data?.jsonValue(), { text: "hello" });
});

test("every configuration in a document is one that the server takes", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "xlvein-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  // The chart has values of its own, which its own tests hold against its schema.
  const documents = markdownFiles().filter((name) => !name.startsWith("helm/"));
  const blocks = documents.flatMap((name) =>
    codeBlocks(readDocument(name))
      .filter(({ language, text }) => ["yaml", "json"].includes(language) && /^\s*"?applications"?:/m.test(text))
      .map(({ text }) => ({ name, text })),
  );
  assert.ok(blocks.length >= 4, `only ${blocks.length} configurations found`);
  for (const { name, text } of blocks) {
    const content = parse(text) as { revision?: string };
    parseApplications(content.revision === undefined ? (content as { applications: unknown }).applications : content, {
      source: name,
      now: Date.parse("2026-12-01"),
    });
    if (content.revision !== undefined) continue;
    const file = join(directory, "conf.yaml");
    await writeFile(file, text);
    const faults = inspectConfig({ file, env: {}, cwd: directory }).findings;
    assert.deepEqual(faults, [], name);
  }
});
