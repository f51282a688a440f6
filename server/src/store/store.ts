// What is remembered between requests. Every implementation passes test/store/contract.ts.
import type { Message } from "../protocol/message.ts";
import type { Target } from "../protocol/target.ts";

/** A caller's promise that requests with this key and this body are one request. */
export interface CallerKey {
  readonly app: string;
  /** A classic nonce or an idempotency key, with its kind in front so that the two never meet. */
  readonly key: string;
  /** A digest of everything that must be equal. */
  readonly bodyHash: string;
  /** How long to remember it, milliseconds. */
  readonly ttlMs: number;
}

/** The message that owns a key: the caller's own when the key is fresh, the first one's otherwise. */
export interface Claim {
  readonly outcome: "fresh" | "same" | "other_body";
  readonly msgId: string;
}

export interface Appended {
  readonly msgId: string;
  /** The same message was appended to this target before. */
  readonly duplicate: boolean;
  /** The store has published the message to the nodes in the same step. */
  readonly published: boolean;
}

/** Remembers; carries nothing to sockets. */
export interface Store {
  readonly type: "memory" | "redis" | "none";
  /** Takes a key for `msgId`, or tells who has it. Rejects with STORE_UNAVAILABLE. */
  claim(key: CallerKey, msgId: string): Promise<Claim>;
  /** Appends to the target's stream, once per (message, target). Rejects with STORE_UNAVAILABLE. */
  append(target: Target, message: Message): Promise<Appended>;
  /** Forgets everything it holds in this process; may be called twice. */
  close(): Promise<void>;
}
