// What the build puts beside the server for browsers.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { parse } from "yaml";
import { buildAssets } from "../../server/assets.ts";

const ROOT = join(import.meta.dirname, "../..");
const SWAGGER = "node_modules/swagger-ui-dist";
const CONSOLE_SCRIPT = "server/dist/assets/console/console.js";

/** A copy of what the build reads, in a folder of its own. */
async function copyOfSources(t: TestContext): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "xlvein-assets-"));
  t.after(() => rm(root, { recursive: true }));
  for (const path of ["openapi.yaml", "sdk-browser/dist/xlvein.iife.js", "server/console", "server/docs", SWAGGER, CONSOLE_SCRIPT]) {
    await mkdir(join(root, path, ".."), { recursive: true });
    await cp(join(ROOT, path), join(root, path), { recursive: true });
  }
  return root;
}

test("the build fills every folder, with nothing of Swagger UI but its page and licences", async (t) => {
  const root = await copyOfSources(t);
  await buildAssets(root);
  const assets = join(root, "server/dist/assets");
  assert.deepEqual((await readdir(assets)).sort(), ["console", "docs", "openapi.yaml", "sdk.js"]);
  const docs = ["LICENSE", "NOTICE", "docs.css", "docs.js", "index.html", "swagger-ui-bundle.js", "swagger-ui-bundle.js.LICENSE.txt", "swagger-ui.css"];
  assert.deepEqual((await readdir(join(assets, "docs"))).sort(), docs);
  assert.deepEqual(readFileSync(join(assets, "sdk.js")), readFileSync(join(root, "sdk-browser/dist/xlvein.iife.js")));
});

test("every file that a page asks for is there, and no page has a script or a style inside it", async (t) => {
  const root = await copyOfSources(t);
  await buildAssets(root);
  for (const page of ["console", "docs"]) {
    const folder = join(root, "server/dist/assets", page);
    const html = readFileSync(join(folder, "index.html"), "utf8");
    const files = [...html.matchAll(/<(?:script|link)[^>]* (?:src|href)="([^":]+)"/g)].map(([, file]) => file ?? "");
    assert.ok(files.length >= 4, page);
    for (const file of files) assert.ok(readFileSync(join(folder, file)).length > 0, file);
    assert.doesNotMatch(html, /<script(?![^>]* src=)|<style|\bstyle=|\bon\w+=/);
  }
});

test("the API description means the same without merge keys, which many tools do not know", async (t) => {
  const root = await copyOfSources(t);
  await buildAssets(root);
  const served = readFileSync(join(root, "server/dist/assets/openapi.yaml"), "utf8");
  assert.doesNotMatch(served, /<<\s*:/);
  assert.doesNotMatch(served, /[:-] [&*]\w/);
  assert.deepEqual(parse(served), parse(readFileSync(join(ROOT, "openapi.yaml"), "utf8"), { merge: true }));
});

for (const [file, remedy] of [
  ["sdk-browser/dist/xlvein.iife.js", /npm run build/],
  [CONSOLE_SCRIPT, /npm run build/],
  [`${SWAGGER}/swagger-ui-bundle.js`, /npm ci/],
  ["openapi.yaml", /restore it/],
] as const) {
  test(`without ${file} the build stops and says what makes it`, async (t) => {
    const root = await copyOfSources(t);
    await rm(join(root, file));
    await assert.rejects(buildAssets(root), (error: Error) => error.message.startsWith(`${file} is missing: `) && remedy.test(error.message));
  });
}
