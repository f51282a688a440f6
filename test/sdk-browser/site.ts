// Somebody's website: the pages a test writes, the SDK's files as built, and a place where pages report what they see.
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Browser } from "playwright-core";
import { openBrowser } from "../helpers/browser.ts";
import { apiToken } from "../helpers/client.ts";
import { PACKAGE } from "./built.ts";

export interface Site {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  readonly port: number;
  /** By path: HTML, or anything that begins with its content type and a line break. */
  readonly pages: Map<string, string>;
  /** What pages have sent with `fetch("/report", { method: "POST", body })`, in order. */
  readonly reports: string[];
  /** The next report from now on, or among those not yet looked at, that matches. */
  report(pattern: RegExp): Promise<string>;
}

/** Serves until the test ends; `/sdk/…` is `sdk-browser/dist`. */
export async function startSite(t: Pick<TestContext, "after">, pages: Record<string, string> = {}): Promise<Site> {
  const map = new Map(Object.entries(pages));
  const reports: string[] = [];
  let seen = 0;
  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? "", "http://site").pathname;
    if (path === "/report") {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      reports.push(Buffer.concat(chunks).toString());
      server.emit("report");
      response.end();
      return;
    }
    const page = path.startsWith("/sdk/") ? `text/javascript\n${await readFile(join(PACKAGE, "dist", path.slice(5)), "utf8")}` : map.get(path);
    const [, type = "text/html; charset=utf-8", text = page] = /^(\w+\/\w+)\n(.*)$/s.exec(page ?? "") ?? [];
    response.writeHead(page === undefined ? 404 : 200, { "content-type": type });
    response.end(text);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    pages: map,
    reports,
    report: async (pattern) => {
      for (;;) {
        for (; seen < reports.length; ) {
          const report = reports[seen++] as string;
          if (pattern.test(report)) return report;
        }
        await once(server, "report");
      }
    },
  };
}

/** Resolves once the account has so many connections: the server may hear of a closed socket a moment after the page. */
export async function untilConnections(url: string, account: string, count: number): Promise<void> {
  for (;;) {
    const response = await fetch(`${url}/api/v1/accounts/${account}/connections`, { headers: { authorization: `Bearer ${apiToken()}` } });
    if (((await response.json()) as { connections: unknown[] }).connections.length === count) return;
  }
}

/** `push.example.com` is this machine by another name: a server that needs a network to be reached. */
const HOSTS = "--host-resolver-rules=MAP push.example.com 127.0.0.1";

/** A Chromium with its back/forward cache on, which Playwright would switch off. */
export function openBrowserWithCache(t: Pick<TestContext, "after">): Promise<Browser> {
  return openBrowser(t, { args: [HOSTS], ignoreDefaultArgs: ["--disable-back-forward-cache"] });
}
