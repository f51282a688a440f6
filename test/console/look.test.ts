// The console for everybody: contrast and names in both themes, the keyboard alone, a small phone, less motion.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, type TestContext, test } from "node:test";
import type { AxeResults } from "axe-core";
import type { Browser, Page } from "playwright-core";
import { openBrowser } from "../helpers/browser.ts";
import { startServer, type TestServer } from "../helpers/server.ts";
import { linkOf, openConnected, openPage, paneOf, stateOf, type Watched } from "./open-page.ts";

const AXE = readFileSync(new URL("../../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const THEMES = ["light", "dark"] as const;
let browser: Browser;
before(async (t) => {
  browser = await openBrowser(t as never);
});

const start = (t: TestContext): Promise<TestServer> => startServer(t, { config: { console: { enabled: true } } });

/** Runs axe on the page as it stands; answers each violation with the elements at fault. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const results = await page.evaluate(
    (values) => (globalThis as unknown as { axe: { run(options: object): Promise<AxeResults> } }).axe.run({ runOnly: { type: "tag", values } }),
    RULES,
  );
  assert.ok(results.passes.some(({ id }) => id === "color-contrast"));
  return results.violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`));
}

/** Fills the logs with what they can show. */
async function talk({ page }: Watched): Promise<void> {
  for (const [from, to] of [
    ["a", "b"],
    ["b", "a"],
  ] as const) {
    await paneOf(page, from).getByLabel("Message, a JSON object").fill('{"text":"hello","n":1,"yes":true}');
    await paneOf(page, from).getByRole("button", { name: "Send" }).click();
    await paneOf(page, to).locator(".frame.received").waitFor();
  }
  await page.getByRole("button", { name: "Push" }).click();
  await paneOf(page, "b").locator('.frame[data-sender="api"]').waitFor();
}

/** Shows every kind of trouble. */
async function fail({ page }: Watched): Promise<void> {
  for (const letter of ["a", "b"] as const) {
    await paneOf(page, letter).locator("summary").click();
    await paneOf(page, letter).getByLabel("Connect token (JWT)").fill("nonsense");
    await paneOf(page, letter).getByRole("button", { name: "Send" }).click();
  }
  await page.getByRole("button", { name: "Push" }).click();
  await page.locator("#push .problem:not([hidden])").waitFor();
}

for (const colorScheme of THEMES) {
  // Contrast is measured when nothing fades any more.
  const options = { colorScheme, reducedMotion: "reduce" } as const;

  test(`axe finds nothing while messages travel, ${colorScheme}`, async (t) => {
    const { url } = await start(t);
    const watched = await openConnected(t, browser, url, options);
    await talk(watched);
    await paneOf(watched.page, "a").getByRole("button", { name: "Raw" }).click();
    await paneOf(watched.page, "b").getByRole("button", { name: "Pause" }).click();
    assert.deepEqual(await violations(watched.page), []);
  });

  test(`axe finds nothing while everything goes wrong, ${colorScheme}`, async (t) => {
    const { url } = await start(t);
    const watched = await openPage(t, browser, url, linkOf({ app: "test" }), options);
    await fail(watched);
    assert.deepEqual(await violations(watched.page), []);
  });

  test(`axe finds nothing while the page waits for the server, ${colorScheme}`, async (t) => {
    const { url, server } = await start(t);
    const { page } = await openConnected(t, browser, url, options);
    await server.close();
    await stateOf(page, "a", "disconnected");
    assert.deepEqual(await violations(page), []);
  });
}

test("the two themes differ, and the browser knows both before any style is loaded", async (t) => {
  const { url } = await start(t);
  const colours = [];
  for (const colorScheme of THEMES) {
    const { page } = await openPage(t, browser, url, "/console", { colorScheme });
    assert.equal(await page.locator("meta[name=color-scheme]").getAttribute("content"), "light dark");
    colours.push(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
  }
  assert.deepEqual(colours, ["rgb(244, 242, 236)", "rgb(19, 21, 25)"]);
});

for (const width of [320, 360, 768, 1280]) {
  test(`nothing reaches beyond a page of ${width} px, not even long names without a space`, async (t) => {
    const { url } = await start(t);
    const long = "account-".repeat(20);
    const watched = await openConnected(t, browser, url, { viewport: { width, height: 740 } });
    const { page } = watched;
    await talk(watched);
    await paneOf(page, "a").getByLabel("Send to account").fill(long);
    await paneOf(page, "a")
      .getByLabel("Message, a JSON object")
      .fill(JSON.stringify({ text: long }));
    await paneOf(page, "a").getByRole("button", { name: "Send" }).click();
    await paneOf(page, "a").locator(".frame.sent", { hasText: long }).first().waitFor();
    await paneOf(page, "b").locator("summary").click();
    for (const tab of ["curl", "curl, classic", "Node.js", "Browser"]) {
      await page.getByRole("tab", { name: tab, exact: true }).click();
      const beyond = await page.evaluate(() =>
        [...document.querySelectorAll("body *:not(.skip, .unseen)")]
          .filter((each) => each.getBoundingClientRect().right > innerWidth + 0.5)
          .map((each) => each.outerHTML.slice(0, 80)),
      );
      assert.deepEqual(beyond, [], tab);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), tab);
    }
    assert.ok(
      await paneOf(page, "a")
        .locator(".log")
        .evaluate((log) => log.scrollWidth <= log.clientWidth),
    );
  });
}

test("on a phone every control is large enough to touch, and a field does not make the page zoom", async (t) => {
  const { url } = await start(t);
  const { page } = await openConnected(t, browser, url, { viewport: { width: 360, height: 740 } });
  const small = await page.evaluate(() =>
    [...document.querySelectorAll("main button, main input, main textarea, main summary")]
      .filter((each) => each.checkVisibility() && each.getBoundingClientRect().height < 24)
      .map((each) => each.outerHTML),
  );
  assert.deepEqual(small, []);
  const fonts = await page.evaluate(() =>
    [...document.querySelectorAll("main input, main textarea")].map((each) => Number.parseFloat(getComputedStyle(each).fontSize)),
  );
  assert.ok(
    fonts.every((size) => size >= 16),
    String(fonts),
  );
});

test("the keyboard reaches every control in reading order, and shows where it is", async (t) => {
  const { url } = await start(t);
  const { page } = await openConnected(t, browser, url);
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  const stops: string[] = [];
  for (;;) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => {
      const focused = document.activeElement;
      if (!(focused instanceof HTMLElement) || focused === document.body) return undefined;
      const { outlineStyle, outlineWidth } = getComputedStyle(focused);
      const field = focused instanceof HTMLInputElement || focused instanceof HTMLTextAreaElement;
      const name = focused.getAttribute("aria-label") ?? (field ? focused.labels?.[0]?.innerText : focused.innerText) ?? "";
      return { name: name.split("\n")[0]?.trim() ?? "", outline: outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2 };
    });
    if (stop === undefined || stops.length > 60) break;
    assert.ok(stop.outline, `${stop.name} shows no focus`);
    stops.push(stop.name);
  }
  const pane = (letter: string, token: string) => [
    "Account",
    "Disconnect",
    token,
    "Raw",
    "Pause",
    "Clear",
    `Frames of Account ${letter}`,
    "Send to account",
    "Or to a room, which it enters first",
    "Message, a JSON object",
    "Send",
  ];
  const expected = [
    ...["Skip to the accounts", "API reference", "openapi.yaml", "App key", "App secret", "Show the secret"],
    ...pane("A", stops[8] ?? ""),
    ...pane("B", stops[19] ?? ""),
    ...[
      "To accounts, one a line",
      "Message, a JSON object",
      "Push",
      "curl",
      "Works as it is for three minutes; after that, copy it again for a fresh token.",
      "Copy",
    ],
  ];
  assert.deepEqual(stops, expected);
  assert.match(stops[8] ?? "", /^Token/);
});

test("the skip link leads to the accounts and leaves the page filled in", async (t) => {
  const { url } = await start(t);
  const { page } = await openConnected(t, browser, url);
  const { hash } = new URL(page.url());
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("name")), "account");
  assert.equal(new URL(page.url()).hash, hash);
  await stateOf(page, "a", "connected");
});

test("frames are announced as they come: the log is a live region with a name", async (t) => {
  const { url } = await start(t);
  const { page } = await openConnected(t, browser, url);
  await page.getByRole("log", { name: "Frames of Account A" }).waitFor();
  await page.getByRole("status").first().filter({ hasText: "connected" }).waitFor();
});

for (const [reducedMotion, moves] of [
  ["no-preference", true],
  ["reduce", false],
] as const) {
  test(`with motion preference ${reducedMotion} frames ${moves ? "glow once" : "just appear"}`, async (t) => {
    const { url } = await start(t);
    const watched = await openConnected(t, browser, url, { reducedMotion });
    await talk(watched);
    const names = await paneOf(watched.page, "b")
      .locator(".frame")
      .first()
      .evaluate((frame) => getComputedStyle(frame).animationName);
    assert.equal(names, moves ? "arrive" : "none");
  });
}
