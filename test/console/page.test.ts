// The console in a real browser, against a real server: connect, send, push, watch.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { openBrowser } from "../helpers/browser.ts";
import { apiToken, tokenFor } from "../helpers/client.ts";
import { SECRET, type StartOptions, startServer } from "../helpers/server.ts";
import { linkOf, openConnected, openPage, paneOf, stateOf, twoAccounts } from "./open-page.ts";

let browser: Browser;
before(async (t) => {
  browser = await openBrowser(t as never);
});

const start = (t: Parameters<typeof startServer>[0], options: StartOptions = {}) =>
  startServer(t, { ...options, config: { console: { enabled: true }, ...options.config } });
const post = (url: string, path: string, body: string) =>
  fetch(url + path, { method: "POST", headers: { "content-type": "application/json", authorization: `Bearer ${apiToken()}` }, body });
/** The sentence that a form shows. */
const problemOf = (page: Page, form: string) => page.locator(`${form} .problem:not([hidden])`).textContent();

test("two accounts connect from one link, and a message travels between them", async (t) => {
  const { url, metric } = await start(t);
  const { page, complaints } = await openConnected(t, browser, url);
  assert.equal(await metric("xlvein_connections", { app: "test" }), 2);
  const [a, b] = [paneOf(page, "a"), paneOf(page, "b")];
  await a.getByLabel("Message, a JSON object").fill('{"text":"did you get this?"}');
  await a.getByRole("button", { name: "Send" }).click();
  const received = b.locator(".frame.received");
  await received.waitFor();
  assert.match((await received.textContent()) ?? "", /received from user_1event 1, chat.*"did you get this\?"/);
  assert.equal(await received.getAttribute("data-sender"), "a");
  assert.match((await a.locator(".frame.sent").textContent()) ?? "", /sent to user_2.*"did you get this\?"/);
  assert.equal(await a.locator(".frame.sent").getAttribute("data-sender"), "a");
  assert.deepEqual(complaints, []);
});

test("a message to a room enters the room first and comes back from it; a room that nobody opened is explained", async (t) => {
  const { url } = await start(t);
  const ta = tokenFor("user_1", SECRET, { rooms: ["chat:*"] });
  const { page, complaints } = await openPage(t, browser, url, linkOf({ app: "test", a: "user_1", ta }));
  await stateOf(page, "a", "connected");
  const pane = paneOf(page, "a");
  await pane.getByLabel("Or to a room").fill("chat:1");
  await pane.getByRole("button", { name: "Send" }).click();
  const received = pane.locator(".frame.received");
  await received.waitFor();
  assert.match((await received.textContent()) ?? "", /received from user_1event 2, room/);
  assert.deepEqual(
    (await pane.locator(".frame.sent .frame-head").allTextContents()).map((text) => text.replace(/^[\d:.]+/, "")),
    ["sent sub chat:1", "sent to chat:1"],
  );
  await pane.getByLabel("Or to a room").fill("secret");
  await pane.getByRole("button", { name: "Send" }).click();
  assert.match((await problemOf(page, "[data-letter=a] .send")) ?? "", /may not enter this room.* \(error 1011\)\. Have the backend add the account/);
  assert.deepEqual(complaints, []);
});

test("a push from the page reaches both accounts as the API's, and its id is shown", async (t) => {
  const { url } = await start(t);
  const { page, complaints } = await openConnected(t, browser, url);
  await page.getByRole("button", { name: "Push" }).click();
  for (const letter of ["a", "b"] as const) {
    const frame = paneOf(page, letter).locator('.frame[data-sender="api"]');
    await frame.waitFor();
    assert.match((await frame.textContent()) ?? "", /received from the APIevent 0, push.*hello from the backend/);
  }
  assert.match((await page.locator("#push-result").textContent()) ?? "", /^Accepted in \d+ ms as [0-9a-f-]{36}\.$/);
  assert.deepEqual(complaints, []);
});

