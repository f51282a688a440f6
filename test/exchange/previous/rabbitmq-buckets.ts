// Frozen: as the release before wrote and read envelopes of version 1. Never edited; a node of it may run beside this one.
// Hash buckets: the bounded set of routing keys that stands for any number of targets.
import { type Target, targetId } from "./target.ts";

/** Routing keys of an installation. Every node of it must have the same number, or messages miss their node. */
export const DEFAULT_BUCKETS = 1_024;

/** The bucket of a target, 0 to `buckets` − 1: the same on every node and after every restart. */
export function bucketOf(target: Target, buckets: number): number {
  return hash(targetId(target)) % buckets;
}

/** The routing key of a bucket; a target's own name could be longer than the 255 bytes that AMQP allows. */
export function bucketKey(bucket: number): string {
  return `b${bucket}`;
}

/** FNV-1a over UTF-16 code units, then the finaliser of MurmurHash3, without which the low bits are poor. Unsigned, 32 bits. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
