// A clock that does not count what the whole machine sleeps through, for tests of what must happen in time.
const TICK_MS = 10;
/** More between two ticks means that the process did not get a processor; those it talks to did not, either. */
const MOST_MS = 5 * TICK_MS;

let awake = 0;
let lastMs = performance.now();

function tick(): void {
  const nowMs = performance.now();
  awake += Math.min(nowMs - lastMs, MOST_MS);
  lastMs = nowMs;
}
setInterval(tick, TICK_MS).unref();

/** Milliseconds that this process has been awake. Not for what blocks it: that counts as sleep. */
export function awakeMs(): number {
  tick();
  return awake;
}
