// When to try again: back-off with full jitter, bounded below by what the server asked for. Owns one timer.
import type { Clock } from "../clock.ts";
import type { Advice } from "../protocol/close.ts";

/** The first retry comes within this, so that the clients of a dead node do not come back together. */
export const FIRST_RETRY_MS = 2_000;
export const BASE_MS = 1_000;
export const CAP_MS = 20_000;
/** A connection that held this long proves that things are well: the next retry is a first one. */
export const STABLE_MS = 30_000;

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
  let callOff = () => {};

  /** A connection has ended: did it hold long enough? */
  function judge(): void {
    if (clock.now() - openedAtMs >= STABLE_MS) retries = 0;
    openedAtMs = Infinity;
  }

  return {
    opened: () => {
      openedAtMs = clock.now();
    },
    wait: (advice, run) => {
      judge();
      floorAtMs = clock.now() + advice.floorMs;
      const ms = advice.floorMs + clock.random() * widthMs(retries++, advice.spreadMs);
      callOff = clock.after(ms, run);
      return ms;
    },
    hurry: (run) => {
      callOff();
      const ms = floorAtMs - clock.now();
      if (ms > 0) callOff = clock.after(ms, run);
      else run();
    },
    pause: () => {
      judge();
      callOff();
    },
    reset: () => {
      callOff();
      retries = floorAtMs = 0;
      openedAtMs = Infinity;
    },
  };
}

/** A hint shapes the first retry only: a server that closes at once, again and again, meets the back-off. */
function widthMs(retries: number, spreadMs = FIRST_RETRY_MS): number {
  return retries === 0 ? spreadMs : Math.min(CAP_MS, BASE_MS * 2 ** retries);
}
