// What a ratio says: its median is judged.
import { median } from "./figures.ts";
import type { Goal, Ratio } from "./scenario.ts";

/** `reached`: as good as the best prototype · `passed`, `missed`: its goal · `broken`: further off than a busy machine explains, or nothing was measured · `told`: there is no goal. */
export type State = "reached" | "passed" | "missed" | "broken" | "told";

export interface Verdict {
  readonly ratio: Ratio;
  readonly state: State;
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** Throws when a goal is not exactly one bound, or calls broken what reaches it. A ratio without values, or with one that is no number, is broken. */
export function judge(ratio: Ratio): Verdict {
  const { values, goal } = ratio;
  const middle = values.every(Number.isFinite) ? median(values) : Number.NaN;
  const spread = { ratio, median: middle, least: Math.min(...values), most: Math.max(...values) };
  return { ...spread, state: goal === undefined ? "told" : stateOf(ratio.name, middle, goal) };
}

function stateOf(name: string, value: number, { atLeast, atMost, reach, broken }: Goal): State {
  if ((atLeast === undefined) === (atMost === undefined)) throw new Error(`${name}: a goal has either a floor or a ceiling`);
  const holds = (bound: number) => (atLeast === undefined ? value <= bound : value >= bound);
  const bound = (atLeast ?? atMost) as number;
  if (broken !== undefined && (atLeast === undefined ? broken <= bound : broken >= bound)) throw new Error(`${name}: what reaches its goal is not broken`);
  if (Number.isNaN(value)) return "broken";
  if (holds(bound)) return reach !== undefined && holds(reach) ? "reached" : "passed";
  return broken === undefined || holds(broken) ? "missed" : "broken";
}

/** Whether the run passes as far as this ratio goes: with `goals` it has to pass its goal, otherwise it must not be broken. Undefined where nothing is asked of it. */
export function passes({ state, ratio: { goal } }: Verdict, { goals }: { readonly goals: boolean }): boolean | undefined {
  if (goals) return state === "told" ? undefined : state === "reached" || state === "passed";
  return goal?.broken === undefined && state !== "broken" ? undefined : state !== "broken";
}

/** `≥ 0.9 (reach 0.97, broken below 0.45)`; empty without a goal. */
export function goalText({ goal }: Ratio): string {
  if (goal === undefined) return "";
  const bound = goal.atLeast !== undefined ? `≥ ${goal.atLeast}` : `≤ ${goal.atMost}`;
  const more = [
    ...(goal.reach === undefined ? [] : [`reach ${goal.reach}`]),
    ...(goal.broken === undefined ? [] : [`broken ${goal.atLeast === undefined ? "above" : "below"} ${goal.broken}`]),
  ];
  return more.length === 0 ? bound : `${bound} (${more.join(", ")})`;
}
