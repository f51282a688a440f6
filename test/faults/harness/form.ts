// How long the fault suite runs: `npm run test:faults` runs all of it, `npm test` a short form of the same tests.

/** Set by `npm run test:faults`. */
export const LONG = process.env["FAULTS"] === "long";

/** One value for the whole suite, another for the short form. */
export function form<T>(whole: T, short: T): T {
  return LONG ? whole : short;
}
