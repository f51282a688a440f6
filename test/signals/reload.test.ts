// SIGHUP and a changed file on a real process: applications come and go, nobody else's sockets are touched.
import assert from "node:assert/strict";
import { rename, writeFile } from "node:fs/promises";
import { type TestContext, test } from "node:test";
import { type Serving, startServing } from "../cli/bin.ts";
import { apiToken, type Client, connect, connectUrl, push, refused } from "../helpers/client.ts";

const SECRETS = { a: "a123456789abcdef0123456789abcdef", b: "b123456789abcdef0123456789abcdef", c: "c123456789abcdef0123456789abcdef" };
type Name = keyof typeof SECRETS;

function configOf(...names: Name[]): Record<string, unknown> {
  return { applications: names.map((name) => ({ app_key: name, app_secret: SECRETS[name] })) };
}

function serve(t: TestContext, ...names: Name[]): Promise<Serving> {
  return startServing(t, configOf(...names));
}

/** Replaces the file in one step, as editors and mounted Secrets do. */
async function write({ file }: Serving, content: string): Promise<void> {
  await writeFile(`${file}.new`, content);
  await rename(`${file}.new`, file);
}

function writeApps(serving: Serving, ...names: Name[]): Promise<void> {
  return write(serving, JSON.stringify({ host: "127.0.0.1:0", internal: { host: "127.0.0.1", port: 0 }, ...configOf(...names) }));
}

function join(t: TestContext, { url }: Serving, app: Name): Promise<Client> {
  return connect(t, url, { app, secret: SECRETS[app] });
}

/** The application works and this socket of it is the one that was opened before. */
async function assertAlive({ url }: Serving, client: Client, app: Name): Promise<void> {
  const text = crypto.randomUUID();
  const response = await push(url, ["user_1"], { text }, {}, apiToken(app, SECRETS[app]));
  assert.equal(response.status, 200);
  assert.deepEqual((await client.next()).data, { text });
}

/** Both ways that a change is noticed. */
const WAYS: readonly [string, (serving: Serving) => void][] = [
  ["SIGHUP", (serving) => void serving.child.kill("SIGHUP")],
  ["a change of the file alone", () => undefined],
];

for (const [way, notify] of WAYS) {
  test(`${way} takes new applications, closes those that are gone with 4003 and leaves the others' sockets`, async (t) => {
    const serving = await serve(t, "a", "b");
    const [a, b] = [await join(t, serving, "a"), await join(t, serving, "b")];
    await writeApps(serving, "a", "c");
    notify(serving);
    assert.equal((await b.closed).code, 4003);
    const c = await join(t, serving, "c");
    await assertAlive(serving, c, "c");
    await assertAlive(serving, a, "a");
    const { status, body } = await refused(connectUrl(serving.url, { app: "b", secret: SECRETS.b }));
    assert.deepEqual([status, body.error], [404, 1001]);
  });

  test(`${way} with a file at fault keeps the applications in force, says why, and takes the mended file`, async (t) => {
    const serving = await serve(t, "a", "b");
    const [a, b] = [await join(t, serving, "a"), await join(t, serving, "b")];
    await write(serving, "applications:\n  - app_key: a\n    app_secert: x\n");
    notify(serving);
    const { level, where, key, suggestion } = JSON.parse(await serving.line(/app_secert/)) as Record<string, string>;
    assert.deepEqual({ level, where, key, suggestion }, { level: "error", where: "conf.yaml:3", key: "applications[0].app_secert", suggestion: "app_secret" });
    await assertAlive(serving, a, "a");
    await assertAlive(serving, b, "b");
    await writeApps(serving, "a");
    notify(serving);
    assert.equal((await b.closed).code, 4003);
    await assertAlive(serving, a, "a");
  });
}

test("SIGHUP without a change touches nothing, and the process still drains on SIGTERM", async (t) => {
  const serving = await serve(t, "a");
  const a = await join(t, serving, "a");
  serving.child.kill("SIGHUP");
  await serving.line(/"signal":"SIGHUP"/);
  await assertAlive(serving, a, "a");
  serving.child.kill("SIGTERM");
  assert.equal((await a.closed).code, 1012);
  assert.deepEqual(await serving.ended, { code: 0, signal: null });
});
