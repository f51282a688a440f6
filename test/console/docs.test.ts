// The API reference in a real browser.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";
import type { Browser } from "playwright-core";
import { parse } from "yaml";
import { openBrowser } from "../helpers/browser.ts";
import { apiToken, connect } from "../helpers/client.ts";
import { startServer } from "../helpers/server.ts";
import { openPage } from "./open-page.ts";

let browser: Browser;
before(async (t) => {
  browser = await openBrowser(t as never);
});

test("the reference shows every operation and talks to nobody else", async (t) => {
  const { url } = await startServer(t);
  const { page, complaints, sent } = await openPage(t, browser, url, "/docs");
  await page.locator("#operations-websocket-connect").waitFor();
  const shown = (await page.locator(".opblock-summary-path").allTextContents()).map((path) => path.replaceAll("\u200b", ""));
  const declared = Object.entries(parse(readFileSync(new URL("../../openapi.yaml", import.meta.url), "utf8")).paths as Record<string, object>);
  const operations = declared.flatMap(([path, item]) => ["get", "post"].filter((method) => method in item).map(() => path));
  assert.ok(operations.length > 10);
  assert.deepEqual(shown.sort(), operations.sort());
  await page.locator("#operations-messages-push .opblock-summary-control").click();
  // Its body comes through a merge key in the source, which Swagger UI does not know.
  await page.locator('#operations-messages-push tr[data-code="401"] .model-example').waitFor();
  assert.deepEqual(complaints, []);
  assert.ok(sent.some((each) => each.endsWith("/openapi.yaml")));
});

test("Try it out pushes through the server that the page came from", async (t) => {
  const { url } = await startServer(t);
  const client = await connect(t, url, { account: "user_2" });
  const { page, complaints } = await openPage(t, browser, url, "/docs");
  await page.locator(".btn.authorize").click();
  await page.locator(".auth-container input").fill(apiToken());
  await page.locator(".auth-container .btn.authorize").click();
  await page.locator(".btn-done").click();
  const operation = page.locator("#operations-messages-push");
  await operation.locator(".opblock-summary-control").click();
  await operation.locator(".try-out__btn").click();
  await operation.locator(".execute").click();
  assert.deepEqual((await client.next()).data, { text: "hello" });
  await operation.locator(".live-responses-table .response-col_status", { hasText: "200" }).waitFor();
  assert.deepEqual(complaints, []);
});

test("the reference can be switched off, the description stays", async (t) => {
  const { url } = await startServer(t, { config: { docs: { enabled: false } } });
  for (const path of ["/docs", "/docs/", "/docs/swagger-ui-bundle.js"]) assert.equal((await fetch(url + path)).status, 404, path);
  assert.equal((await fetch(`${url}/openapi.yaml`)).status, 200);
});
