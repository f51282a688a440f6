// The bin itself: which Node runs it, and that signals, output and exit codes pass through unchanged.
import assert from "node:assert/strict";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { connect } from "../helpers/client.ts";
import { SECRET } from "../helpers/server.ts";
import { BIN, type Serving, startServing, systemNode, temporaryFolder, xlvein } from "./bin.ts";

const node = systemNode();
/** Whether the system's Node is too old, so that the bin runs again under the pinned one. */
const isOld = node !== undefined && (node.major < 22 || (node.major === 22 && node.minor < 19));
const path = node?.path ?? process.execPath;

/** A copy of the bin in a package that is not built and has no runtime. */
async function bareBin(t: TestContext): Promise<string> {
  const folder = await temporaryFolder(t);
  await mkdir(join(folder, "server/bin"), { recursive: true });
  await writeFile(join(folder, "server/package.json"), '{"type":"module"}');
  const bin = join(folder, "server/bin/xlvein.js");
  await copyFile(BIN, bin);
  return bin;
}

/** An environment in which any Node says that it is an old one. */
async function oldNode(bin: string): Promise<Record<string, string>> {
  const preload = join(dirname(bin), "old.cjs");
  await writeFile(preload, 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.11.0" } });');
  return { NODE_OPTIONS: `--require ${preload}` };
}

async function nodeOf(executable: string): Promise<string> {
  return (JSON.parse((await xlvein(["version", "--json"], { node: executable })).stdout) as { node: string }).node;
}

function serve(t: TestContext): Promise<Serving> {
  return startServing(t, { applications: [{ app_key: "test", app_secret: SECRET }], drain: { window_seconds: 0.2 } }, { node: path });
}

test("a Node that is new enough runs the command itself", async () => {
  assert.equal(await nodeOf(process.execPath), process.versions.node);
});

test("the system's Node runs it under the pinned one when it is old, and itself when it is new enough", async () => {
  const major = Number((await nodeOf(path)).split(".")[0]);
  assert.equal(major, isOld ? 24 : (node?.major ?? Number(process.versions.node.split(".")[0])));
});

test("exit code, output and input pass through", async (t) => {
  const wrong = await xlvein(["strat"], { node: path });
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /Did you mean start/);
  const { url, internalUrl } = await serve(t);
  assert.equal((await xlvein(["health", "--url", internalUrl], { node: path })).code, 0);
  const client = await connect(t, url);
  const { code } = await xlvein(["push", "--app", "test", "--secret", SECRET, "--url", url, "-a", "user_1", "-"], { node: path, input: '{"text":"piped"}' });
  assert.equal(code, 0);
  assert.deepEqual((await client.next()).data, { text: "piped" });
});

test("SIGTERM and SIGINT arrive once, sent to the process or to its whole group", async (t) => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    for (const group of [false, true]) {
      const serving = await serve(t);
      const client = await connect(t, serving.url);
      const { pid } = serving.child;
      assert.ok(pid);
      process.kill(group ? -pid : pid, signal);
      // A second one would have ended the drain, and the process with another code.
      assert.equal((await client.closed).code, 1012);
      assert.deepEqual(await serving.ended, { code: 0, signal: null });
      assert.equal(serving.printed.stdout.match(/"event":"signal"/g)?.length, 1);
    }
  }
});

test("SIGHUP arrives and the server goes on", async (t) => {
  const serving = await serve(t);
  serving.child.kill("SIGHUP");
  await serving.line(/"event":"signal","signal":"SIGHUP"/);
  await connect(t, serving.url);
});

test("a server whose starter was killed ends too", async (t) => {
  const serving = await serve(t);
  const client = await connect(t, serving.url);
  serving.child.kill("SIGKILL");
  assert.deepEqual(await serving.ended, { code: null, signal: "SIGKILL" });
  await client.closed;
});

test("a package that is not built says how to build it", async (t) => {
  const { code, stdout, stderr } = await xlvein(["version"], { bin: await bareBin(t) });
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.equal(stderr, "xlvein: it is not built yet: run `npm run build`\n");
});

test("an old Node without a pinned one beside it says which version is needed", async (t) => {
  const bin = await bareBin(t);
  const { code, stderr } = await xlvein(["version"], { bin, env: await oldNode(bin) });
  assert.equal(code, 1);
  assert.equal(stderr, "xlvein: Node.js 22.19 or newer is needed, this is 20.11.0\n");
});

test("a pinned runtime that cannot start, as on another C library, says which version is needed", async (t) => {
  const bin = await bareBin(t);
  const runtime = join(dirname(bin), "../../node_modules", `node-linux-${process.arch}`, "bin");
  await mkdir(runtime, { recursive: true });
  await writeFile(join(runtime, "node"), "#!/no/such/interpreter\n", { mode: 0o755 });
  const { code, stderr } = await xlvein(["version"], { bin, env: await oldNode(bin) });
  assert.equal(code, 1);
  assert.equal(stderr, "xlvein: Node.js 22.19 or newer is needed, this is 20.11.0\n");
});
