// Names for epochs: no two streams, stores or nodes ever make the same one.
import { randomBytes } from "node:crypto";

/** Makes epochs: 72 random bits of this maker, then a count; without spaces. Cheap enough to be offered with every call. */
export function createEpochs(): () => string {
  const maker = randomBytes(9).toString("base64url");
  let count = 0;
  return () => `${maker}.${(count++).toString(36)}`;
}
