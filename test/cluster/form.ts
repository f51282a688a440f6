// How long the cluster suite runs: `npm run test:cluster` runs all of it, with CLUSTER=short the same tests with less load and without the longest ones.

export const LONG = process.env["CLUSTER"] !== "short";

/** One value for the whole suite, another for the short form. */
export function form<T>(whole: T, short: T): T {
  return LONG ? whole : short;
}
