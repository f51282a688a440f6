// Frozen: as the release before wrote and read envelopes of version 1. Never edited; a node of it may run beside this one.
// The names of keys and channels on Redis: bounded, without collisions, and the same on every node.
import { hash } from "node:crypto";
import { type Target, targetId } from "./target.ts";

/** 132 bits of SHA-256: names of any length and spelling become 22 characters of base64url. */
export function digest(text: string): string {
  return hash("sha256", text, "base64url").slice(0, 22);
}

/** `PREFIX:{DIGEST}:SUFFIX`; the braces put all keys of one digest into one slot of a Redis Cluster. */
export function slotKey(prefix: string, id: string, suffix: string): string {
  return `${prefix}:{${digest(id)}}:${suffix}`;
}

/** The channel of a target, in the slot of its stream. */
export function channelName(prefix: string, target: Target): string {
  return slotKey(prefix, targetId(target), "c");
}
