// The server's image, as buildah builds it from the Dockerfile.
import assert from "node:assert/strict";
import { test } from "node:test";
import { insideServerImage, serverImageConfig } from "./images.ts";

/** Without Node and the system below it. */
const MOST_MB = 60;

test("the image lists every package that is in it", async () => {
  const read = async (file: string) => JSON.parse(await insideServerImage(`cat "$root/app/${file}"`));
  const list = (await read("sbom.cdx.json")) as {
    readonly bomFormat: string;
    readonly components: readonly { readonly name: string; readonly version: string }[];
  };
  const { packages } = (await read("node_modules/.package-lock.json")) as {
    readonly packages: Readonly<Record<string, { readonly version?: string; readonly link?: true }>>;
  };
  assert.equal(list.bomFormat, "CycloneDX");
  const listed = new Set(list.components.map(({ name, version }) => `${name}@${version}`));
  const installed = Object.entries(packages).filter(([path, { link }]) => path.includes("node_modules/") && link !== true);
  assert.ok(installed.length > 20, `${installed.length} packages`);
  for (const [path, { version }] of installed) assert.ok(listed.has(`${path.slice(path.lastIndexOf("node_modules/") + 13)}@${version}`), path);
  // In no folder, but inside the bundle.
  assert.ok([...listed].some((each) => each.startsWith("@kubernetes/client-node@")));
});

test("the image is small: what it adds to Node's is below 60 MB, without maps, types and tools", async (t) => {
  const [size = "", ...files] = (
    await insideServerImage(
      'du -sb "$root/app" | cut -f1; cd "$root/app"; find server/dist -name "*.map" -o -name "*.d.ts"; find . -name typescript -o -name tsdown -o -name client-node -o -name "@types"',
    )
  )
    .trim()
    .split("\n");
  t.diagnostic(`${(Number(size) / 1e6).toFixed(1)} MB`);
  assert.ok(Number(size) > 1e6 && Number(size) < MOST_MB * 1e6, `${size} bytes`);
  assert.deepEqual(files.slice(0, 10), []);
  const bundled = (await insideServerImage('cd "$root/app/server/dist"; ls; ls cli')).trim().split("\n");
  assert.ok(bundled.length < 40 && bundled.includes("main.js"), `a few files, not one for each of the source: ${bundled.join(" ")}`);
});

test("the image starts as a user without rights, and says what it is", async () => {
  const { User, Entrypoint, Labels } = await serverImageConfig();
  assert.deepEqual([User, Entrypoint], ["10001:10001", ["node", "/app/server/bin/xlvein.js"]]);
  assert.equal(Labels["org.opencontainers.image.title"], "xlvein");
  const writable = await insideServerImage('find "$root/app" -perm /022 ! -type l | head -5; find "$root/app" -user 10001 | head -5');
  assert.equal(writable, "", "nothing in it may be written by others than root");
});
