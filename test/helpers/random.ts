// Numbers that look random and are the same in every run (mulberry32).

function createWords(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let word = Math.imul(state ^ (state >>> 15), 1 | state);
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
    return (word ^ (word >>> 14)) >>> 0;
  };
}

/** From 0 to below 1, as Math.random. */
export function createRandom(seed: number): () => number {
  const next = createWords(seed);
  return () => next() / 4_294_967_296;
}

/** From 0 to below `below`, whole. */
export type Draw = (below: number) => number;

export function createDraw(seed: number): Draw {
  const next = createWords(seed);
  return (below) => next() % below;
}
