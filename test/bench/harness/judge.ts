// Whether a ratio reaches its goal: its median is judged.
import { median } from "./figures.ts";
import { QUICK_SLACK, type Ratio } from "./scenario.ts";

/** `told`: there is no goal. */
export type State = "passed" | "missed" | "told";

export interface Verdict {
  readonly ratio: Ratio;
  readonly state: State;
  readonly median: number;
  readonly least: number;
  readonly most: number;
  /** Whether it is as good as the best prototype was. */
  readonly reached: boolean;
}

/** Throws when a goal is not exactly one bound. A ratio without values, or with one that is no number, misses its goal. */
export function judge(ratio: Ratio, { quick }: { readonly quick: boolean }): Verdict {
  const { values, goal } = ratio;
  const middle = values.every(Number.isFinite) ? median(values) : Number.NaN;
  const spread = { ratio, median: middle, least: Math.min(...values), most: Math.max(...values) };
  if (goal === undefined) return { ...spread, state: "told", reached: false };
  const { atLeast, atMost, reach } = goal;
  if ((atLeast === undefined) === (atMost === undefined)) throw new Error(`${ratio.name}: a goal has either a floor or a ceiling`);
  const slack = quick ? QUICK_SLACK : 0;
  const fits = atLeast !== undefined ? middle >= atLeast * (1 - slack) : middle <= (atMost as number) * (1 + slack);
  const reached = reach !== undefined && (atLeast !== undefined ? middle >= reach : middle <= reach);
  return { ...spread, state: fits ? "passed" : "missed", reached };
}

/** `≥ 0.9 (reach 0.97)`; empty without a goal. */
export function goalText({ goal }: Ratio): string {
  if (goal === undefined) return "";
  const bound = goal.atLeast !== undefined ? `≥ ${goal.atLeast}` : `≤ ${goal.atMost}`;
  return goal.reach === undefined ? bound : `${bound} (reach ${goal.reach})`;
}
