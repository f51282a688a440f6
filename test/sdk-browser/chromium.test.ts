// The script in a real Chromium against a real server: pushes, network losses, the back/forward cache.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { push, tokenFor } from "../helpers/client.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { checkBuilt } from "./built.ts";
import { openBrowserWithCache, startSite, untilConnections } from "./site.ts";

before(checkBuilt);

/** A page that connects and reports everything; `client` is a global of it. */
function page(script: string, url: string, account = "user_1"): string {
  return `<!doctype html><title>page</title><script src="${script}"></script><script>
  const report = (what) => fetch("/report", { method: "POST", body: JSON.stringify(what), keepalive: true });
  const client = xlvein.createClient({ url: ${JSON.stringify(url)}, appKey: "test", token: ${JSON.stringify(tokenFor(account))} });
  client.on("message", ({ data, from }) => report({ message: data.text, from }));
  client.on("state", ({ state, previous, reason, retryInMs }) => report({ state, previous, reason: reason?.code, retryInMs }));
  addEventListener("pageshow", ({ persisted }) => report({ pageshow: persisted }));
  client.connect();
</script>`;
}

/** The server's address under a name that is not this machine's. */
const elsewhere = ({ url }: TestServer) => url.replace("127.0.0.1", "push.example.com");

test("a page with the script connects, shows a push and sends", async (t) => {
  const server = await startServer(t);
  const site = await startSite(t);
  site.pages.set("/", page("/sdk/xlvein.iife.js", server.url));
  site.pages.set("/two", page("/sdk/xlvein.iife.js", server.url, "用户_2"));
  const browser = await openBrowserWithCache(t);
  const tab = await browser.newPage();
  await tab.goto(site.url);
  await site.report(/"state":"connected"/);
  const two = await browser.newPage();
  await two.goto(`${site.url}/two`);
  await site.report(/"state":"connected"/);

  await push(server.url, ["user_1"], { text: "你好 😀" });
  assert.deepEqual(JSON.parse(await site.report(/message/)), { message: "你好 😀" });
  await two.evaluate('client.send("user_1", { text: "from two" })');
  assert.deepEqual(JSON.parse(await site.report(/message/)), { message: "from two", from: "用户_2" });
  await tab.evaluate("client.close()");
  assert.equal(await tab.evaluate("client.state"), "closed");
  await untilConnections(server.url, "user_1", 0);
});

test("the server's own /sdk.js is the script that is published", async (t) => {
  const server = await startServer(t);
  const site = await startSite(t);
  site.pages.set("/", page(`${server.url}/sdk.js`, server.url));
  const browser = await openBrowserWithCache(t);
  const tab = await browser.newPage();
  await tab.goto(site.url);
  await site.report(/"state":"connected"/);
  const [served, built] = await Promise.all([`${server.url}/sdk.js`, `${site.url}/sdk/xlvein.iife.js`].map(async (url) => (await fetch(url)).text()));
  assert.ok(served === built, "server/dist/assets/sdk.js is not of today's sdk-browser/dist: run `npm run build`");
});

test("a page that loses its network disconnects, waits without trying, and comes back with the network", async (t) => {
  const server = await startServer(t);
  const site = await startSite(t);
  site.pages.set("/", page("/sdk/xlvein.iife.js", elsewhere(server)));
  const browser = await openBrowserWithCache(t);
  const context = await browser.newContext();
  const tab = await context.newPage();
  await tab.goto(site.url);
  await site.report(/"state":"connected"/);
  // A page without a network cannot report: it keeps its own notes.
  await tab.evaluate('notes = []; client.on("state", ({ state, reason, retryInMs }) => notes.push([state, reason?.code, retryInMs]))');
  await context.setOffline(true);
  await tab.waitForFunction("notes.length > 0");
  assert.deepEqual(await tab.evaluate("notes"), [["disconnected", "offline", undefined]]);
  await context.setOffline(false);
  await tab.waitForFunction('client.state === "connected"');
  assert.deepEqual(await tab.evaluate("notes"), [
    ["disconnected", "offline", undefined],
    ["connecting", undefined, undefined],
    ["connected", undefined, undefined],
  ]);
  await push(server.url, ["user_1"], { text: "back" });
  await site.report(/"message":"back"/);
  await untilConnections(server.url, "user_1", 1);
});

test("a page kept in the back/forward cache gives up its socket and reconnects when the user returns", async (t) => {
  const server = await startServer(t);
  const site = await startSite(t, { "/away": "<!doctype html><title>away</title>" });
  site.pages.set("/", page("/sdk/xlvein.iife.js", server.url));
  const browser = await openBrowserWithCache(t);
  const tab = await browser.newPage();
  await tab.goto(site.url);
  await site.report(/"state":"connected"/);
  await tab.goto(`${site.url}/away`);
  await site.report(/"state":"disconnected".*"reason":"page_hidden"/);
  await tab.evaluate("void setTimeout(() => history.back())");
  await site.report(/"pageshow":true/);
  await site.report(/"state":"connected","previous":"connecting"/);
  await push(server.url, ["user_1"], { text: "welcome back" });
  await site.report(/"message":"welcome back"/);
  await untilConnections(server.url, "user_1", 1);
  assert.equal(site.reports.filter((report) => report.includes("pageshow")).length, 2, "the same page, shown twice");
});

test("a refused token is known by its close code, and the page goes on with a new one", async (t) => {
  const server = await startServer(t);
  const site = await startSite(t);
  site.pages.set("/", page("/sdk/xlvein.iife.js", server.url).replace("client.connect();", ""));
  const browser = await openBrowserWithCache(t);
  const tab = await browser.newPage();
  await tab.goto(site.url);
  const tokens = [tokenFor("user_1", "another secret"), tokenFor("user_1")];
  const seen = await tab.evaluate(
    `(async () => {
      const tokens = ${JSON.stringify(tokens)}, reasons = [], errors = [];
      const other = xlvein.createClient({ url: ${JSON.stringify(server.url)}, appKey: "test", getToken: async ({ reason }) => { reasons.push(reason); return tokens[reasons.length - 1]; } });
      other.on("error", (error) => errors.push([error instanceof xlvein.XlveinError, error.name, error.code, error.closeCode]));
      await other.connect();
      return { reasons, errors };
    })()`,
  );
  assert.deepEqual(seen, { reasons: ["first", "refused"], errors: [[true, "XlveinError", "connect_failed", 4007]] });
});

test("a url relative to the page is the page's own server", async (t) => {
  const server = await startServer(t);
  const browser = await openBrowserWithCache(t);
  const tab = await browser.newPage();
  await tab.goto(`${server.url}/sdk.js`);
  await tab.addScriptTag({ url: "/sdk.js" });
  const state = await tab.evaluate(
    `(async () => { const client = xlvein.createClient({ url: "/", appKey: "test", token: ${JSON.stringify(tokenFor("user_1"))} }); await client.connect(); return client.state; })()`,
  );
  assert.equal(state, "connected");
});
