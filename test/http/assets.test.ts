// The files browsers get: which, how they are protected, and that nothing else is reachable.
import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { readAssets } from "../../server/src/http/assets.ts";
import { createFixture, makeAssets } from "./fixture.ts";

const everything = { console: true, docs: true };

describe("the assets", () => {
  it("always include the description and the browser SDK, readable from every origin", async () => {
    const { api } = await createFixture();
    const spec = await api.inject("/openapi.yaml");
    assert.equal(spec.statusCode, 200);
    assert.equal(spec.body, readFileSync(new URL("../../openapi.yaml", import.meta.url), "utf8"));
    assert.match(String(spec.headers["content-type"]), /^application\/yaml/);
    const sdk = await api.inject("/sdk.js");
    assert.match(String(sdk.headers["content-type"]), /^text\/javascript/);
    for (const { headers } of [spec, sdk]) {
      assert.equal(headers["access-control-allow-origin"], "*");
      assert.equal(headers["cross-origin-resource-policy"], "cross-origin");
      assert.equal(headers["cache-control"], "public, max-age=300");
      assert.equal(headers["x-content-type-options"], "nosniff");
    }
  });

  it("include console and docs only when they are switched on", async () => {
    const off = (await createFixture()).api;
    for (const path of ["/console", "/console/", "/console/index.html", "/docs", "/docs/", "/docs/page.js"])
      assert.equal((await off.inject(path)).statusCode, 404, path);
    const on = (await createFixture(everything)).api;
    for (const path of ["/console/", "/console/index.html", "/console/page.js", "/console/icons/a.svg", "/docs/", "/docs/index.html", "/docs/page.js"]) {
      const { statusCode, headers } = await on.inject(path);
      assert.equal(statusCode, 200, path);
      const policy = String(headers["content-security-policy"]);
      assert.match(policy, /^default-src 'none'; script-src 'self';/);
      assert.match(policy, /frame-ancestors 'none'/);
      assert.equal(policy.includes("unsafe"), path.startsWith("/docs"));
      assert.equal(headers["cache-control"], "no-cache");
      assert.equal(headers["access-control-allow-origin"], undefined);
    }
  });

  it("lead from /console to /console/ with the query kept, so that relative links work", async () => {
    const { api } = await createFixture(everything);
    for (const folder of ["console", "docs"]) {
      const { statusCode, headers } = await api.inject(`/${folder}?a=1&b=2`);
      assert.deepEqual([statusCode, headers["location"]], [308, `/${folder}/?a=1&b=2`]);
    }
  });

  it("are sent again only when they have changed", async () => {
    const { api } = await createFixture();
    const { headers, body } = await api.inject("/sdk.js");
    const etag = String(headers["etag"]);
    const again = await api.inject({ url: "/sdk.js", headers: { "if-none-match": etag } });
    assert.deepEqual([again.statusCode, again.body], [304, ""]);
    const other = await api.inject({ url: "/sdk.js", headers: { "if-none-match": '"other"' } });
    assert.deepEqual([other.statusCode, other.body], [200, body]);
    const head = await api.inject({ method: "HEAD", url: "/sdk.js" });
    assert.deepEqual([head.statusCode, head.body, head.headers["etag"]], [200, "", etag]);
  });

  it("are a fixed list: no path leads to another file", async () => {
    const { api } = await createFixture(everything);
    const paths = [
      "/console/../openapi.yaml",
      "/console/..%2fopenapi.yaml",
      "/console/%2e%2e/sdk.js",
      "/..%2f..%2fetc/passwd",
      "/console//etc/passwd",
      "/console/..\\..\\x",
      "/console/icons",
      "/console/icons/",
      "/docs/%00",
      "/sdk.js/",
      "/SDK.js",
      "/sdk.js%20",
    ];
    for (const path of paths) {
      const { statusCode, headers } = await api.inject({ url: path });
      // The test client resolves dot segments as browsers do: those paths then name an asset.
      const resolved = new URL(path, "http://localhost").pathname;
      assert.equal(statusCode, ["/openapi.yaml", "/sdk.js"].includes(resolved) ? 200 : 404, path);
      assert.ok(headers["x-request-id"]);
    }
  });

  it("that were not built stop the start with a sentence that names them", (t) => {
    for (const name of ["openapi.yaml", "sdk.js", "console", "docs", "docs/index.html"]) {
      const dir = makeAssets();
      t.after(() => rmSync(dir, { recursive: true }));
      rmSync(join(dir, name), { recursive: true });
      assert.throws(() => readAssets(dir, everything), { message: `${join(dir, name)} is missing; build the project first (npm run build)` });
      if (!name.includes(".")) assert.ok(readAssets(dir, { console: false, docs: false }).length === 2);
    }
  });
});
