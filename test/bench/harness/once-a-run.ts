// What several scenarios of a run use: started by the first of them, ended with the run.
import type { Context } from "./scenario.ts";
import type { Stage } from "./stage.ts";

/** The function returned answers the same for the same arguments, for as long as the run lasts. What could not be started is tried again by the next. */
export function onceARun<T, A extends readonly (string | number)[]>(
  start: (stage: Stage, ...args: A) => Promise<T>,
): (context: Pick<Context, "runStage">, ...args: A) => Promise<T> {
  const runs = new WeakMap<Stage, Map<string, Promise<T>>>();
  return ({ runStage }, ...args) => {
    const started = runs.get(runStage) ?? new Map<string, Promise<T>>();
    runs.set(runStage, started);
    const key = args.join();
    const found = started.get(key) ?? start(runStage, ...args);
    started.set(key, found);
    found.catch(() => started.delete(key));
    return found;
  };
}
