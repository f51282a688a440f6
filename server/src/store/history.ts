// How much of a stream is kept, and how long a stream is known.
import type { HistoryRule } from "../apps/app.ts";
import type { Target } from "../protocol/target.ts";

/** What a stream keeps for readers that come back. Asked at every use of a stream, so that a rule that changes holds from the next one on; cheap. */
export type HistoryOf = (target: Target) => HistoryRule;

export const DEFAULT_HISTORY: HistoryRule = { messages: 100, ms: 300_000 };

const DAY_MS = 86_400_000;

/** Entries that a rule keeps: none also when it keeps them for no time. */
export function keptMessages({ messages, ms }: HistoryRule): number {
  return ms > 0 ? Math.max(0, messages) : 0;
}

/** How long a stream that nobody uses is known: a reader that returns later finds another epoch. */
export function streamLifeMs({ ms }: HistoryRule): number {
  return Math.max(DAY_MS, 2 * ms);
}
