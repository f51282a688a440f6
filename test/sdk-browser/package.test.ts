// The package as it is published: its files, its size, its entry points and types.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { runInNewContext } from "node:vm";
import { tokenFor } from "../helpers/client.ts";
import { startServer } from "../helpers/server.ts";
import { checkBuilt, PACKAGE, ROOT } from "./built.ts";

const run = promisify(execFile);
const BIN = join(ROOT, "node_modules/.bin");
/** Outside of any package but below the root's node_modules, where React and its types are found. */
const CACHE = join(ROOT, "node_modules/.cache");

interface Packed {
  filename: string;
  files: { path: string }[];
}

before(checkBuilt);

/** A new folder that holds the packed package as `node_modules/@xlvein/browser`. */
async function install(t: TestContext): Promise<{ app: string; packed: Packed; tarball: string }> {
  await mkdir(CACHE, { recursive: true });
  const app = await mkdtemp(join(CACHE, "sdk-browser-app-"));
  t.after(() => rm(app, { recursive: true, force: true }));
  const { stdout } = await run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", app], { cwd: PACKAGE });
  const [packed] = JSON.parse(stdout) as Packed[];
  assert.ok(packed);
  const tarball = join(app, packed.filename);
  await run("tar", ["-xzf", tarball, "-C", app]);
  await mkdir(join(app, "node_modules/@xlvein"), { recursive: true });
  await rename(join(app, "package"), join(app, "node_modules/@xlvein/browser"));
  return { app, packed, tarball };
}

test("the whole client is at most 5 kB gzipped, the hooks 1 kB", async () => {
  const { stdout } = await run(process.execPath, [join(BIN, "size-limit"), "--json"], { cwd: PACKAGE }).catch((error: { stdout: string }) => error);
  const results = JSON.parse(stdout) as { name: string; passed: boolean; size: number; sizeLimit: number }[];
  assert.equal(results.length, 3);
  for (const { name, passed, size, sizeLimit } of results) {
    assert.ok(passed, `${name}: ${size} bytes, the limit is ${sizeLimit}`);
    assert.ok(size > 200, `${name}: only ${size} bytes`);
  }
});

test("the tarball holds what is built, the README and the licence", async (t) => {
  const { packed } = await install(t);
  const library = ["index", "react", "testing"].flatMap((name) => ["cjs", "cjs.map", "d.cts", "d.ts", "js", "js.map"].map((end) => `dist/${name}.${end}`));
  assert.deepEqual(packed.files.map(({ path }) => path).sort(), ["LICENSE", "README.md", ...library, "dist/xlvein.iife.js", "package.json"]);
});

