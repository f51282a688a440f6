// What the copy buttons put on the clipboard is run: by a shell, by Node.js, by a browser, by a WebSocket client.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, type TestContext, test } from "node:test";
import { promisify } from "node:util";
import type { Browser, Page } from "playwright-core";
import { WebSocket } from "ws";
import { openBrowser } from "../helpers/browser.ts";
import { SECRET, startServer, type TestServer } from "../helpers/server.ts";
import { linkOf, openConnected, openPage, paneOf, stateOf } from "./open-page.ts";

const run = promisify(execFile);
const clipboard = { permissions: ["clipboard-read", "clipboard-write"] };
let browser: Browser;
before(async (t) => {
  browser = await openBrowser(t as never);
});

const start = (t: TestContext): Promise<TestServer> => startServer(t, { config: { console: { enabled: true } } });

/** Chooses a tab and copies what it shows. */
async function copied(page: Page, tab: string): Promise<string> {
  await page.getByRole("tab", { name: tab, exact: true }).click();
  await page.getByRole("button", { name: "Copy", exact: true }).click();
  await page.locator("#snippet-result", { hasText: "Copied." }).waitFor();
  return page.evaluate(() => navigator.clipboard.readText());
}

async function arrived(page: Page, letter: "a" | "b", text: string): Promise<void> {
  await paneOf(page, letter).locator(".frame.received", { hasText: text }).waitFor();
}

test("the copied curl line delivers to both accounts", async (t) => {
  const { url } = await start(t);
  const { page } = await openConnected(t, browser, url, clipboard);
  await page.locator("#push").getByLabel("Message, a JSON object").fill(`{"text":"it's $HOME & 中文"}`);
  const line = await copied(page, "curl");
  const { stdout } = await run("bash", ["-c", line]);
  assert.match((JSON.parse(stdout) as { msg_id: string }).msg_id, /^[0-9a-f-]{36}$/);
  await arrived(page, "a", "it's $HOME & 中文");
  await arrived(page, "b", "it's $HOME & 中文");
});

test("the copied classic line delivers to the first account, each time it is run", async (t) => {
  const { url } = await start(t);
  const { page } = await openConnected(t, browser, url, clipboard);
  const line = await copied(page, "curl, classic");
  for (const _ of [1, 2]) assert.deepEqual(JSON.parse((await run("bash", ["-c", line])).stdout), { error: 0, message: "", data: {} });
  await paneOf(page, "a").locator(".frame.received").nth(1).waitFor();
});

test("without a secret the copied classic line works where the application is open", async (t) => {
  const { url } = await start(t);
  const { page } = await openPage(t, browser, url, linkOf({ app: "test", a: "user_1" }), clipboard);
  const line = await copied(page, "curl, classic");
  assert.deepEqual(JSON.parse((await run("bash", ["-c", line])).stdout), { error: 0, message: "", data: {} });
});

test("the copied Node.js file pushes; the secret in it is hidden on the page until it is shown", async (t) => {
  const { url } = await start(t);
  const { page } = await openConnected(t, browser, url, clipboard);
  const file = await copied(page, "Node.js");
  assert.ok(file.includes(SECRET));
  const shown = page.locator("#snippet-text");
  assert.ok(!(await shown.textContent())?.includes(SECRET));
  await page.getByRole("button", { name: "Show the secret" }).click();
  await shown.filter({ hasText: SECRET }).waitFor();
  const folder = await mkdtemp(join(tmpdir(), "xlvein-console-"));
  t.after(() => rm(folder, { recursive: true }));
  await symlink(join(import.meta.dirname, "../../node_modules"), join(folder, "node_modules"));
  await writeFile(join(folder, "push.mjs"), file);
  const { stdout } = await run(process.execPath, ["push.mjs"], { cwd: folder });
  assert.match(stdout, /^[0-9a-f-]{36}\n$/);
  await arrived(page, "b", "hello from the backend");
});

test("the copied page connects when it is opened from a file", async (t) => {
  const { url, metric } = await start(t);
  const { page } = await openConnected(t, browser, url, clipboard);
  const html = await copied(page, "Browser");
  const folder = await mkdtemp(join(tmpdir(), "xlvein-console-"));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "page.html"), html);
  const other = await page.context().newPage();
  await other.goto(`file://${folder}/page.html`);
  while ((await metric("xlvein_connections", { app: "test" })) < 3) await other.evaluate(() => document.readyState);
  await page.bringToFront();
  await paneOf(page, "b").getByRole("button", { name: "Send" }).click();
  await arrived(page, "a", "hello from user_2");
  await other.locator("#log", { hasText: '"from":"user_2"' }).waitFor();
});

test("the copied connect URL is one that any WebSocket client can open", async (t) => {
  const { url } = await start(t);
  const { page } = await openConnected(t, browser, url, clipboard);
  const pane = paneOf(page, "b");
  await pane.locator("summary").click();
  await pane.getByRole("button", { name: "Copy connect URL" }).click();
  await pane.locator(".result", { hasText: "Copied." }).waitFor();
  const socket = new WebSocket(await page.evaluate(() => navigator.clipboard.readText()));
  t.after(() => socket.terminate());
  await once(socket, "open");
  const message = once(socket, "message");
  await paneOf(page, "a").getByRole("button", { name: "Send" }).click();
  assert.match(String((await message)[0]), /"from":"user_1","to":"user_2"/);
});

test("the tabs follow the arrow keys, Home and End", async (t) => {
  const { url } = await start(t);
  const { page } = await openPage(t, browser, url, linkOf({ app: "test", a: "user_1", secret: SECRET }));
  await stateOf(page, "a", "connected");
  const chosen = () => page.locator("[role=tab][aria-selected=true]").textContent();
  await page.getByRole("tab", { name: "curl", exact: true }).focus();
  const seen = [];
  for (const key of ["ArrowRight", "ArrowRight", "End", "ArrowRight", "ArrowLeft", "Home"]) {
    await page.keyboard.press(key);
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("aria-selected")), "true");
    seen.push(await chosen());
  }
  assert.deepEqual(seen, ["curl, classic", "Node.js", "Browser", "curl", "Browser", "curl"]);
});
