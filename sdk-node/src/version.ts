// This package's version, sent as `User-Agent`; a test holds it equal to package.json.

/** The version of `@xlvein/node`. */
export const VERSION = "0.1.0";
