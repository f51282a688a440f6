// What a measurement starts ends with it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createStage } from "./stage.ts";

test("what was started is ended in reverse order, each once", async () => {
  const ended: string[] = [];
  const stage = createStage();
  for (const name of ["broker", "node", "client"])
    stage.after(async () => {
      await null;
      ended.push(name);
    });
  await stage.close();
  await stage.close();
  assert.deepEqual(ended, ["client", "node", "broker"]);
});

test("one end that fails keeps none of the others from ending, and is told", async () => {
  const ended: string[] = [];
  const stage = createStage();
  stage.after(() => ended.push("broker"));
  stage.after(() => {
    throw new Error("the node does not end");
  });
  await assert.rejects(stage.close(), /the node does not end/);
  assert.deepEqual(ended, ["broker"]);
});

test("what is started after the end is ended at once", async () => {
  const stage = createStage();
  await stage.close();
  const { promise, resolve } = Promise.withResolvers<void>();
  stage.after(() => resolve());
  await promise;
});
