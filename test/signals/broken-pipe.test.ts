// A server whose log nobody reads any more still serves, and still ends when it is told to.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, pushOpen } from "../helpers/client.ts";
import { startProcess } from "../helpers/process.ts";

test("when the reader of its output has gone, pushes go on and SIGTERM ends the process with 0", async (t) => {
  const server = await startProcess(t, { config: { log: { level: "debug" } } });
  const client = await connect(t, server.url);
  server.child.stdout?.destroy();
  server.child.stderr?.destroy();
  for (let n = 0; n < 5; n++) {
    assert.equal((await pushOpen(server.url, "user_1", { n })).error, 0);
    assert.equal((await client.next()).data["n"], n);
  }
  server.child.kill("SIGTERM");
  assert.equal(await Promise.race([server.exited, sleep(10_000, "still running", { ref: false })]), 0);
});
