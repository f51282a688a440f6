// The server's image, as buildah builds it from the Dockerfile.
import assert from "node:assert/strict";
import { test } from "node:test";
import { insideServerImage, serverImageConfig } from "./images.ts";

/** Without Node and the system below it. */
const MOST_MB = 60;

test("the image is small: what it adds to Node's is below 60 MB, without maps, types and tools", async (t) => {
  const [size = "", ...files] = (
    await insideServerImage(
      'du -sb "$root/app" | cut -f1; cd "$root/app"; find server/dist -name "*.map" -o -name "*.d.ts"; find . -name typescript -o -name tsdown -o -name client-node',
    )
  )
    .trim()
    .split("\n");
  t.diagnostic(`${(Number(size) / 1e6).toFixed(1)} MB`);
  assert.ok(Number(size) > 1e6 && Number(size) < MOST_MB * 1e6, `${size} bytes`);
  assert.deepEqual(files.slice(0, 10), []);
});

test("the image starts as a user without rights, and says what it is", async () => {
  const { User, Entrypoint, Labels } = await serverImageConfig();
  assert.deepEqual([User, Entrypoint], ["10001:10001", ["node", "/app/server/bin/xlvein.js"]]);
  assert.equal(Labels["org.opencontainers.image.title"], "xlvein");
  const writable = await insideServerImage('find "$root/app" -perm /022 ! -type l | head -5; find "$root/app" -user 10001 | head -5');
  assert.equal(writable, "", "nothing in it may be written by others than root");
});
