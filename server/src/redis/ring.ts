// Consistent hashing: which shard an id belongs to, moving few ids when the list changes.
import { hash } from "node:crypto";

/** Points of each shard on the ring: shares stay within about a tenth of each other. */
const POINTS = 512;

/**
 * Answers the position, in `identities`, of the shard of an id. Two lists of the same identities in any order
 * agree on whose id it is; adding one to n moves about 1/(n + 1) of the ids, all to it.
 */
export function createRing(identities: readonly string[]): (id: string) => number {
  if (identities.length < 2) return () => 0;
  const points = identities.flatMap((identity, index) => Array.from({ length: POINTS }, (_, n) => ({ at: place(`${n} ${identity}`), identity, index })));
  points.sort((a, b) => a.at - b.at || (a.identity < b.identity ? -1 : 1));
  const places = Float64Array.from(points, ({ at }) => at);
  return (id) => points[firstFrom(places, place(id)) % points.length]?.index ?? 0;
}

/** 48 bits: exact in a number, and points hardly ever meet. */
function place(text: string): number {
  return hash("sha256", text, "buffer").readUIntBE(0, 6);
}

/** The position of the first place that is not before `value`; the length when all are. */
function firstFrom(places: Float64Array, value: number): number {
  let [low, high] = [0, places.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((places[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
