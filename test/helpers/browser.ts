// A real Chromium, closed when the test ends.
import { existsSync } from "node:fs";
import type { TestContext } from "node:test";
import { type Browser, chromium } from "playwright-core";

const EXECUTABLE = "/usr/bin/chromium";
/** Without these a browser on a machine without a way out looks for its maker's hosts at every start. */
const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export interface BrowserOptions {
  /** Beside the usual ones. */
  args?: readonly string[];
  /** Of Playwright's own arguments, those to leave out. */
  ignoreDefaultArgs?: string[];
}

/** Starts Debian's Chromium with a new, empty profile. */
export async function openBrowser(t: Pick<TestContext, "after">, { args = [], ignoreDefaultArgs = [] }: BrowserOptions = {}): Promise<Browser> {
  if (!existsSync(EXECUTABLE)) throw new Error(`${EXECUTABLE} is missing: run \`npm test\`, or \`apt-get install --no-install-recommends chromium\``);
  const browser = await chromium.launch({ executablePath: EXECUTABLE, headless: true, args: [...ARGS, ...args], ignoreDefaultArgs });
  t.after(() => browser.close());
  return browser;
}
