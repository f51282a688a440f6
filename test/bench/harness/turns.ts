// Which scenarios run at the same time.
import type { Scenario } from "./scenario.ts";

/** One after the other; in a quick run calm ones that are next to one another together. */
export function turns(scenarios: readonly Scenario[], { quick }: { readonly quick: boolean }): Scenario[][] {
  const all: Scenario[][] = [];
  for (const scenario of scenarios) {
    const last = all.at(-1);
    if (quick && scenario.calm && last?.[0]?.calm) last.push(scenario);
    else all.push([scenario]);
  }
  return all;
}
