// Keeps this process from sleeping while others are measured.

/** A turn of the event loop that is shorter had nothing to do. */
const EMPTY_TURN_MS = 0.01;

let spare = 0;

/**
 * A server that writes to a sleeping peer pays for waking it (on a virtual machine more than for the write itself), and only a slow server lets its peer fall asleep:
 * the fast one would look better than it is. Returns what ends it.
 */
export function stayAwake(): () => void {
  let awake = true;
  let last = performance.now();
  const turn = () => {
    if (!awake) return;
    const now = performance.now();
    if (now - last < EMPTY_TURN_MS) spare += now - last;
    last = now;
    setImmediate(turn);
  };
  turn();
  return () => {
    awake = false;
  };
}

/** How long this process has only stayed awake so far, ms: CPU time that is no work. */
export function spareMs(): number {
  return spare;
}
