// Keeps this process from sleeping while others are measured.

/**
 * A server that writes to a sleeping peer pays for waking it (on a virtual machine more than for the write itself), and only a slow server lets its peer fall asleep:
 * the fast one would look better than it is. Returns what ends it.
 */
export function stayAwake(): () => void {
  let awake = true;
  const turn = () => {
    if (awake) setImmediate(turn);
  };
  turn();
  return () => {
    awake = false;
  };
}