test("with tokens in the link the page connects without a secret", async (t) => {
  const { url } = await start(t);
  const { page, complaints } = await openPage(
    t,
    browser,
    url,
    linkOf({ app: "test", a: "user_1", ta: tokenFor("user_1"), b: "用户 2", tb: tokenFor("用户 2") }),
  );
  await stateOf(page, "a", "connected");
  await stateOf(page, "b", "connected");
  await paneOf(page, "a").getByRole("button", { name: "Send" }).click();
  await paneOf(page, "b").locator(".frame.received").waitFor();
  await page.getByRole("button", { name: "Push" }).click();
  assert.match((await problemOf(page, "#push")) ?? "", /Give the app secret at the top of the page/);
  assert.deepEqual(complaints, []);
});

test("one account makes one pane, and a second can be added and connected by hand", async (t) => {
  const { url } = await start(t);
  const { page } = await openPage(t, browser, url, linkOf({ app: "test", account: "user_1", secret: SECRET }));
  await stateOf(page, "a", "connected");
  assert.equal(await page.locator(".pane").count(), 1);
  await page.getByRole("button", { name: "Add a second account" }).click();
  await page.keyboard.type("user_9");
  await page.keyboard.press("Enter");
  await stateOf(page, "b", "connected");
  assert.equal(await page.getByRole("button", { name: "Add a second account" }).isVisible(), false);
  assert.equal(await paneOf(page, "a").getByLabel("Send to account").inputValue(), "user_9");
});

test("without a link everything can be typed", async (t) => {
  const { url } = await start(t);
  const { page } = await openPage(t, browser, url, "/console");
  await page.getByLabel("App key").fill("test");
  await page.getByLabel("App secret", { exact: true }).fill(SECRET);
  await paneOf(page, "a").getByLabel("Account", { exact: true }).fill("user_1");
  await paneOf(page, "a").getByRole("button", { name: "Connect" }).click();
  await stateOf(page, "a", "connected");
  await paneOf(page, "a").getByRole("button", { name: "Disconnect" }).click();
  await stateOf(page, "a", "closed");
  assert.equal(await paneOf(page, "a").getByRole("button", { name: "Connect" }).isVisible(), true);
});

test("a pasted token names the account", async (t) => {
  const { url } = await start(t);
  const { page } = await openPage(t, browser, url, linkOf({ app: "test" }));
  const pane = paneOf(page, "a");
  await pane.getByText("Token", { exact: false }).first().click();
  await pane.getByLabel("Connect token (JWT)").fill(tokenFor("pasted_1"));
  assert.equal(await pane.getByLabel("Account", { exact: true }).inputValue(), "pasted_1");
  await pane.getByRole("button", { name: "Connect", exact: true }).click();
  await stateOf(page, "a", "connected");
});

test("frames are shown as they travelled: numbers beyond 2^53 stay whole, raw shows the whole frame", async (t) => {
  const { url } = await start(t);
  const { page } = await openConnected(t, browser, url);
  const data = '{"big":9007199254740993,"html":"<img src=x onerror=a()>"}';
  await post(url, "/api/v1/messages", `{"accounts":["user_1"],"data":${data}}`);
  const pane = paneOf(page, "a");
  const json = pane.locator(".frame .json");
  await json.waitFor();
  assert.equal(await json.textContent(), '{ "big": 9007199254740993, "html": "<img src=x onerror=a()>" }');
  await pane.getByRole("button", { name: "Raw" }).click();
  const raw = (await pane.locator(".frame .json").textContent()) ?? "";
  assert.ok(raw.includes(`"data":${data}`) && raw.includes('"msg_id":'), raw);
  await pane.getByRole("button", { name: "Raw" }).click();
  assert.equal(await json.textContent(), '{ "big": 9007199254740993, "html": "<img src=x onerror=a()>" }');
});

test("a long message starts folded and opens", async (t) => {
  const { url } = await start(t);
  const { page } = await openConnected(t, browser, url);
  await post(url, "/api/v1/messages", JSON.stringify({ accounts: ["user_1"], data: { text: "z".repeat(30_000) } }));
  const fold = paneOf(page, "a").locator(".frame details");
  await fold.waitFor();
  assert.match((await fold.locator("summary").textContent()) ?? "", /30,011 characters/);
  await fold.locator("summary").click();
  await fold.locator("pre").waitFor();
  assert.equal((await fold.locator("pre").textContent())?.length, 30_011);
});

