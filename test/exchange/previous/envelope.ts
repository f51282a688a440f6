// Frozen: as the release before wrote and read envelopes of version 1. Never edited; a node of it may run beside this one.
// An envelope: what one node tells the others about a target.
import type { Message } from "./message.ts";

/** The version this node writes. A node reads this one and the one before. */
export const ENVELOPE_VERSION = 1;

export interface MessageEnvelope {
  readonly v: number;
  readonly kind: "message";
  readonly message: Message;
}

/** Close the target account's connections, or only the one named. */
export interface KickEnvelope {
  readonly v: number;
  readonly kind: "kick";
  readonly connectionId?: string;
}

export type Envelope = MessageEnvelope | KickEnvelope;

export function messageEnvelope(message: Message): MessageEnvelope {
  return { v: ENVELOPE_VERSION, kind: "message", message };
}

export function kickEnvelope(connectionId?: string): KickEnvelope {
  return { v: ENVELOPE_VERSION, kind: "kick", ...(connectionId === undefined ? {} : { connectionId }) };
}
