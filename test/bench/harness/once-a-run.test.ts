// What several scenarios use is started once a run.
import assert from "node:assert/strict";
import { test } from "node:test";
import { onceARun } from "./once-a-run.ts";
import { createStage } from "./stage.ts";

test("it is started by who asks first, once for the same arguments, anew in another run, and ends with the run", async () => {
  const log: string[] = [];
  const server = onceARun(async (stage, name: string) => {
    log.push(`start ${name}`);
    stage.after(() => log.push(`end ${name}`));
    return { name };
  });
  const run = { runStage: createStage() };
  const first = await server(run, "a");
  assert.equal(await server(run, "a"), first);
  assert.notEqual(await server(run, "b"), first);
  await run.runStage.close();
  const other = { runStage: createStage() };
  assert.notEqual(await server(other, "a"), first);
  await other.runStage.close();
  assert.deepEqual(log, ["start a", "start b", "end b", "end a", "start a", "end a"]);
});

test("what could not be started is tried again by the next", async () => {
  let tries = 0;
  const server = onceARun(async () => {
    if (++tries === 1) throw new Error("the port is taken");
    return tries;
  });
  const run = { runStage: createStage() };
  await assert.rejects(server(run), /the port is taken/);
  assert.equal(await server(run), 2);
  await run.runStage.close();
});
