// Bundles a piece of JSX for a browser, with React and the published files of the SDK in it.
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { build } from "tsdown";
import { ROOT } from "./built.ts";

/** Answers a classic script. The source's imports are found as an application in this workspace would find them. */
export async function bundle(t: Pick<TestContext, "after">, source: string): Promise<string> {
  const cache = join(ROOT, "node_modules/.cache");
  await mkdir(cache, { recursive: true });
  const directory = await mkdtemp(join(cache, "sdk-browser-bundle-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  await writeFile(join(directory, "app.jsx"), source);
  await build({
    cwd: directory,
    config: false,
    tsconfig: false,
    entry: { app: "app.jsx" },
    outDir: "out",
    format: "iife",
    platform: "browser",
    dts: false,
    deps: { alwaysBundle: [/./] },
    define: { "process.env.NODE_ENV": '"development"' },
    inputOptions: { transform: { jsx: { runtime: "automatic" } } },
    logLevel: "error",
  });
  return readFile(join(directory, "out/app.iife.js"), "utf8");
}