test("pause keeps frames back and counts them, resume shows them, clear empties the log", async (t) => {
  const { url } = await start(t);
  const { page } = await openConnected(t, browser, url);
  const pane = paneOf(page, "a");
  await pane.getByRole("button", { name: "Pause" }).click();
  for (const n of [1, 2, 3]) await post(url, "/api/v1/messages", `{"accounts":["user_1"],"data":{"n":${n}}}`);
  await pane.getByRole("button", { name: "Resume (3)" }).waitFor();
  assert.equal(await pane.locator(".frame").count(), 0);
  await pane.getByRole("button", { name: "Resume (3)" }).click();
  assert.deepEqual(await pane.locator(".frame .json").allTextContents(), ['{ "n": 1 }', '{ "n": 2 }', '{ "n": 3 }']);
  await pane.getByRole("button", { name: "Clear" }).click();
  assert.equal(await pane.locator("li").count(), 0);
  assert.equal(await pane.locator(".empty").isVisible(), true);
});

test("the log keeps the newest 500 entries and stays at its end", async (t) => {
  const { url } = await start(t);
  const { page } = await openConnected(t, browser, url);
  const messages = Array.from({ length: 600 }, (_, n) => ({ accounts: ["user_1"], data: { n } }));
  await post(url, "/api/v1/messages/batch", JSON.stringify({ messages }));
  const pane = paneOf(page, "a");
  await pane.getByText('{ "n": 599 }').waitFor();
  assert.equal(await pane.locator("li").count(), 500);
  assert.equal(await pane.locator(".count").textContent(), "600");
  assert.ok(await pane.locator(".log").evaluate((log) => log.scrollHeight - log.scrollTop - log.clientHeight < 2));
});

test("what cannot be sent or pushed is explained beside its form, and its field is marked", async (t) => {
  const { url } = await start(t);
  const { page, complaints } = await openConnected(t, browser, url);
  const data = paneOf(page, "a").getByLabel("Message, a JSON object");
  for (const [text, sentence] of [
    ["{", /not JSON/],
    ["[]", /must be a JSON object/],
    ["", /is empty/],
  ] as const) {
    await data.fill(text);
    await data.press("Control+Enter");
    assert.match((await problemOf(page, "[data-letter=a] .send")) ?? "", sentence);
    assert.equal(await data.getAttribute("aria-invalid"), "true");
  }
  await paneOf(page, "a").getByLabel("Send to account").fill("");
  await paneOf(page, "a").getByRole("button", { name: "Send" }).click();
  assert.match((await problemOf(page, "[data-letter=a] .send")) ?? "", /Name the account to send to/);
  await page.getByLabel("To accounts, one a line").fill("\n\n");
  await page.getByRole("button", { name: "Push" }).click();
  assert.match((await problemOf(page, "#push")) ?? "", /Name at least one account/);
  assert.deepEqual(complaints, []);
});

for (const [what, fields, sentence] of [
  ["a wrong secret", { secret: "another secret that signs nothing here" }, /signature.+\(error 1000\).+Check that the app secret/],
  ["an unknown app key", { app: "nobody" }, /\(error 1001\).+Check the app key/],
  ["a disabled application", { app: "off" }, /disabled.+\(error 1006\)/],
] as const) {
  test(`${what} is named when connecting, and the page does not go on trying`, async (t) => {
    const applications = [
      { app_key: "test", app_secret: SECRET },
      { app_key: "off", app_secret: SECRET, enabled: false },
    ];
    const { url } = await start(t, { applications });
    const { page } = await openPage(t, browser, url, twoAccounts(fields));
    await stateOf(page, "a", "closed");
    await page.locator("[data-letter=a] .connect .problem", { hasText: sentence }).waitFor();
  });
}

