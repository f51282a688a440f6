// `xlvein health`, as a container's health check runs it.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { connect } from "../helpers/client.ts";
import { startServer } from "../helpers/server.ts";
import { startServing, temporaryFolder, xlvein } from "./bin.ts";

test("health answers 0 while the server lives, and --ready while it wants traffic", async (t) => {
  const { internalUrl } = await startServer(t);
  const live = await xlvein(["health", "--url", internalUrl]);
  assert.equal(live.code, 0, live.stderr);
  assert.equal(live.stderr, "");
  const ready = await xlvein(["health", "--ready", "--url", internalUrl]);
  assert.equal(ready.code, 0, ready.stderr);
});

test("the port comes from the configuration, or from the environment above it", async (t) => {
  const { internalUrl } = await startServing(t, { applications: [] });
  const { port } = new URL(internalUrl);
  const cwd = await temporaryFolder(t);
  await writeFile(join(cwd, "conf.yaml"), `internal: { host: "0.0.0.0", port: ${port} }`);
  assert.equal((await xlvein(["health"], { cwd })).code, 0);
  await writeFile(join(cwd, "conf.yaml"), `internal: { port: 1 }`);
  assert.equal((await xlvein(["health"], { cwd, env: { XLVEIN_INTERNAL_PORT: port } })).code, 0);
});

test("--json tells what was asked and what was answered", async (t) => {
  const { internalUrl } = await startServer(t);
  const { stdout } = await xlvein(["health", "--json", "--url", internalUrl]);
  const { ok, url, status } = JSON.parse(stdout) as { ok: boolean; url: string; status: number };
  assert.deepEqual({ ok, url, status }, { ok: true, url: `${internalUrl}/livez`, status: 200 });
});

test("a draining server fails --ready with its reason, and still lives", async (t) => {
  const { url, internalUrl, server } = await startServer(t, { config: { drain: { window_seconds: 60 } } });
  await connect(t, url);
  await connect(t, url);
  const drained = server.drain();
  const ready = await xlvein(["health", "--ready", "--url", internalUrl]);
  assert.equal(ready.code, 1);
  assert.match(ready.stdout, /draining/);
  assert.match(ready.stderr, /\/readyz\?verbose answered 503/);
  assert.equal((await xlvein(["health", "--url", internalUrl])).code, 0);
  await server.close();
  await drained;
});

test("without an answer the exit code is 1 and the address is named", async (t) => {
  const { internalUrl, server } = await startServer(t);
  await server.close();
  const { code, stdout, stderr } = await xlvein(["health", "--url", internalUrl]);
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.match(stderr, new RegExp(`no server answers at ${internalUrl}`));
});

test("a listener that is switched off cannot be asked", async (t) => {
  const cwd = await temporaryFolder(t);
  await writeFile(join(cwd, "conf.yaml"), "internal: { enabled: false }");
  const { code, stderr } = await xlvein(["health"], { cwd });
  assert.equal(code, 1);
  assert.match(stderr, /internal\.enabled is false/);
});
