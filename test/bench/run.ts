// `npm run bench [-- --quick --only=fanout,push --goals --save]`, or `-- --peer=URL --protocol=…`: measures ratios, ends with 1 when a message was lost, or a ratio misses its goal (in a quick run: is broken). The last line is the total.
import { join } from "node:path";
import { describeMachine } from "./harness/machine.ts";
import { type PeerOptions, type RunOptions, readOptions } from "./harness/options.ts";
import { count, type Outcome, runScenario, tally } from "./harness/outcome.ts";
import { outcomeText } from "./harness/report.ts";
import type { Scenario } from "./harness/scenario.ts";
import { createStage, isEnding } from "./harness/stage.ts";
import { turns } from "./harness/turns.ts";
import { scenarios } from "./scenarios.ts";

const RESULTS = join(import.meta.dirname, "results");

let options: RunOptions | PeerOptions;
try {
  options = readOptions(process.argv.slice(2), scenarios);
} catch (error) {
  console.error((error as Error).message);
  process.exit(2);
}
process.exit(options.kind === "run" ? await run(options) : await measurePeer(options));

async function run({ quick, scenarios, goals, save: saves }: RunOptions): Promise<number> {
  const machine = describeMachine();
  const outcomes: Outcome[] = [];
  const runStage = createStage();
  const started = performance.now();
  for (const turn of turns(scenarios, { quick })) {
    // Whoever received the signal ends the process when everything is closed.
    if (isEnding()) await new Promise(() => {});
    const one = (scenario: Scenario) => runScenario(scenario, { quick, runStage, progress: (text) => progress(`${scenario.name}: ${text}`) });
    const ended = await Promise.all(turn.map(one));
    progress("");
    for (const outcome of ended) console.log(`${outcomeText(outcome)}\n`);
    outcomes.push(...ended);
  }
  await runStage.close();
  if (saves) {
    // It loads what draws, which nobody else needs.
    const { save } = await import("./harness/save.ts");
    await save(RESULTS, outcomes, machine, { quick });
  }
  console.log(
    `${outcomes.length} scenarios in ${Math.round((performance.now() - started) / 1_000)} s${saves ? `; ${join(RESULTS, "RESULTS.md")} is written` : ""}`,
  );
  console.log(`Goals: ${tally(outcomes)}${goals ? "" : "; a quick run fails for what is broken or lost, not for a goal that is missed"}`);
  const { passed, failed } = count(outcomes, { goals });
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

async function measurePeer(options: PeerOptions): Promise<number> {
  const { runPeer } = await import("./peer/run.ts");
  return runPeer(options);
}

/** One line that is written over, where somebody watches. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}
