// Errors that nobody expected: one line that says so, and the end with exit code 1.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { startServing, temporaryFolder } from "../cli/bin.ts";
import { connect } from "../helpers/client.ts";
import { SECRET } from "../helpers/server.ts";

/** Starts a server in which SIGUSR2 runs a statement that goes wrong. */
async function serveWithFault(t: TestContext, statement: string) {
  const preload = join(await temporaryFolder(t), "fault.cjs");
  await writeFile(preload, `process.on("SIGUSR2", () => { ${statement} });`);
  return startServing(t, { applications: [{ app_key: "test", app_secret: SECRET }] }, { env: { NODE_OPTIONS: `--require ${preload}` } });
}

for (const [kind, statement] of [
  ["an exception", 'throw new Error("the fault")'],
  ["a rejection", 'Promise.reject(new Error("the fault"))'],
] as const) {
  test(`${kind} that nobody caught is logged as fatal with its stack, and the process exits 1`, async (t) => {
    const serving = await serveWithFault(t, statement);
    const client = await connect(t, serving.url);
    serving.child.kill("SIGUSR2");
    assert.deepEqual(await serving.ended, { code: 1, signal: null });
    const { level, err } = JSON.parse(await serving.line(/"event":"unexpected error"/)) as { level: string; err: { message: string; stack: string } };
    assert.equal(level, "fatal");
    assert.equal(err.message, "the fault");
    assert.match(err.stack, /fault\.cjs/);
    await client.closed;
  });
}
