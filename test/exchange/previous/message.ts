// Frozen: as the release before wrote and read envelopes of version 1. Never edited; a node of it may run beside this one.
// A message: what travels from `publish` to the sockets. Its body stays the text the sender wrote.

/** Wire `event`: who sent it. */
export const Event = { SYSTEM: 0, CHAT: 1, ROOM: 2 } as const;
export type Event = (typeof Event)[keyof typeof Event];

/** What a publisher hands to `publish`. */
export interface Draft {
  /** The sending account; absent on a push by the backend. */
  readonly from?: string;
  readonly event: Event;
  /** A JSON object as the sender wrote it, checked by the door it came through; never parsed again. */
  readonly data: string;
}

/** A draft that has its identity. One object per message, shared by all its receivers. */
export interface Message extends Draft {
  /** UUIDv7. */
  readonly msgId: string;
  /** Milliseconds since 1970. */
  readonly sendAt: number;
}