test("an origin that the application does not allow is thought of", async (t) => {
  const { url } = await start(t, { applications: [{ app_key: "test", app_secret: SECRET, allowed_origins: ["https://other.example"] }] });
  const { page } = await openPage(t, browser, url, twoAccounts());
  await page
    .locator("[data-letter=a] .connect .problem", { hasText: /takes this app key and secret, but not the connection\. Check .*allowed_origins/ })
    .waitFor();
});

test("a new link in the same tab fills in the page anew", async (t) => {
  const { url } = await start(t);
  const { page } = await openConnected(t, browser, url);
  await page.goto(url + linkOf({ app: "test", a: "user_7", secret: SECRET }).replace("console", "console/"));
  await page.waitForFunction(() => document.querySelectorAll(".pane").length === 1);
  await stateOf(page, "a", "connected");
  assert.equal(await paneOf(page, "a").getByLabel("Account", { exact: true }).inputValue(), "user_7");
});

test("a token that the server refuses is spoken of, also without a secret", async (t) => {
  const { url } = await start(t);
  const { page } = await openPage(t, browser, url, linkOf({ app: "test", a: "user_1", ta: tokenFor("user_1", "some other secret") }));
  await page.locator("[data-letter=a] .connect .problem", { hasText: /refused the connection\. Check the app key, and that the token is signed/ }).waitFor();
});

test("an expired token is named before anything is sent", async (t) => {
  const { url } = await start(t);
  const expired = tokenFor("user_1", SECRET, { iat: 1_600_000_000 });
  const { page, sent } = await openPage(t, browser, url, linkOf({ app: "test", a: "user_1", ta: expired }));
  assert.match((await problemOf(page, "[data-letter=a] .connect")) ?? "", /expired on .+Make a new one/);
  assert.ok(!sent.some((each) => each.includes(expired)));
});

test("an account that the backend disconnects says so and stays away", async (t) => {
  const { url } = await start(t);
  const { page } = await openConnected(t, browser, url);
  await post(url, "/api/v1/accounts/user_1/disconnect", "{}");
  await stateOf(page, "a", "closed");
  assert.match((await problemOf(page, "[data-letter=a] .connect")) ?? "", /The backend disconnected this account/);
  await stateOf(page, "b", "connected");
});

test("when the server restarts, the page says so and tries again", async (t) => {
  const { url, server } = await start(t);
  const { page } = await openConnected(t, browser, url);
  await server.drain();
  await page.locator("[data-letter=a] .note-bad", { hasText: /The server is restarting\. Next try in \d+ s\./ }).waitFor();
});

test("the secret leaves the page in no form, and nothing is stored", async (t) => {
  const { url } = await start(t);
  const { page, sent } = await openConnected(t, browser, url);
  await page.getByRole("button", { name: "Push" }).click();
  await paneOf(page, "b").locator(".frame").first().waitFor();
  assert.ok(sent.length > 10);
  const forms = [SECRET, Buffer.from(SECRET).toString("base64").replace(/=+$/, ""), Buffer.from(SECRET).toString("hex")];
  for (const form of forms) assert.ok(!sent.some((each) => each.includes(form)));
  const stored = await page.evaluate(async () => [
    localStorage.length,
    sessionStorage.length,
    document.cookie,
    (await indexedDB.databases()).length,
    history.state,
  ]);
  assert.deepEqual(stored, [0, 0, "", 0, null]);
});

test("without WebCrypto, as on a page from http and another machine, tokens still connect and secrets are explained", async (t) => {
  const { url } = await start(t);
  const { page } = await openPage(t, browser, url, "/console");
  await page.addInitScript(() => Object.defineProperty(Crypto.prototype, "subtle", { get: () => undefined }));
  await page.goto(`${url}${linkOf({ app: "test", a: "user_1", ta: tokenFor("user_1"), b: "user_2", secret: SECRET })}`);
  await page.reload();
  await stateOf(page, "a", "connected");
  assert.match((await problemOf(page, "[data-letter=b] .connect")) ?? "", /only on https pages and on localhost/);
});

test("the console is off by default", async (t) => {
  const { url } = await startServer(t);
  for (const path of ["/console", "/console/", "/console/index.html", "/console/console.js"]) assert.equal((await fetch(url + path)).status, 404, path);
});
