// The package as it is published: its files, its size, its entry points and types, under every Node at hand.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ACCEPTED, SECRET, startScript } from "./scripted-server.ts";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PACKAGE = join(ROOT, "sdk-node");
const BIN = join(ROOT, "node_modules/.bin");
/** Outside of any package but below the root's node_modules, where jsonwebtoken is found. */
const CACHE = join(ROOT, "node_modules/.cache");

interface Packed {
  filename: string;
  size: number;
  files: { path: string }[];
}

before(() => assert.ok(existsSync(join(PACKAGE, "dist/index.mjs")), "sdk-node/dist is missing: run `npm run build`"));

/** A new folder that holds the packed package as `node_modules/@xlvein/node`. */
async function install(t: TestContext): Promise<{ app: string; packed: Packed; tarball: string }> {
  await mkdir(CACHE, { recursive: true });
  const app = await mkdtemp(join(CACHE, "sdk-node-app-"));
  t.after(() => rm(app, { recursive: true, force: true }));
  const { stdout } = await run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", app], { cwd: PACKAGE });
  const [packed] = JSON.parse(stdout) as Packed[];
  assert.ok(packed);
  const tarball = join(app, packed.filename);
  await run("tar", ["-xzf", tarball, "-C", app]);
  await mkdir(join(app, "node_modules/@xlvein"), { recursive: true });
  await rename(join(app, "package"), join(app, "node_modules/@xlvein/node"));
  return { app, packed, tarball };
}

test("the tarball holds what is built, the README and the licence, and is below 300 KB", async (t) => {
  const { packed } = await install(t);
  assert.ok(packed.size < 300_000, `${packed.size} bytes`);
  assert.deepEqual(packed.files.map(({ path }) => path).sort(), [
    "LICENSE",
    "README.md",
    "dist/index.cjs",
    "dist/index.d.cts",
    "dist/index.d.mts",
    "dist/index.mjs",
    "package.json",
  ]);
});

test("jsonwebtoken is the one dependency", async () => {
  const { dependencies } = JSON.parse(await readFile(join(PACKAGE, "package.json"), "utf8")) as { dependencies: object };
  assert.deepEqual(Object.keys(dependencies), ["jsonwebtoken"]);
  for (const file of ["index.mjs", "index.cjs"]) {
    const text = await readFile(join(PACKAGE, "dist", file), "utf8");
    const imported = [...text.matchAll(/(?:from |require\()"([^"]+)"/g)].map(([, name = ""]) => name);
    assert.deepEqual(
      imported.filter((name) => !name.startsWith("node:")),
      ["jsonwebtoken"],
      file,
    );
  }
});

test("publint finds nothing", async () => {
  const { stdout } = await run(process.execPath, [join(BIN, "publint"), "run", PACKAGE, "--strict"]);
  assert.match(stdout, /All good!/);
});

test("are-the-types-wrong finds nothing, whatever the resolution", async (t) => {
  const { tarball } = await install(t);
  const { stdout } = await run(process.execPath, [join(BIN, "attw"), tarball, "--format", "json"]);
  const { analysis } = JSON.parse(stdout) as { analysis: { problems: unknown[]; types: unknown } };
  assert.deepEqual(analysis.problems, []);
  assert.ok(analysis.types);
});

const CONSUMER = `
import { createXlvein, ErrorCode, type History, type Message, type PushManyResult, XlveinApiError } from "@xlvein/node";
interface Order { id: number }
const order: Order = { id: 1 };
export const xlvein = createXlvein({ url: "http://127.0.0.1:8090", appKey: "test", appSecret: "secret", timeoutMs: undefined });
export async function main(signal: AbortSignal | undefined): Promise<string> {
  const messages: Message[] = [{ account: "user_1", data: order }, { accounts: ["a", "b"], data: { n: 1 }, idempotencyKey: "k" }];
  const { msgId } = await xlvein.push({ account: "user_1", data: order, signal });
  await xlvein.push({ rooms: ["chat:1"], everyone: true, data: order, key: "k" });
  await xlvein.push({ account: "a", rooms: ["chat:1"], data: order });
  for await (const account of xlvein.rooms.members("chat:1")) account.toUpperCase();
  const { messages: said, position }: History = await xlvein.rooms.history("chat:1", { after: { epoch: "e", offset: 1 }, signal });
  for (const { data, msgId } of (await xlvein.history("a", { after: position })).messages) (data.text as string | undefined) ?? msgId.toUpperCase();
  said.at(0)?.room?.toUpperCase();
  xlvein.token("a", { rooms: ["chat:*"], can: ["publish"] });
  const results: PushManyResult[] = await xlvein.pushMany(messages, { signal });
  for (const result of results) {
    if (result.error === undefined) result.msgId.toUpperCase();
    else result.error.remediation.toUpperCase();
  }
  const error: unknown = await xlvein.disconnect("user_1").catch((reason: unknown) => reason);
  return error instanceof XlveinApiError && error.code === ErrorCode.RATE_LIMITED ? String(error.retryAfterMs) : msgId;
}
// @ts-expect-error account and accounts exclude each other
void xlvein.push({ account: "a", accounts: ["b"], data: {} });
// @ts-expect-error a message needs a receiver
void xlvein.push({ data: {} });
// @ts-expect-error everyone is true or left out
void xlvein.push({ everyone: false, data: {} });
// @ts-expect-error there is no such right
xlvein.token("a", { can: ["read"] });
// @ts-expect-error data must be an object
void xlvein.push({ account: "a", data: "text" });
// @ts-expect-error seconds are a number
xlvein.token("a", { expiresInSeconds: "1h" });
// @ts-expect-error the secret is needed
createXlvein({ url: "http://127.0.0.1:8090", appKey: "test" });
`;

test("the types serve a strict program, as ESM and as CommonJS", async (t) => {
  const { app } = await install(t);
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    module: "NodeNext",
    target: "ES2022",
    lib: ["ES2022"],
    noEmit: true,
    types: ["node"],
  };
  await writeFile(join(app, "package.json"), "{}");
  await writeFile(join(app, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["consumer.mts", "consumer.cts"] }));
  await writeFile(join(app, "consumer.mts"), CONSUMER);
  await writeFile(join(app, "consumer.cts"), CONSUMER);
  const { stdout } = await run(process.execPath, [join(BIN, "tsc"), "-p", app]).catch((error: { stdout: string }) => error);
  assert.equal(stdout, "");
});

