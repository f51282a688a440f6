// README.md, tried as a new reader would: its commands and its code, against a real server.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { connect } from "../helpers/client.ts";
import { codeBlocks, ROOT, readDocument, section } from "./markdown.ts";
import { DOCUMENTED_URL, run, runModule, startSample } from "./run.ts";

const readme = readDocument("README.md");
const { url } = await startSample({ after: (end) => after(end as () => unknown) });

/** The code block under a heading that is in a language and holds a text. */
function block(heading: string, language: string, holding: string): string {
  const found = codeBlocks(section(readme, heading)).find((each) => each.language === language && each.text.includes(holding));
  return found?.text ?? assert.fail(`README.md, ${heading}: no ${language} block with ${holding}`);
}

test("the first two code blocks are the two commands, and both scripts exist", () => {
  const [start, tests] = codeBlocks(readme).map(({ text }) => text.split("#")[0]?.trim());
  assert.deepEqual([start, tests], ["npm ci && npm start", "npm ci && npm test"]);
  const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: Record<string, string> };
  assert.equal(scripts.start, "xlvein start");
  assert.ok(scripts.test);
});

test("the document stays short enough to read", () => {
  assert.ok(readme.split("\n").length <= 400);
});

test("the Chinese quickstart holds no command that the English part does not", () => {
  const chinese = section(readme, "快速开始");
  const english = new Set(codeBlocks(readme.replace(chinese, "")).map(({ text }) => text));
  const blocks = codeBlocks(chinese);
  assert.ok(blocks.length >= 4);
  for (const { text } of blocks) assert.ok(english.has(text), text);
});

test("a reader of `First message in a minute` sees the message: xlvein dev, the console link, the curl line", async (t) => {
  const dev = run(t, "npx xlvein dev --port 0");
  const link = new URL((await dev.line(/\/console#/)).trim());
  const curl = (await dev.line(/^\s*curl /)).trim();
  await dev.line(/described at/);
  const documented = block("First message in a minute", "sh", "curl ").trim();
  assert.equal(curl.replace(link.origin, DOCUMENTED_URL), documented);

  assert.match(await (await fetch(link)).text(), /<title>xlvein console<\/title>/);
  const prefilled = new URLSearchParams(link.hash.slice(1));
  const client = await connect(t, link.origin, { app: prefilled.get("app") ?? "", token: prefilled.get("ta") ?? "" });
  const answer = await run(t, curl).output;
  assert.ok(section(readme, "First message in a minute").includes(`\`${answer}\``), answer);
  assert.deepEqual((await client.next()).data, { text: "hello" });
});

test("a reader of `Push from a backend` and `Connect with any WebSocket client` sees the message in `xlvein listen`", async (t) => {
  const [urlLine = "", listenLine = ""] = block("Connect with any WebSocket client", "sh", "xlvein url").trim().split("\n");
  const environment = { XLVEIN_URL: url };

  const address = (await run(t, urlLine, environment).output).trim();
  assert.match(address, /^ws:\/\/127\.0\.0\.1:\d+\/ws\/connect\?app_id=test&token=[\w.-]+$/);
  const client = await connect(t, url, { token: new URL(address).searchParams.get("token") ?? "" });

  const printed = await runModule(t, block("Push from a backend", "js", "createXlvein").replace(DOCUMENTED_URL, url));
  assert.match(printed, /^pushed [0-9a-f-]{36}$/);
  const frame = await client.next();
  assert.deepEqual([frame.data, frame.event, frame.from], [{ text: "hello" }, 0, undefined]);

  const listen = run(t, listenLine, environment);
  await listen.line(/^connected to /);
  const pushLine = /`(npx xlvein push [^`]*)`/.exec(section(readme, "Push from a backend"))?.[1] ?? assert.fail("no push command");
  assert.match(await run(t, pushLine, environment).output, /^pushed /);
  assert.match(await listen.line(/"hi"/), /backend.*\{"text":"hi"\}$/);
});

test("the frame that `Connect with any WebSocket client` shows is what another account receives", async (t) => {
  const secret = "j8jasd98efan9sdfj89asjdf";
  const [sender, receiver] = [await connect(t, url, { secret }), await connect(t, url, { secret, account: "user_2" })];
  const sent = /`(\{"to":"user_2"[^`]*)`/.exec(section(readme, "Connect with any WebSocket client"))?.[1] ?? assert.fail("no frame to send");
  sender.send(sent);
  const shown = JSON.parse(block("Connect with any WebSocket client", "json", "msg_id"));
  const received = await receiver.next();
  assert.deepEqual(Object.keys(received), Object.keys(shown));
  assert.deepEqual({ ...received, msg_id: shown.msg_id, send_at: shown.send_at }, shown);
});

test("a reader of `Rooms` sees both messages of the room", async (t) => {
  const seen = `const seen = new Promise((resolve) => room.on("message", ({ data }) => data.text === "welcome" && resolve()));`;
  const code = block("Rooms", "js", "createClient").replaceAll(DOCUMENTED_URL, url).replace("await backend.rooms", `${seen}\nawait backend.rooms`);
  const printed = await runModule(t, `${code}\nawait seen;\nawait client.close();`);
  assert.equal(printed, "user_1 hi all\nbackend welcome");
});

test("every command of the table exists, and no other", async (t) => {
  const help = await run(t, "npx xlvein --help").output;
  const commands = [...help.matchAll(/^ {2}([a-z][a-z-]*)(?:\|([a-z]+))? .*$/gm)].flatMap(([, name = "", alias]) =>
    name === "help" ? [] : [name, ...(alias ? [alias] : [])],
  );
  const table = section(readme, "Command line")
    .split("\n")
    .filter((line) => line.startsWith("| `"));
  const documented = table.flatMap((line) => [...(line.split("|")[1] ?? "").matchAll(/`([a-z-]+)`/g)].map(([, name = ""]) => name));
  assert.deepEqual(documented.toSorted(), commands.toSorted());
});
