// Which scenarios run at the same time.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Scenario } from "./scenario.ts";
import { turns } from "./turns.ts";

const scenario = (name: string, calm = false): Scenario => ({ name, title: name, calm, run: async () => ({ ratios: [] }) });
const all = [scenario("push"), scenario("memory", true), scenario("idle", true), scenario("storm"), scenario("drops", true)];
const names = (quick: boolean) => turns(all, { quick }).map((turn) => turn.map(({ name }) => name).join());

test("in a full run each scenario has the machine for itself", () => {
  assert.deepEqual(names(false), ["push", "memory", "idle", "storm", "drops"]);
});

test("in a quick run those that a busy machine hardly changes run together where they are neighbours", () => {
  assert.deepEqual(names(true), ["push", "memory,idle", "storm", "drops"]);
});
