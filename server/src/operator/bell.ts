// Wakes a loop that sleeps.

/** The longest sleep, milliseconds: more than a timer can take would end at once. */
const LONGEST_MS = 60_000;

export interface Bell {
  /** Ends the sleep, or the next one. */
  ring(): void;
  /** Sleeps for so long (a minute at most), until the bell or the signal. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Sleeps until nobody has rung for `quietMs`, at most `mostMs`. */
  settle(quietMs: number, mostMs: number, signal: AbortSignal): Promise<void>;
}

/** Creates a bell that has not rung. */
export function createBell(): Bell {
  let rings = 0;
  let heard = 0;
  let wake = (): void => undefined;

  function sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
        wake = () => undefined;
        heard = rings;
        resolve();
      };
      const timer = setTimeout(end, Math.min(LONGEST_MS, Math.max(0, ms)));
      signal.addEventListener("abort", end);
      wake = end;
      if (signal.aborted || rings > heard) end();
    });
  }

  return {
    ring() {
      rings += 1;
      wake();
    },
    sleep,
    async settle(quietMs, mostMs, signal) {
      const end = performance.now() + mostMs;
      for (let before = -1; before !== rings && performance.now() < end && !signal.aborted; ) {
        before = rings;
        await sleep(Math.min(quietMs, end - performance.now()), signal);
      }
    },
  };
}
