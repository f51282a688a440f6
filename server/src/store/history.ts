// How much of a stream is kept, and how long a stream is known.

/** What a reader that comes back may have missed and still get. */
export interface History {
  /** Entries kept of a stream; 0 keeps none: positions are known, but nothing can be read again. */
  readonly messages: number;
  /** They are kept this long after the last of them, milliseconds; 0 keeps none. */
  readonly ms: number;
}

export const DEFAULT_HISTORY: History = { messages: 100, ms: 300_000 };

const DAY_MS = 86_400_000;

/** How long a stream that nobody uses is known: a reader that returns later finds another epoch. */
export function streamLifeMs({ ms }: History): number {
  return Math.max(DAY_MS, 2 * ms);
}
