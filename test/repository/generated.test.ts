// The committed generated files are those that openapi.yaml yields.
import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { command, type Ended } from "./command.ts";
import { ROOT, repositoryFiles } from "./sources.ts";

const generated = repositoryFiles().filter((file) => file.includes("/generated/"));

function check(cwd: string): Promise<Ended> {
  return command("node", [join(ROOT, ".ci/generate.ts"), "--check"], { cwd });
}

/** A folder with openapi.yaml and what was generated from it. */
async function copy(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "xlvein-generated-"));
  t.after(() => rm(folder, { recursive: true }));
  for (const file of ["openapi.yaml", ...generated]) await cp(join(ROOT, file), join(folder, file), { recursive: true });
  return folder;
}

test("the generated files are fresh", async () => {
  const { code, stderr } = await check(ROOT);
  assert.deepEqual([code, stderr], [0, ""]);
});

test("every generated file says so and how", async () => {
  assert.ok(generated.length >= 5);
  for (const file of generated)
    assert.match(await readFile(join(ROOT, file), "utf8"), /^\/\/ Generated from openapi\.yaml by `npm run generate`\. Do not edit\.\n/, file);
});

test("a generated file that was edited or lost is named", async (t) => {
  const folder = await copy(t);
  await rm(join(folder, "sdk-node/src/generated/codes.ts"));
  await writeFile(join(folder, "server/src/generated/codes.ts"), "// edited\n", { flag: "a" });
  const { code, stderr } = await check(folder);
  assert.deepEqual([code, stderr], [1, "Stale: server/src/generated/codes.ts, sdk-node/src/generated/codes.ts. Run `npm run generate` and commit.\n"]);
});

test("a change of openapi.yaml makes the files that depend on it stale", async (t) => {
  const folder = await copy(t);
  const path = join(folder, "openapi.yaml");
  const text = await readFile(path, "utf8");
  await writeFile(path, text.replace("    MsgId: {", "    Planted: { type: string }\n    MsgId: {"));
  const { code, stderr } = await check(folder);
  assert.equal(code, 1);
  for (const file of generated.filter((name) => name.endsWith("openapi.ts"))) assert.ok(stderr.includes(file), `${dirname(file)} is stale: ${stderr}`);
});
