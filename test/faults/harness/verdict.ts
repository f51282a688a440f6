// What a run has shown: whether everything acknowledged was delivered, once and in order, and how long the silences were.
import type { Acknowledged, Answer } from "./load.ts";
import type { Arrival } from "./receivers.ts";

export interface Verdict {
  readonly acknowledged: number;
  readonly delivered: number;
  /** Acknowledged and never delivered. */
  readonly lost: number;
  /** Deliveries of a message beyond its first. */
  readonly duplicates: number;
  /** First deliveries that came after a later message of their publisher. */
  readonly inversions: number;
}

/** What must be zero. */
export type Faults = Pick<Verdict, "lost" | "duplicates" | "inversions">;

export const FAULTLESS: Faults = { lost: 0, duplicates: 0, inversions: 0 };

type Sent = Pick<Acknowledged, "account" | "publisher" | "seq">;
type Came = Pick<Arrival, "account" | "publisher" | "seq">;

/** A push is known by its content, so that one push under two ids shows as a duplicate. */
export const identityOf = ({ account, publisher, seq }: Sent | Came) => `${publisher}:${seq} ${account}`;

export function judge(acknowledged: readonly Sent[], arrivals: readonly Came[]): Verdict {
  const seen = new Set<string>();
  const latest = new Map<string, number>();
  let duplicates = 0;
  let inversions = 0;
  for (const arrival of arrivals) {
    const { account, publisher, seq } = arrival;
    const identity = identityOf(arrival);
    if (seen.has(identity)) {
      duplicates++;
      continue;
    }
    seen.add(identity);
    const stream = `${publisher} ${account}`;
    const last = latest.get(stream) ?? 0;
    if (seq < last) inversions++;
    else latest.set(stream, seq);
  }
  const lost = acknowledged.filter((sent) => !seen.has(identityOf(sent))).length;
  return { acknowledged: acknowledged.length, delivered: seen.size, lost, duplicates, inversions };
}

/** The part of a verdict that must be zero. */
export function faultsOf({ lost, duplicates, inversions }: Verdict): Faults {
  return { lost, duplicates, inversions };
}

/** The answers that are neither 200 nor a refusal as an outage is told: 503 with `Retry-After`. Must be empty. */
export function notAsTold(answers: readonly Answer[]): Answer[] {
  return answers.filter(({ status, retryAfter }) => status !== 200 && !(status === 503 && retryAfter !== undefined));
}

/** For each moment and account: how long until the account's next delivery, ms. */
export function flowBack(arrivals: readonly Arrival[], momentsMs: readonly number[]): number[] {
  const silences: number[] = [];
  for (const arrived of Map.groupBy(arrivals, ({ account }) => account).values()) {
    for (const momentMs of momentsMs) {
      const next = arrived.find(({ atMs }) => atMs >= momentMs);
      if (next) silences.push(next.atMs - momentMs);
    }
  }
  return silences;
}

/** `share` from 0 to 1; NaN of nothing. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** `p50 12 ms, p99 40 ms, max 51 ms` */
export function describeMs(values: readonly number[]): string {
  const round = (share: number) => percentile(values, share).toFixed(0);
  return `p50 ${round(0.5)} ms, p99 ${round(0.99)} ms, max ${round(1)} ms (${values.length} values)`;
}

export function describeVerdict({ acknowledged, delivered, lost, duplicates, inversions }: Verdict): string {
  return `${acknowledged} acknowledged, ${delivered} delivered, ${lost} lost, ${duplicates} twice, ${inversions} out of order`;
}
