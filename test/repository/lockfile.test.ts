// What is installed is exactly what was locked: versions, integrity, one registry, and no script of a stranger.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { ROOT } from "./sources.ts";

interface Manifest {
  readonly name?: string;
  readonly workspaces?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly allowScripts?: Readonly<Record<string, boolean>>;
}

interface Locked extends Manifest {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
}

type Packages = Readonly<Record<string, Locked>>;

const EXACT = /^(npm:(@[\w.-]+\/)?[\w.-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/;
const KINDS = ["dependencies", "devDependencies", "optionalDependencies"] as const;

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(join(ROOT, path), "utf8")) as T;
}

/** What is wrong with the entries of one lock file. */
function lockProblems(packages: Packages): string[] {
  const found: string[] = [];
  const registries = new Set<string>();
  for (const [path, { version, resolved, integrity, link }] of Object.entries(packages)) {
    if (!path.includes("node_modules/") || link) continue;
    if (!/^sha512-/.test(integrity ?? "")) found.push(`${path}: no integrity`);
    if (!/^\d+\.\d+\.\d+/.test(version ?? "")) found.push(`${path}: version ${version} is not from a registry`);
    if (resolved !== undefined) registries.add(new URL(resolved).origin);
  }
  if (registries.size > 1) found.push(`several registries: ${[...registries].join(", ")}`);
  return found;
}

/** Ranges, tags, folders and git addresses among the dependencies of one package. */
function inexact(manifest: Manifest): string[] {
  return KINDS.flatMap((kind) => Object.entries(manifest[kind] ?? {}))
    .filter(([, version]) => !EXACT.test(version))
    .map(([name, version]) => `${name}: ${version}`);
}

const folders = ["", ...(readJson<Manifest>("package.json").workspaces ?? [])];
const places = { root: "", "the other Node versions": "test/setup/runtimes/", "the chart's tools": "test/setup/kubernetes/" };

for (const [title, place] of Object.entries(places)) {
  const { packages } = readJson<{ packages: Packages }>(`${place}package-lock.json`);

  describe(`the lock file of ${title}`, () => {
    it("gives every package an integrity hash and one registry", () => {
      assert.deepEqual(lockProblems(packages), []);
    });

    it("knows exactly what each package.json asks for", () => {
      for (const folder of place === "" ? folders : [""]) {
        const manifest = readJson<Manifest>(join(place, folder, "package.json"));
        for (const kind of KINDS) assert.deepEqual(packages[folder]?.[kind] ?? {}, manifest[kind] ?? {}, `${join(place, folder)} ${kind}`);
      }
    });

    it("comes from exact versions", () => {
      for (const folder of place === "" ? folders : [""]) assert.deepEqual(inexact(readJson(join(place, folder, "package.json"))), []);
    });
  });
}

describe("install scripts", () => {
  it("of dependencies are refused by name, so none is needed", () => {
    const { packages } = readJson<{ packages: Packages }>("package-lock.json");
    const scripted = Object.entries(packages).filter(([path, { hasInstallScript }]) => hasInstallScript && path.includes("node_modules/"));
    const names = scripted.map(([path]) => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length));
    assert.deepEqual(readJson<Manifest>("package.json").allowScripts, Object.fromEntries(names.map((name) => [name, false])));
  });
});

describe("the check of lock files", () => {
  it("finds what is planted", () => {
    const good = { version: "1.2.3", integrity: "sha512-x" };
    assert.deepEqual(lockProblems({ "node_modules/a": { version: "1.2.3" } }), ["node_modules/a: no integrity"]);
    assert.deepEqual(lockProblems({ "node_modules/a": { ...good, version: "git+ssh://x" } }), ["node_modules/a: version git+ssh://x is not from a registry"]);
    const two = { "node_modules/a": { ...good, resolved: "https://one.example/a.tgz" }, "node_modules/b": { ...good, resolved: "https://two.example/b.tgz" } };
    assert.deepEqual(lockProblems(two), ["several registries: https://one.example, https://two.example"]);
    const loose = { dependencies: { a: "^1.0.0", b: "latest", c: "github:x/y", d: "1.0.0", e: "npm:@f/g@1.0.0", h: "npm:i@^1.0.0" } };
    assert.deepEqual(inexact(loose), ["a: ^1.0.0", "b: latest", "c: github:x/y", "h: npm:i@^1.0.0"]);
  });
});
