// Runs every example of sdk-browser/README.md against a real server, and compares its tables with the code.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { before, type TestContext, test } from "node:test";
import { gzipSync } from "node:zlib";
import { plain, readDocument, section, tableRows } from "../docs/markdown.ts";
import { connect, push, tokenFor } from "../helpers/client.ts";
import { startServer } from "../helpers/server.ts";
import { checkBuilt, PACKAGE, ROOT } from "./built.ts";
import { bundle } from "./bundle.ts";
import { openBrowserWithCache, startSite, untilConnections } from "./site.ts";

before(checkBuilt);

const DOCUMENTED = "127.0.0.1:8090";
const readme = readDocument("sdk-browser/README.md");
const blocks = [...readme.matchAll(/^```(html|jsx?)\n(.*?)^```$/gms)].map(([, language = "", code = ""]) => ({ language, code }));

/** What a page needs to run an example as its own. */
async function pageOf(t: TestContext, language: string, code: string): Promise<Record<string, string>> {
  if (language === "html") return { "/": code };
  if (language === "jsx") return { "/": '<div id="app"></div><script src="/app.js"></script>', "/app.js": `text/javascript\n${await bundle(t, code)}` };
  const map = '<script type="importmap">{"imports":{"@xlvein/browser":"/sdk/index.js"}}</script>';
  return { "/": `${map}<script type="module">${code}</script>` };
}

for (const [index, { language, code }] of blocks.entries()) {
  if (code.startsWith("// node")) continue;
  test(`example ${index + 1} (${language}) connects and shows what is pushed`, async (t) => {
    const { url } = await startServer(t);
    const ready = code.replaceAll(DOCUMENTED, url.replace("http://", "")).replace("TOKEN", tokenFor("user_1"));
    const pages = await pageOf(t, language, ready);
    const site = await startSite(t, {
      ...pages,
      "/": `<!doctype html><title>example</title><link rel="icon" href="data:,"><body>${pages["/"]}`,
      "/token": `text/plain\n${tokenFor("user_1")}`,
    });
    const other = await connect(t, url, { account: "user_2" });
    const tab = await (await openBrowserWithCache(t)).newPage();
    const faults: string[] = [];
    tab.on("pageerror", (error) => faults.push(error.message));
    tab.on("console", (line) => ["error", "warning"].includes(line.type()) && faults.push(line.text()));
    const printed = code.includes("console.log(") ? tab.waitForEvent("console", (line) => line.text().includes("hello 你好")) : undefined;
    await tab.goto(site.url);
    await untilConnections(url, "user_1", 1);
    await push(url, ["user_1"], { text: "hello 你好" });
    await (printed ?? tab.getByText("hello 你好").waitFor());
    if (code.includes('"user_2"')) assert.deepEqual((await other.next()).data, { text: "hello" });
    assert.deepEqual(faults, []);
  });
}

/** Runs an example as a program of its own; answers its lines and its end. */
async function runProgram(t: TestContext, code: string) {
  const cache = join(ROOT, "node_modules/.cache");
  await mkdir(cache, { recursive: true });
  const directory = await mkdtemp(join(cache, "sdk-browser-readme-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, "example.mjs");
  await writeFile(file, code);
  const child = spawn(process.execPath, [file], { env: { ...process.env, XLVEIN_TOKEN: tokenFor("user_1") }, stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  const ended = once(child, "exit");
  return { ended, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
}

/** The examples for Node.js, in the order of the document. */
const programs = blocks.map(({ code }) => code).filter((code) => code.startsWith("// node"));

test("the example for tests runs without a server and ends", async (t) => {
  const { lines, ended } = await runProgram(t, programs.find((code) => code.includes("createFakeServer")) ?? assert.fail("there is no example for tests"));
  const printed: string[] = [];
  for await (const line of { [Symbol.asyncIterator]: () => lines }) printed.push(line);
  assert.deepEqual(printed, ["connecting", "connected", "hello 1", "hello, all 1", "disconnected", "connecting", "connected", "missed 2", "closed"]);
  assert.deepEqual(await ended, [0, null]);
});

test("the example for Node.js connects, prints what is pushed and ends", async (t) => {
  const code = programs.find((code) => !code.includes("createFakeServer")) ?? assert.fail("there is no example for Node.js");
  const { url } = await startServer(t);
  const { lines, ended } = await runProgram(t, code.replaceAll(`http://${DOCUMENTED}`, url));
  assert.equal((await lines.next()).value, "connected");
  await push(url, ["user_1"], { text: "hello" });
  assert.equal((await lines.next()).value, "hello");
  assert.deepEqual(await ended, [0, null]);
});

test("there are examples of every kind", () => {
  assert.deepEqual([...new Set(blocks.map(({ language }) => language))].sort(), ["html", "js", "jsx"]);
  assert.ok(blocks.length >= 7);
});

/** The names in the first column of the table below a heading. */
const column = (heading: string, first: string) =>
  tableRows(section(readme, heading), first)
    .map((row) => plain(row[first]).replace(/\(.*/, ""))
    .sort();

/** The text of a source file, and what a pattern finds in it. */
async function found(file: string, from: string, to: string, pattern: RegExp): Promise<string[]> {
  const text = await readFile(join(PACKAGE, "src", file), "utf8");
  const start = text.indexOf(from);
  assert.ok(start >= 0, `${file} has "${from}"`);
  return [...text.slice(start, text.indexOf(to, start)).matchAll(pattern)].map(([, name = ""]) => name).sort();
}

test("the README lists every option, event, state, error, hook and field, and no other", async () => {
  assert.deepEqual(column("Options", "option"), await found("options.ts", "export interface ClientOptions", "\n}", /^ {2}(\w+)\??:/gm));
  assert.deepEqual(column("Events", "event"), await found("events/events.ts", "export interface ClientEvents", "\n}", /^ {2}(\w+):/gm));
  assert.deepEqual(column("States", "`client.state`"), await found("events/events.ts", "export type State", ";", /"(\w+)"/g));
  assert.deepEqual(column("Errors", "code"), await found("errors.ts", "export type ErrorCode", ";", /"(\w+)"/g));
  assert.deepEqual(column("React", "hook"), await found("react.ts", "//", "\u0000", /^export function (\w+)/gm));
  assert.deepEqual(column("Messages", "field"), await found("protocol/protocol.ts", "export interface Message", "\n}", /readonly (\w+)\??:/g));
});

test("the README's size is the real one", async () => {
  const [, claimed] = /(\d+) KB gzipped/.exec(readme) ?? [];
  const size = gzipSync(await readFile(join(PACKAGE, "dist/index.js")), { level: 9 }).length;
  assert.equal(Number(claimed), Math.round(size / 1000), `${size} bytes`);
});
