// How long the cluster suite runs: `npm run test:cluster` runs all of it, with CLUSTER=short the same tests with less load and shorter outages.

const LONG = process.env["CLUSTER"] !== "short";

/** One value for the whole suite, another for the short form. */
export function form<T>(whole: T, short: T): T {
  return LONG ? whole : short;
}

const TRIES = 3;

/** The smallest of at most three measurements, fewer once one is good enough: whatever else the machine does can only make a figure worse. */
export async function best(good: number, measure: () => Promise<number>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < TRIES && least > good; tries++) least = Math.min(least, await measure());
  return least;
}
