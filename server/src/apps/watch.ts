// Tells that something in some directories may have changed: at once by the system's notice, and by a slow look where notices fail.
import { type FSWatcher, watch } from "node:fs";
import type { Log } from "../log.ts";

/** A directory, and what counts in it. */
export interface WatchPlace {
  readonly directory: string;
  /** Names whose changes count; every one when absent. */
  readonly names?: readonly string[];
}

/** What to watch, and how soon to tell. */
export interface WatchOptions {
  places: readonly WatchPlace[];
  /** Called once at the start, then some time after a change; often for nothing. Never twice at once in the same turn. */
  onChange: () => void;
  log: Log;
  /** How long a burst of changes must have ended, milliseconds (an editor truncates, writes, renames); 100 by default. */
  settleMs?: number;
  /** Between two looks without a notice (network file systems, exhausted inotify, a directory made anew), milliseconds; 30,000 by default. */
  pollMs?: number;
}

/** A burst that never ends is looked at this often, in multiples of `settleMs`. */
const LONGEST_BURST = 10;

/** Starts to watch. Returns a function that stops; it may be called twice. */
export function watchPlaces({ places, onChange, log, settleMs = 100, pollMs = 30_000 }: WatchOptions): () => void {
  let watchers: FSWatcher[] = [];
  let settle: NodeJS.Timeout | undefined;
  let burstEndsAt = 0;
  const fire = () => {
    settle = undefined;
    onChange();
  };
  const changed = () => {
    const now = performance.now();
    if (settle === undefined) burstEndsAt = now + settleMs * LONGEST_BURST;
    clearTimeout(settle);
    settle = setTimeout(fire, Math.min(settleMs, Math.max(0, burstEndsAt - now)));
  };
  const open = () => {
    for (const watcher of watchers) watcher.close();
    watchers = places.flatMap((place) => openWatcher(place, changed, log));
  };
  const poll = setInterval(() => {
    // A directory that was removed and made anew has lost its watch.
    open();
    changed();
  }, pollMs);
  poll.unref();
  open();
  changed();
  return () => {
    clearInterval(poll);
    clearTimeout(settle);
    for (const watcher of watchers) watcher.close();
    watchers = [];
  };
}

function openWatcher({ directory, names }: WatchPlace, changed: () => void, log: Log): FSWatcher[] {
  const failed = (error: Error) => log.debug({ event: "no change notices", directory, message: error.message });
  try {
    const watcher = watch(directory, (_event, name) => {
      if (names === undefined || name === null || names.includes(name)) changed();
    });
    watcher.on("error", failed);
    return [watcher];
  } catch (error) {
    failed(error as Error);
    return [];
  }
}
