// `npm run bench [-- --quick --only=fanout,push --save]`, or `-- --peer=URL --protocol=…`: measures ratios, ends with 1 when one misses its goal or a message was lost. The last line is the total.
import { join } from "node:path";
import { describeMachine } from "./harness/machine.ts";
import { type PeerOptions, type RunOptions, readOptions } from "./harness/options.ts";
import { count, type Outcome, runScenario } from "./harness/outcome.ts";
import { outcomeText } from "./harness/report.ts";
import { isEnding } from "./harness/stage.ts";
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

async function run({ quick, scenarios, save: saves }: RunOptions): Promise<number> {
  const machine = describeMachine();
  const outcomes: Outcome[] = [];
  const started = performance.now();
  for (const scenario of scenarios) {
    // Whoever received the signal ends the process when everything is closed.
    if (isEnding()) await new Promise(() => {});
    const outcome = await runScenario(scenario, { quick, progress: (text) => progress(`${scenario.name}: ${text}`) });
    progress("");
    console.log(`${outcomeText(outcome)}\n`);
    outcomes.push(outcome);
  }
  if (saves) {
    // It loads what draws, which nobody else needs.
    const { save } = await import("./harness/save.ts");
    await save(RESULTS, outcomes, machine, { quick });
  }
  console.log(
    `${outcomes.length} scenarios in ${Math.round((performance.now() - started) / 1_000)} s${saves ? `; ${join(RESULTS, "RESULTS.md")} is written` : ""}`,
  );
  const { passed, failed } = count(outcomes);
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
