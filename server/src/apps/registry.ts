// The applications in force. A set is replaced whole, or not at all.
import type { App } from "./app.ts";

/** A parsed and checked set of applications. */
export interface AppSet {
  /** Names the set in metrics and `/-/config`: the source's own revision, or a digest. */
  readonly revision: string;
  readonly apps: ReadonlyMap<string, App>;
}

export interface AppChange {
  readonly previous: AppSet;
  readonly current: AppSet;
}

/** Read by every door; written by whoever watches the sources. */
export interface AppRegistry {
  readonly revision: string;
  get(key: string): App | undefined;
  list(): Iterable<App>;
  /** Puts a set in force and tells the listeners, in the same turn. */
  replace(set: AppSet): void;
  /** Returns a function that stops listening. */
  onChange(listener: (change: AppChange) => void): () => void;
}

export function createAppRegistry(initial: AppSet): AppRegistry {
  let current = initial;
  const listeners = new Set<(change: AppChange) => void>();
  return {
    get revision() {
      return current.revision;
    },
    get: (key) => current.apps.get(key),
    list: () => current.apps.values(),
    replace(set) {
      const previous = current;
      current = set;
      for (const listener of listeners) listener({ previous, current });
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
