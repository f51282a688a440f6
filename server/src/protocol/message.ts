// A message: what travels from `publish` to the sockets. Its body stays the text the sender wrote.
import { createMsgIds } from "./msg-id.ts";

/** Wire `event`: who sent it. */
export const Event = { SYSTEM: 0, CHAT: 1, ROOM: 2 } as const;
export type Event = (typeof Event)[keyof typeof Event];

/** What a publisher hands to `publish`. */
export interface Draft {
  /** The sending account; absent on a push by the backend. */
  readonly from?: string;
  /** SYSTEM for a push, CHAT for a client's message; in a room every message is shown as ROOM. */
  readonly event: Event;
  /** Groups messages of which a slow reader needs the last one only (policy `conflate`). */
  readonly key?: string;
  /** The connection that is not sent this message: its sender's. */
  readonly exclude?: string;
  /** A W3C `traceparent`, passed through. */
  readonly trace?: string;
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

/** A new message id: UUIDv7, so ids made later sort later. */
export const newMsgId: () => string = createMsgIds({ now: Date.now });