test("nothing is imported but React, and that only by the hooks", async () => {
  const manifest = JSON.parse(await readFile(join(PACKAGE, "package.json"), "utf8")) as Record<string, object>;
  assert.equal(manifest["dependencies"], undefined);
  assert.deepEqual(manifest["peerDependenciesMeta"], { react: { optional: true } });
  for (const [file, expected] of [
    ["index.js", []],
    ["index.cjs", []],
    ["xlvein.iife.js", []],
    ["react.js", ["react"]],
    ["react.cjs", ["react"]],
    ["testing.js", []],
    ["testing.cjs", []],
  ] as const) {
    const text = await readFile(join(PACKAGE, "dist", file), "utf8");
    const imported = [...text.matchAll(/(?:from|require\(|import\()\s*["'`]([^"'`]+)["'`]/g)].map(([, name]) => name);
    assert.deepEqual(imported, expected, file);
  }
});

test("the script defines the one global `xlvein`", async () => {
  const context: Record<string, unknown> = { URL, setTimeout, clearTimeout };
  runInNewContext(await readFile(join(PACKAGE, "dist/xlvein.iife.js"), "utf8"), context);
  assert.deepEqual(Object.keys(context).sort(), ["URL", "clearTimeout", "setTimeout", "xlvein"]);
  assert.deepEqual(Object.keys(context["xlvein"] as object).sort(), ["XlveinError", "createClient"]);
});

test("publint finds nothing", async () => {
  const { stdout } = await run(process.execPath, [join(BIN, "publint"), "run", PACKAGE, "--strict"]);
  assert.match(stdout, /All good!/);
});

test("are-the-types-wrong finds nothing in any resolution that knows `exports`", async (t) => {
  const { tarball } = await install(t);
  const { stdout } = await run(process.execPath, [join(BIN, "attw"), tarball, "--profile", "node16", "--format", "json"]);
  const { analysis } = JSON.parse(stdout) as { analysis: { problems: { kind: string; resolutionKind: string }[]; types: unknown } };
  assert.ok(analysis.types);
  // TypeScript's resolution of before `exports` existed cannot see subpaths.
  assert.deepEqual(
    analysis.problems.filter(({ resolutionKind }) => resolutionKind !== "node10"),
    [],
  );
});

const CONSUMER = `
import { type Client, type ClientOptions, createClient, type Message, type Room, type Sent, type State, XlveinError } from "@xlvein/browser";
import { useConnectionState, useMessage, useMessages, useRoom, useXlvein } from "@xlvein/browser/react";
import { createFakeServer } from "@xlvein/browser/testing";
interface Order { id: number }
const order: Order = { id: 1 };
const options: ClientOptions = { url: "https://push.example.com", appKey: "test", getToken: async ({ reason, signal }) => reason + signal.aborted, deviceId: undefined };
export const client: Client = createClient(options);
createClient({ url: new URL("https://push.example.com"), token: "t", WebSocket, page: window });
export async function main(): Promise<void> {
  await client.connect();
  const { msgId, duplicate, offset }: Sent = await client.send("user_1", order, { key: "k", excludeSelf: true });
  const room: Room = client.room("chat:1", { token: async () => msgId + duplicate + offset?.toFixed() });
  await room.subscribe();
  await room.send({ text: "hi" });
  const { messages, position, more } = await room.history({ limit: 10 });
  await client.history({ stream: "app", after: messages[0] ?? position, before: more ? 1 : undefined });
  client.on("gap", ({ room, stream, reason, from, to }) => [room?.length, stream === "app", reason === "lost", from, to]);
  room.on("membership", ({ room, member, reason }) => [room.length, member, reason === "removed"]);
  const off: () => void = client.on("message", ({ data, from }: Message) => [data["text"], from?.toUpperCase()]);
  client.on("state", ({ state, previous, reason, retryInMs }) => [state === "connected", previous, reason?.closeCode, retryInMs?.toFixed()]);
  client.on("error", (error) => error instanceof XlveinError && error.code === "token_failed");
  for await (const message of client.messages()) message.sendAt.toFixed();
  off();
}
export function Component(): State {
  useMessage(client, (message) => message.msgId.toUpperCase());
  useMessages(useRoom(client, "chat:1")).map((message) => message.room);
  useMessages(client, { limit: 10 }).map((message) => message.msgId);
  useXlvein(client);
  return useConnectionState(client);
}
const fake = createFakeServer({ history: 10 });
createClient({ url: "https://fake", appKey: "test", token: fake.token("user_1", { rooms: ["*"] }), WebSocket: fake.WebSocket });
fake.connections.map(({ account, cut }) => [account.length, cut()]);
// @ts-expect-error there is no such event
client.on("msg", () => {});
// @ts-expect-error there is no such state
client.on("state", ({ state }) => state === "open");
// @ts-expect-error the url is needed
createClient({ appKey: "test", token: "t" });
// @ts-expect-error data must be an object
void client.send("user_1", "text");
// @ts-expect-error data is unknown until somebody has looked
client.on("message", ({ data }) => data["text"].toUpperCase());
// @ts-expect-error the state is not for applications to set
client.state = "closed";
`;

test("the types serve a strict program, as ESM, as CommonJS and for a bundler", async (t) => {
  const { app } = await install(t);
  await writeFile(join(app, "package.json"), "{}");
  for (const extension of ["mts", "cts"]) await writeFile(join(app, `consumer.${extension}`), CONSUMER);
  for (const [name, module, moduleResolution] of [
    ["node", "NodeNext", "NodeNext"],
    ["bundler", "ESNext", "Bundler"],
  ]) {
    const compilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      module,
      moduleResolution,
      target: "ES2022",
      lib: ["ES2022", "DOM"],
      noEmit: true,
      types: [],
    };
    const config = join(app, `tsconfig.${name}.json`);
    await writeFile(config, JSON.stringify({ compilerOptions, files: name === "node" ? ["consumer.mts", "consumer.cts"] : ["consumer.mts"] }));
    const { stdout } = await run(process.execPath, [join(BIN, "tsc"), "-p", config]).catch((error: { stdout: string }) => error);
    assert.equal(stdout, "", name);
  }
});

const PROGRAM = `
const [url, token] = process.argv.slice(2);
(async () => {
for (const server of [undefined, createFakeServer()]) {
  const more = server && { WebSocket: server.WebSocket, token: server.token("user_1") };
  const client = createClient({ url, appKey: "test", token, ...more });
  await client.connect();
  const reader = client.messages();
  await client.send("user_1", { text: "hello" });
  const { value } = await reader.next();
  console.log(value.data.text, value.from, typeof useMessages, new XlveinError("offline", "").name);
  await client.close();
}
})();
`;

test("the ESM and the CommonJS build connect and send, and leave nothing that keeps a process alive", async (t) => {
  const { app } = await install(t);
  const { url } = await startServer(t);
  await writeFile(
    join(app, "esm.mjs"),
    `import { createClient, XlveinError } from "@xlvein/browser";\nimport { useMessages } from "@xlvein/browser/react";\nimport { createFakeServer } from "@xlvein/browser/testing";\n${PROGRAM}`,
  );
  await writeFile(
    join(app, "cjs.cjs"),
    `const { createClient, XlveinError } = require("@xlvein/browser");\nconst { useMessages } = require("@xlvein/browser/react");\nconst { createFakeServer } = require("@xlvein/browser/testing");\n${PROGRAM}`,
  );
  for (const file of ["esm.mjs", "cjs.cjs"]) {
    const { stdout } = await run(process.execPath, [join(app, file), url, tokenFor("user_1")], { timeout: 60_000 });
    assert.equal(stdout, "hello user_1 function XlveinError\n".repeat(2), file);
  }
});
