// An envelope: what one node tells the others about a target.
import type { Message } from "./message.ts";
import type { Target } from "./target.ts";

/**
 * A version of envelopes as text. A node reads both, whatever it writes. What 2 has and 1 has not: targets that are rooms or whole
 * applications, memberships, loads, and the members `key`, `exclude` and `trace` of a message, which a reader of version 1 ignores.
 */
export type WireVersion = 1 | 2;

export interface MessageEnvelope {
  readonly kind: "message";
  readonly message: Message;
}

/** Close the target account's connections, or only the one named. */
export interface KickEnvelope {
  readonly kind: "kick";
  readonly connectionId?: string;
}

/** The target account has become a member of a room, or is none any more. */
export interface MembershipEnvelope {
  readonly kind: "membership";
  readonly room: string;
  readonly member: boolean;
}

/** What a node tells all others about itself: how many connections it has. */
export interface LoadEnvelope {
  readonly kind: "load";
  /** No two running nodes share it. */
  readonly node: string;
  readonly connections: number;
}

export type Envelope = MessageEnvelope | KickEnvelope | MembershipEnvelope | LoadEnvelope;

/**
 * The version in which an envelope for a kind of target is written by a node that is told to write `wireVersion`: the same, or 2 where
 * version 1 has no word for it. A node that does not read version 2 skips it; it holds no such target and no room.
 */
export function versionFor(wireVersion: WireVersion, target: Target["kind"], envelope: Envelope["kind"] = "message"): WireVersion {
  return target === "account" && (envelope === "message" || envelope === "kick") ? wireVersion : 2;
}

export function messageEnvelope(message: Message): MessageEnvelope {
  return { kind: "message", message };
}

export function kickEnvelope(connectionId?: string): KickEnvelope {
  return { kind: "kick", ...(connectionId === undefined ? {} : { connectionId }) };
}

export function membershipEnvelope(room: string, member: boolean): MembershipEnvelope {
  return { kind: "membership", room, member };
}

export function loadEnvelope(node: string, connections: number): LoadEnvelope {
  return { kind: "load", node, connections };
}
