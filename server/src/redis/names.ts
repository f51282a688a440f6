// The names of keys and channels on Redis: bounded, without collisions, and the same on every node.
import { hash } from "node:crypto";
import { type Target, targetId } from "../protocol/target.ts";

/** Digests kept at most, those of targets that are written to now, and the longest text that one is kept for: about 5 MB in the worst case. */
const MAX_KNOWN = 10_000;
const MAX_KNOWN_LENGTH = 256;
const known = new Map<string, string>();

/** 132 bits of SHA-256: names of any length and spelling become 22 characters of base64url. */
export function digest(text: string): string {
  const found = known.get(text);
  if (found !== undefined) return found;
  const made = hash("sha256", text, "base64url").slice(0, 22);
  if (text.length > MAX_KNOWN_LENGTH) return made;
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(text, made);
  return made;
}

/** `PREFIX:{DIGEST}:SUFFIX`; the braces put all keys of one digest into one slot of a Redis Cluster. */
export function slotKey(prefix: string, id: string, suffix: string): string {
  return `${prefix}:{${digest(id)}}:${suffix}`;
}

/** The channel of a target, in the slot of its stream. */
export function channelName(prefix: string, target: Target): string {
  return slotKey(prefix, targetId(target), "c");
}
