// `xlvein dev`: a newcomer's first message, by doing what the command prints.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { apiToken, connect, push } from "../helpers/client.ts";
import { cleanEnv, type RunOptions, startXlvein, temporaryFolder, xlvein } from "./bin.ts";

const run = promisify(execFile);

interface Dev {
  readonly url: string;
  readonly curl: string;
  /** What the console's link carries. */
  readonly link: URLSearchParams;
  readonly text: string;
}

async function startDev(
  t: TestContext,
  args: string[] = ["--port", "0"],
  options: RunOptions = {},
): Promise<Dev & { process: ReturnType<typeof startXlvein> }> {
  const process = startXlvein(t, ["dev", ...args], options);
  await process.line(/^App key test, secret/);
  const text = process.printed.stdout;
  const console = new URL(/\S+\/console#\S+/.exec(text)?.[0] ?? "");
  const curl = /^ +(curl .*)$/m.exec(text)?.[1] ?? "";
  return { process, url: console.origin, curl, link: new URLSearchParams(console.hash.slice(1)), text };
}

test("the line to paste reaches the account of the console's link, each time it is pasted", async (t) => {
  const { url, curl, link } = await startDev(t);
  const client = await connect(t, url, { app: link.get("app") ?? "", token: link.get("ta") ?? "" });
  for (const _ of [1, 2]) {
    const { stdout } = await run("bash", ["-c", curl], { env: cleanEnv({ no_proxy: "127.0.0.1" }) });
    assert.deepEqual(JSON.parse(stdout), { error: 0, message: "", data: {} });
    const frame = await client.next();
    assert.deepEqual(frame.data, { text: "hello" });
    assert.equal(frame.to, "user_1");
  }
});

test("the link carries two accounts that can talk, and the secret for the API", async (t) => {
  const { url, link } = await startDev(t);
  assert.deepEqual([...link.keys()], ["app", "a", "ta", "b", "tb", "secret"]);
  const [a, b] = await Promise.all(["ta", "tb"].map((name) => connect(t, url, { app: "test", token: link.get(name) ?? "" })));
  assert.ok(a && b);
  a.send({ to: link.get("b"), data: { text: "hi" } });
  const frame = await b.next();
  assert.equal(frame.from, link.get("a"));
  assert.deepEqual(frame.data, { text: "hi" });
  const response = await push(url, ["user_2"], { text: "pushed" }, {}, apiToken("test", link.get("secret") ?? ""));
  assert.equal(response.status, 200);
  assert.deepEqual((await b.next()).data, { text: "pushed" });
});

test("console, SDK, API description and its reference are served", async (t) => {
  const { url } = await startDev(t);
  for (const path of ["/console", "/sdk.js", "/docs", "/openapi.yaml"]) assert.equal((await fetch(url + path)).status, 200, path);
});

test("each run has a secret of its own, long enough to raise no warning", async (t) => {
  const [first, second] = [await startDev(t), await startDev(t)];
  assert.notEqual(first.link.get("secret"), second.link.get("secret"));
  assert.ok((first.link.get("secret") ?? "").length >= 32);
  assert.equal(first.process.printed.stderr, "");
  assert.doesNotMatch(first.text, /"level"/);
});

test("what lies in the folder and in the environment is not read", async (t) => {
  const cwd = await temporaryFolder(t);
  await writeFile(join(cwd, "conf.yaml"), "host: nonsense:::\nlimits: 1\n");
  const { url } = await startDev(t, ["--port", "0"], { cwd, env: { XLVEIN_HOST: "0.0.0.0:1", XLVEIN_APPLICATIONS: "[" } });
  assert.equal(new URL(url).hostname, "127.0.0.1");
});

test("the usual port in use is told, and another one is chosen; a port asked for is taken or refused", async (t) => {
  const taken = createServer().listen(8090, "127.0.0.1");
  // Whoever holds the port, it is in use.
  await Promise.race([once(taken, "listening"), once(taken, "error")]);
  t.after(() => taken.close());
  const { process, url } = await startDev(t, []);
  assert.match(await process.line(/8090/), /^port 8090 is in use: another one is chosen$/);
  const { port } = new URL(url);
  assert.notEqual(port, "8090");
  const refused = await xlvein(["dev"], { env: { PORT: port } });
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, new RegExp(`host 127\\.0\\.0\\.1:${port} .*is in use by another process; choose another port`));
});

test("Ctrl-C ends it at once, with sockets open, and so does a closed terminal", async (t) => {
  for (const signal of ["SIGINT", "SIGHUP"] as const) {
    const { process, url, link } = await startDev(t);
    const client = await connect(t, url, { app: "test", token: link.get("ta") ?? "" });
    process.child.kill(signal);
    assert.equal((await client.closed).code, 1012);
    assert.deepEqual(await process.ended, { code: 0, signal: null });
  }
});
