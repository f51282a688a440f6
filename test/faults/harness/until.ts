// Waiting for something to become true, with an end.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { Acknowledged } from "./load.ts";
import type { Arrival } from "./receivers.ts";
import { identityOf } from "./verdict.ts";

const LOOK_MS = 10;
const COUNT_MS = 100;

/** Resolves with how long it took, ms. Fails with `what` after `withinMs`. A look that throws says no. */
export async function until(what: string, withinMs: number, look: () => boolean | Promise<boolean>): Promise<number> {
  const startMs = performance.now();
  for (;;) {
    const yes = await new Promise<boolean>((resolve) => resolve(look())).catch(() => false);
    const tookMs = performance.now() - startMs;
    if (yes) return tookMs;
    assert.ok(tookMs < withinMs, `${what}: not within ${withinMs} ms`);
    await sleep(LOOK_MS);
  }
}

/** Waits until all that was acknowledged has arrived, or `withinMs` have passed; judging is left to the verdict. */
export async function settle(acknowledged: readonly Acknowledged[], arrivals: readonly Arrival[], withinMs = 5_000): Promise<void> {
  const endMs = performance.now() + withinMs;
  const seen = new Set<string>();
  for (let read = 0; performance.now() < endMs; ) {
    for (; read < arrivals.length; read++) seen.add(identityOf(arrivals[read] as Arrival));
    if (acknowledged.every((sent) => seen.has(identityOf(sent)))) return;
    await sleep(COUNT_MS);
  }
}
