// One timer for everything that every connection waits for: pings, missing pongs, token expiry.

/** One step of the wheel. */
export const TICK_MS = 250;
/** A power of two. */
const SLOTS = 256;
/** The longest wait of one turn of the wheel; longer ones take several. */
const SPAN_MS = TICK_MS * (SLOTS - 1);

/** Something that wants to be called later. */
export interface Timed {
  /** Where the wheel keeps it; the wheel's own. -1 while it waits for nothing. */
  slot: number;
  /** Called when its time has come, or earlier; answers in how many ms it wants to be called again (`undefined`: never). */
  onTimer(nowMs: number): number | undefined;
}

export interface Wheel {
  /** Steps of 250 ms since the wheel began: a clock that costs nothing to read. */
  readonly tick: number;
  /** Calls `item.onTimer` in `delayMs`, at most 250 ms late. An item waits for one moment at a time. */
  add(item: Timed, delayMs: number): void;
  remove(item: Timed): void;
  close(): void;
}

/** By bits and not by `%`: ticks since 1970 are no small numbers, and of those every item would keep its slot as a number of its own in memory. */
const slotAt = (tick: number): number => tick & (SLOTS - 1);

export function createWheel(now: () => number): Wheel {
  const slots: Set<Timed>[] = Array.from({ length: SLOTS }, () => new Set());
  let position = Math.floor(now() / TICK_MS);
  const wheel = {
    tick: 0,
    add,
    remove,
    close() {
      clearInterval(timer);
      for (const slot of slots) slot.clear();
    },
  };

  function add(item: Timed, delayMs: number): void {
    const ticks = Math.max(1, Math.ceil(Math.min(delayMs, SPAN_MS) / TICK_MS));
    item.slot = slotAt(position + ticks);
    slots[item.slot]?.add(item);
  }
  function remove(item: Timed): void {
    slots[item.slot]?.delete(item);
    item.slot = -1;
  }
  function turn(): void {
    const nowMs = now();
    // A clock that jumped is followed at once: every item says itself whether its time has come.
    const steps = Math.min(Math.abs(Math.floor(nowMs / TICK_MS) - position), SLOTS);
    wheel.tick += steps;
    for (let step = 0; step < steps; step++) {
      position++;
      const slot = slotAt(position);
      const due = slots[slot];
      if (!due?.size) continue;
      slots[slot] = new Set();
      for (const item of due) {
        // Removed meanwhile, or put elsewhere.
        if (item.slot !== slot) continue;
        item.slot = -1;
        const delayMs = item.onTimer(nowMs);
        if (delayMs !== undefined) add(item, delayMs);
      }
    }
    position = Math.floor(nowMs / TICK_MS);
  }

  const timer = setInterval(turn, TICK_MS);
  timer.unref();
  return wheel;
}
