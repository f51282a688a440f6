// Looks at every place, and keeps the last good set whatever the next look brings.
import { ConfigError, type Finding } from "../config/config.ts";
import { type Merged, mergeOffers, type Offer, refuseOffer } from "./merge.ts";
import type { AppSet } from "./registry.ts";
import type { Place, Snapshot } from "./snapshot.ts";

/** The set in force, and how to look for a newer one. */
export interface Reloader {
  /** The last good set; `undefined` before the first. */
  readonly set: AppSet | undefined;
  /** When it was last found to be what the places hold, milliseconds since 1970. */
  readonly takenAtMs: number;
  /** Whether the last look brought it. */
  readonly good: boolean;
  /**
   * Looks once, after the looks asked for before. Resolves with `good`; rejects only while there is no set.
   * What the look before has seen is not looked into again, unless `forced`.
   */
  look(forced: boolean): Promise<boolean>;
}

/** Who is told of each look's outcome. */
export interface ReloaderOptions {
  places: readonly Place[];
  now: () => number;
  /** A new set is in force. */
  onTaken: (merged: Merged, snapshots: readonly Snapshot[]) => void;
  onRefused: (findings: readonly Finding[]) => void;
}

interface InForce {
  readonly text: string;
  readonly offers: readonly Offer[];
  readonly set: AppSet;
}

/** What the places held: `text` tells it from any other look. */
type Look = { readonly text: string; readonly snapshots: readonly Snapshot[] } | { readonly text: string; readonly failure: ConfigError };

/** Creates a reloader; nothing is read before the first look. */
export function createReloader({ places, now, onTaken, onRefused }: ReloaderOptions): Reloader {
  let inForce: InForce | undefined;
  let takenAtMs = 0;
  let last: { text: string; good: boolean } | undefined;
  let queue: Promise<unknown> = Promise.resolve();

  async function attempt(forced: boolean): Promise<boolean> {
    const look = await lookAround(places);
    if (!forced && last?.text === look.text) return last.good;
    last = { text: look.text, good: false };
    try {
      if (look.text !== inForce?.text) take(look);
      takenAtMs = now();
      last.good = true;
    } catch (error) {
      if (!inForce) throw error;
      onRefused(error instanceof ConfigError ? error.findings : [unexpected(error as Error)]);
    }
    return last.good;
  }

  function take(look: Look): void {
    if ("failure" in look) throw look.failure;
    const offers = parseAll(places, look.snapshots, now());
    const faults = offers.flatMap((offer, i) => refuseOffer(offer, inForce?.offers[i]?.parsed) ?? []);
    if (faults.length > 0) throw new ConfigError(faults);
    const merged = mergeOffers(offers);
    inForce = { text: look.text, offers, set: merged.set };
    onTaken(merged, look.snapshots);
  }

  return {
    get set() {
      return inForce?.set;
    },
    get takenAtMs() {
      return takenAtMs;
    },
    get good() {
      return last?.good ?? false;
    },
    look(forced) {
      const result = queue.then(() => attempt(forced));
      queue = result.catch(() => undefined);
      return result;
    },
  };
}

async function lookAround(places: readonly Place[]): Promise<Look> {
  try {
    const snapshots = await Promise.all(places.map((place) => place.read()));
    return { text: JSON.stringify(snapshots.map(({ text }) => text)), snapshots };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { text: error.message, failure: error };
  }
}

/** Parses every place; throws the faults of all of them together. */
function parseAll(places: readonly Place[], snapshots: readonly Snapshot[], now: number): Offer[] {
  const findings: Finding[] = [];
  const offers = snapshots.flatMap((snapshot, i): Offer[] => {
    try {
      return [{ place: places[i]?.name ?? "", parsed: snapshot.parse(now) }];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      findings.push(...error.findings);
      return [];
    }
  });
  if (findings.length > 0) throw new ConfigError(findings);
  return offers;
}

function unexpected({ message }: Error): Finding {
  return { severity: "error", key: "applications", message: `could not be put in force: ${message}`, source: "server" };
}
