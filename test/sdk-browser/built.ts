// The files that are built from sdk-browser, found only when they are of today's sources.
import { existsSync, globSync, statSync } from "node:fs";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "../..");
export const PACKAGE = join(ROOT, "sdk-browser");

/** Throws a sentence when `sdk-browser/dist` is missing or older than what it is made from. */
export function checkBuilt(): void {
  const built = join(PACKAGE, "dist/xlvein.iife.js");
  if (!existsSync(built)) throw new Error("sdk-browser/dist is missing: run `npm run build`");
  const changed = globSync("src/**/*.ts", { cwd: PACKAGE }).filter((file) => statSync(join(PACKAGE, file)).mtimeMs > statSync(built).mtimeMs);
  if (changed.length > 0) throw new Error(`sdk-browser/dist is older than ${changed.join(", ")}: run \`npm run build\``);
}
