// A promise and what settles it.
import type { XlveinError } from "./errors.ts";

export interface Deferred {
  readonly promise: Promise<void>;
  settle(error?: XlveinError): void;
}

/** What is called to ignore an event or a failure. */
export const ignore = () => {};

/** Nobody has to catch its rejection: who watches the events knows already. */
export function createDeferred(): Deferred {
  let settle: Deferred["settle"] = ignore;
  const promise = new Promise<void>((resolve, reject) => {
    settle = (error) => (error ? reject(error) : resolve());
  });
  promise.catch(ignore);
  return { promise, settle };
}
