// Which of the new applications still find room in the Secret of the servers.
import { type Aggregate, compose, type Entry, plainBytesOf, textsOf } from "./aggregate.ts";
import { bytesOf, isReadable, ROOM_FOR_NEW_BYTES, toData } from "./secret-data.ts";

/** Who wants in, in this order, and who is in. */
export interface Arrival {
  readonly staying: readonly Entry[];
  readonly arriving: readonly Entry[];
  /** What the servers were given last. */
  readonly current: Aggregate | undefined;
  readonly nowMs: number;
}

export interface Room {
  /** How many of those that arrive find room, from the first on. What is there is compressed for real, so it is asked only when somebody arrives. */
  admit(arrival: Arrival): number;
}

export function createRoom(): Room {
  /** Beside this revision an entry of so many bytes found none: one as large need not be tried again. */
  let full = { revision: "", bytes: Number.POSITIVE_INFINITY };

  return {
    admit({ staying, arriving, current, nowMs }) {
      const [first] = arriving;
      if (first === undefined) return 0;
      if (current?.revision !== full.revision) full = { revision: current?.revision ?? "", bytes: Number.POSITIVE_INFINITY };
      if (plainBytesOf(first) >= full.bytes) return 0;
      const admitted = most(arriving.length, (count) => sizeOf(compose([...staying, ...arriving.slice(0, count)], current, nowMs)));
      const refused = arriving[admitted];
      if (admitted === 0 && refused !== undefined && current !== undefined) full = { ...full, bytes: Math.min(full.bytes, plainBytesOf(refused)) };
      return admitted;
    },
  };
}

/** What it takes of a Secret; infinite where no server would read it. */
function sizeOf(aggregate: Aggregate): number {
  const texts = textsOf(aggregate);
  // What is plain is below the limit: above it would not be.
  if (!aggregate.packed) return 0;
  return isReadable(texts) ? bytesOf(toData(texts, true)) : Number.POSITIVE_INFINITY;
}

/** The highest count of which the size is within the limit. Sizes grow almost evenly, so the next guess is on the line between two known ones. */
function most(count: number, size: (count: number) => number): number {
  let [low, high] = [0, count];
  let highSize = size(high);
  if (highSize <= ROOM_FOR_NEW_BYTES) return count;
  let lowSize = size(low);
  if (lowSize > ROOM_FOR_NEW_BYTES) return 0;
  while (high - low > 1) {
    const share = Number.isFinite(highSize) ? (ROOM_FOR_NEW_BYTES - lowSize) / (highSize - lowSize) : 0.5;
    const guess = Math.min(high - 1, Math.max(low + 1, low + Math.floor((high - low) * share)));
    const guessed = size(guess);
    if (guessed <= ROOM_FOR_NEW_BYTES) [low, lowSize] = [guess, guessed];
    else [high, highSize] = [guess, guessed];
  }
  return low;
}
