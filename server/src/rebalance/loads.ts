// How many connections each node has, as they tell.

export interface Loads {
  heard(node: string, connections: number): void;
  /** Forgets nodes that have not told for long; answers the mean over the others and this node, and how many nodes those are. */
  compare(own: number): { readonly mean: number; readonly nodes: number };
}

/** More nodes than an installation has: what a broker shared with strangers may cost. */
const MOST_NODES = 10_000;

/** `forgetMs`: after this silence a node has gone. */
export function createLoads(now: () => number, forgetMs: number): Loads {
  const told = new Map<string, { connections: number; atMs: number }>();
  return {
    heard(node, connections) {
      if (told.size < MOST_NODES || told.has(node)) told.set(node, { connections, atMs: now() });
    },
    compare(own) {
      let sum = own;
      for (const [node, { connections, atMs }] of told) {
        if (now() - atMs > forgetMs) told.delete(node);
        else sum += connections;
      }
      const nodes = told.size + 1;
      return { mean: sum / nodes, nodes };
    },
  };
}
