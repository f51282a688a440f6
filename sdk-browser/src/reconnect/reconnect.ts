// When to try again: back-off with full jitter, bounded below by what the server asked for. Owns one timer.
import type { Clock } from "../clock.ts";
import { ignore } from "../deferred.ts";
import type { Advice } from "../protocol/close.ts";

/** The first retry comes within this, so that the clients of a dead node do not come back together. */
export const FIRST_RETRY_MS = 2_000;
export const BASE_MS = 1_000;
export const CAP_MS = 20_000;
/**
 * Each time that a connection has held this long takes one retry back: one that did not hold at all leaves the back-off where it was, and whom a
 * second node's end meets soon after the first one's does not wait longer for it.
 */
export const STEADY_MS = 1_000;

export interface Reconnect {
  /** A connection opened. */
  opened(): void;
  /** Waits as advised, then runs `run`; called when nothing waits. Returns the wait in milliseconds. */
  wait(advice: Advice, run: () => void): number;
  /** Runs `run` now, or as soon as the server's wish allows. */
  hurry(run: () => void): void;
  /** The connection ended or waiting makes no sense now: stops waiting. The server's wish and the count of retries stay. */
  pause(): void;
  /** Stops waiting and forgets everything. */
  reset(): void;
}

export function createReconnect(clock: Clock): Reconnect {
  let retries = 0;
  let openedAtMs = Infinity;
  let floorAtMs = 0;
  let callOff = ignore;

  function pause(): void {
    callOff();
    for (; retries && clock.now() - openedAtMs >= STEADY_MS; openedAtMs += STEADY_MS) retries--;
    openedAtMs = Infinity;
  }

  function wait({ floorMs, spreadMs = FIRST_RETRY_MS }: Advice, run: () => void): number {
    pause();
    floorAtMs = clock.now() + floorMs;
    // A hint shapes the first retry only: a server that closes at once, again and again, meets the back-off.
    const ms = floorMs + clock.random() * (retries ? Math.min(CAP_MS, BASE_MS * 2 ** retries) : spreadMs);
    retries++;
    callOff = clock.after(ms, run);
    return ms;
  }

  return {
    wait,
    pause,
    opened: () => {
      openedAtMs = clock.now();
    },
    hurry: (run) => {
      callOff();
      const ms = floorAtMs - clock.now();
      if (ms > 0) callOff = clock.after(ms, run);
      else run();
    },
    reset: () => {
      pause();
      retries = floorAtMs = 0;
    },
  };
}
