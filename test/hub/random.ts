// Numbers that look random and are the same in every run.

/** From 0 to below `below`, whole. */
export type Draw = (below: number) => number;

export function createDraw(seed: number): Draw {
  let state = seed * 2_654_435_761 + 1;
  return (below) => {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let word = Math.imul(state ^ (state >>> 15), 1 | state);
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
    return ((word ^ (word >>> 14)) >>> 0) % below;
  };
}
