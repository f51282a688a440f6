// Opens a page of the server and watches it: what it logs, whom it talks to, what it keeps.
import type { TestContext } from "node:test";
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { SECRET } from "../helpers/server.ts";

/** How long a browser may take to show something, ms. */
const PATIENCE_MS = 10_000;

export interface Watched {
  readonly page: Page;
  /** Errors and warnings of the page's console, uncaught errors, and requests that failed or went to another origin. */
  readonly complaints: string[];
  /** Everything sent: request lines, headers, bodies, WebSocket URLs and frames. */
  readonly sent: string[];
}

/** A link for two accounts that the page makes tokens for. */
export function twoAccounts(fields: Record<string, string> = {}): string {
  return linkOf({ app: "test", a: "user_1", b: "user_2", secret: SECRET, ...fields });
}

/** `/console#…` */
export function linkOf(fields: Record<string, string>): string {
  const parts = Object.entries(fields).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return `/console#${parts.join("&")}`;
}

/** Opens `url + path` in a context of its own. */
export async function openPage(
  t: Pick<TestContext, "after">,
  browser: Browser,
  url: string,
  path: string,
  options: BrowserContextOptions = {},
): Promise<Watched> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  t.after(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const complaints: string[] = [];
  const sent: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    sent.push(`${request.method()} ${request.url()}`, JSON.stringify(request.headers()), request.postData() ?? "");
    if (new URL(request.url()).origin !== url && !request.url().startsWith("data:")) complaints.push(`asked ${request.url()}`);
  });
  page.on("websocket", (socket) => {
    sent.push(socket.url());
    socket.on("framesent", ({ payload }) => sent.push(String(payload)));
    if (new URL(socket.url()).host !== new URL(url).host) complaints.push(`connected to ${socket.url()}`);
  });
  await page.goto(url + path);
  return { page, complaints, sent };
}

/** One account's part of the page. */
export function paneOf(page: Page, letter: "a" | "b"): Locator {
  return page.locator(`.pane[data-letter=${letter}]`);
}

/** Waits until the pane's badge says so. */
export async function stateOf(page: Page, letter: "a" | "b", state: string): Promise<void> {
  await paneOf(page, letter).locator(`.state[data-state=${state}]`).waitFor();
}

/** Opens the link for two accounts and waits until both are connected. */
export async function openConnected(t: Pick<TestContext, "after">, browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Watched> {
  const watched = await openPage(t, browser, url, twoAccounts(), options);
  await stateOf(watched.page, "a", "connected");
  await stateOf(watched.page, "b", "connected");
  return watched;
}
