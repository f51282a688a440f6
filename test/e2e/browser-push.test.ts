// The main job on real input: a browser tab connected through sdk-browser shows what sdk-node pushed, on the repository's own conf.yaml.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { createXlvein } from "../../sdk-node/src/index.ts";
import { openBrowser } from "../helpers/browser.ts";
import { startProcess } from "../helpers/process.ts";

const SAMPLE = { appKey: "test", appSecret: "j8jasd98efan9sdfj89asjdf" };

/** A page of somebody's application, on an origin of its own: it loads the SDK from the server and shows what arrives. */
function page(server: string, connectUrl: string): string {
  return `<!doctype html><title>inbox</title><ul id="inbox"></ul><p id="state"></p>
<script src="${server}/sdk.js"></script>
<script>
  const client = xlvein.createClient({ url: ${JSON.stringify(connectUrl)} });
  client.on("message", ({ data }) => inbox.append(Object.assign(document.createElement("li"), { textContent: data.text })));
  client.on("state", ({ state: now }) => { document.getElementById("state").textContent = now; });
  client.connect();
</script>`;
}

test("a tab that loaded /sdk.js shows what the Node SDK pushes, and what another tab sends", async (t) => {
  const server = await startProcess(t, { file: fileURLToPath(new URL("../../conf.yaml", import.meta.url)) }, { PORT: "0", XLVEIN_INTERNAL_PORT: "0" });
  const backend = createXlvein({ url: server.url, ...SAMPLE });
  const site = createServer((request, response) => {
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.end(page(server.url, backend.connectUrl(request.url?.slice(1) ?? "")));
  }).listen(0, "127.0.0.1");
  t.after(() => site.close());
  await once(site, "listening");
  const origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;

  const browser = await openBrowser(t);
  const [tab, other] = await Promise.all(
    ["user_1", "user_2"].map(async (account) => {
      const opened = await browser.newPage();
      await opened.goto(`${origin}/${account}`);
      await opened.waitForFunction('document.getElementById("state").textContent === "connected"');
      return opened;
    }),
  );
  assert.ok(tab && other);

  const { msgId, duplicate } = await backend.push({ account: "user_1", data: { text: "order 42 has been paid 你好 😀" } });
  assert.match(msgId, /^[0-9a-f-]{36}$/);
  assert.equal(duplicate, false);
  await tab.getByText("order 42 has been paid 你好 😀").waitFor();
  await other.evaluate('client.send("user_1", { text: "hello from the other tab" })');
  await tab.getByText("hello from the other tab").waitFor();
  assert.equal(await tab.locator("#inbox li").count(), 2);
  assert.equal(await other.locator("#inbox li").count(), 0);
  assert.equal((await backend.connections("user_1")).length, 1);
  await backend.disconnect("user_1");
  await tab.waitForFunction('document.getElementById("state").textContent === "closed"');
});
