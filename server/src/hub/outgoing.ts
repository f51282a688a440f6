// What a connection is sent, and what it is told when some of it is not.
import type { SlowPolicy } from "../apps/app.ts";
import type { EntryPosition } from "../protocol/position.ts";
import type { Target } from "../protocol/target.ts";

/** A stream as the connections of this node share it: one object for each target, so that outboxes can compare by identity. */
export interface Stream {
  readonly target: Target;
  /** As the application says at this moment. */
  readonly slow: SlowPolicy;
}

/** A message among what waits: it may be dropped or conflated where the stream's policy says so. */
export interface StreamEntry {
  readonly stream: Stream;
  /** `undefined` where no store gave it a place. */
  readonly position: EntryPosition | undefined;
  /** What a later message with the same key replaces. */
  readonly key: string | undefined;
}

/** One frame on its way out. */
export interface Outgoing {
  /** A whole WebSocket frame, header included: built once and shared by every socket that gets the same bytes. Never changed. */
  readonly frame: Buffer;
  /** Absent for answers and notices, which are never dropped. */
  readonly entry?: StreamEntry;
}
