// Runs one scenario to its end, whatever happens in it.
import type { EventEmitter } from "node:events";
import { judge, passes, type State, type Verdict } from "./judge.ts";
import type { Context, Result, Scenario } from "./scenario.ts";
import { createStage } from "./stage.ts";

export interface Outcome {
  readonly scenario: Scenario;
  readonly verdicts: readonly Verdict[];
  readonly result: Result;
  /** Why there is no result: a message was lost or came twice, a server ended, it took too long. */
  readonly failure: Error | undefined;
  readonly seconds: number;
}

const NOTHING: Result = { ratios: [] };
/** A scenario that takes longer hangs. */
const LIMIT_MS = { quick: 300_000, full: 1_800_000 };

/** Never rejects. Errors that a scenario throws where nobody catches them fail it as well. */
export async function runScenario(
  scenario: Scenario,
  options: Omit<Context, "stage">,
  { limitMs = LIMIT_MS[options.quick ? "quick" : "full"], events = process }: { readonly limitMs?: number; readonly events?: EventEmitter } = {},
): Promise<Outcome> {
  const stage = createStage();
  const started = performance.now();
  const crash = Promise.withResolvers<never>();
  const timer = setTimeout(() => crash.reject(new Error(`has not ended within ${limitMs / 1_000} s`)), limitMs);
  events.on("uncaughtException", crash.reject).on("unhandledRejection", crash.reject);
  try {
    const result = await Promise.race([scenario.run({ ...options, stage }), crash.promise]);
    await stage.close();
    return outcome({ result, verdicts: result.ratios.map(judge), failure: undefined });
  } catch (failure) {
    // What the servers say while they are torn down explains nothing.
    await stage.close().catch(() => {});
    return outcome({ result: NOTHING, verdicts: [], failure: failure instanceof Error ? failure : new Error(String(failure)) });
  } finally {
    clearTimeout(timer);
    events.off("uncaughtException", crash.reject).off("unhandledRejection", crash.reject);
    crash.promise.catch(() => {});
  }

  function outcome(rest: Pick<Outcome, "result" | "verdicts" | "failure">): Outcome {
    return { scenario, seconds: (performance.now() - started) / 1_000, ...rest };
  }
}

/** One for each scenario, that it ended and that nothing was lost or came twice; one for each ratio of which something is asked: with `goals` its goal, otherwise not to be broken. */
export function count(outcomes: readonly Outcome[], options: { readonly goals: boolean }): { readonly passed: number; readonly failed: number } {
  const all = outcomes.flatMap(({ verdicts, failure }) => [failure === undefined, ...verdicts.map((verdict) => passes(verdict, options))]);
  return { passed: all.filter((each) => each === true).length, failed: all.filter((each) => each === false).length };
}

/** `12 reached, 8 passed, 2 missed, 0 broken` */
export function tally(outcomes: readonly Outcome[]): string {
  const states = outcomes.flatMap(({ verdicts }) => verdicts.map(({ state }) => state));
  const number = (wanted: State) => states.filter((state) => state === wanted).length;
  return `${number("reached")} reached, ${number("passed")} passed, ${number("missed")} missed, ${number("broken")} broken`;
}