const PROGRAM = `
const client = createXlvein({ url: process.argv[2], appKey: "test", appSecret: ${JSON.stringify(SECRET)}, timeoutMs: 600_000 });
const wrong = await client.push({ account: "user_1", data: [] }).catch((error) => error.name);
const { msgId } = await client.push({ account: "user_1", data: { text: "hello" } });
console.log(msgId, wrong, client.token("user_1").split(".").length, XlveinError.name);
`;

test("the ESM and the CommonJS build push, under this Node and under the oldest supported one where it is at hand", async (t) => {
  const { app } = await install(t);
  const server = await startScript(t, () => ACCEPTED);
  await writeFile(join(app, "esm.mjs"), `import { createXlvein, XlveinError } from "@xlvein/node";\n${PROGRAM}`);
  await writeFile(join(app, "cjs.cjs"), `const { createXlvein, XlveinError } = require("@xlvein/node");\n(async () => {${PROGRAM}})();`);
  for (const node of await runtimes()) {
    for (const file of ["esm.mjs", "cjs.cjs"]) {
      await t.test(`${file} under Node ${node.version}`, async () => {
        // Killed if a timer of the package kept the process for its 10 minutes.
        const { stdout, stderr } = await run(node.path, [join(app, file), server.url], { timeout: 60_000 });
        assert.equal(stderr, "");
        assert.equal(stdout, "m-1 TypeError 3 XlveinError\n");
      });
    }
  }
});

/** This Node, and every other one on the PATH. */
async function runtimes(): Promise<{ path: string; version: string }[]> {
  const folders = (process.env.PATH ?? "").split(":");
  const paths = [process.execPath, ...folders.map((folder) => join(folder, "node")).filter((path) => existsSync(path))];
  const found = new Map<string, string>();
  for (const path of paths) {
    const version = (await run(path, ["--version"])).stdout.trim().slice(1);
    if (!found.has(version)) found.set(version, path);
  }
  return [...found].map(([version, path]) => ({ version, path }));
}
