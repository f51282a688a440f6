// An application as the server uses it: parsed, checked, its keys made once.
import type { KeyObject } from "node:crypto";

export const ALGORITHMS = ["HS256", "HS384", "HS512"] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** How a push may prove itself. `open` is for trusted networks: no proof at all. */
export const PUSH_AUTH = ["sign", "bearer", "open"] as const;
export type PushAuth = (typeof PUSH_AUTH)[number];

/** What a client may do; the words of a token's `can`. `direct`: send to accounts · `publish`: to rooms · `history`: read streams back. */
export const RIGHTS = ["direct", "publish", "history"] as const;
export type Right = (typeof RIGHTS)[number];

/** What happens to a v2 client that reads more slowly than it is sent to (PROTOCOL.md, "Slow readers"). Classic clients are always closed. */
export const SLOW_POLICIES = ["close", "drop_oldest", "conflate"] as const;
export type SlowPolicy = (typeof SLOW_POLICIES)[number];

/** Which clients may publish to a room, all of them with the right `publish`: those that have subscribed, any, or none. */
export const PUBLISHERS = ["members", "anyone", "nobody"] as const;
export type Publishers = (typeof PUBLISHERS)[number];

/** What a stream keeps. */
export interface HistoryRule {
  /** Entries; 0 keeps none. */
  readonly messages: number;
  /** How long after the last of them, milliseconds. */
  readonly ms: number;
}

/** What holds for rooms whose name begins with `prefix`; of several rules the longest prefix counts, and it alone. */
export interface RoomRule {
  readonly prefix: string;
  /** `undefined`: the application's. */
  readonly history: HistoryRule | undefined;
  readonly publish: Publishers;
  /** `undefined`: the application's. */
  readonly slow: SlowPolicy | undefined;
}

export interface AppSecret {
  /** Names the secret in metrics and logs; `default` for a plain `app_secret`. */
  readonly id: string;
  /** Made once, when it is first asked for: a string secret costs up to 50 times more per verify. */
  readonly key: KeyObject;
  /** The secret itself, for the classic MD5 sign only. */
  readonly text: string;
  /** Not accepted from this time on, milliseconds since 1970; `Infinity` without an end. */
  readonly notAfterMs: number;
}

/** Each is per application; `Infinity` is no limit of its own (the node's limits always hold). */
export interface AppLimits {
  readonly maxConnections: number;
  readonly maxConnectionsPerAccount: number;
  /** Largest client frame and largest pushed `data`, bytes of UTF-8. */
  readonly maxMessageBytes: number;
  readonly messagesPerSecondPerConnection: number;
  readonly pushesPerSecond: number;
  /** Never `Infinity`; 128 by default. */
  readonly maxRoomsPerConnection: number;
}

export interface App {
  readonly key: string;
  readonly enabled: boolean;
  /** As configured, expired ones included: check `notAfterMs` against now. At least one. */
  readonly secrets: readonly AppSecret[];
  readonly algorithms: readonly Algorithm[];
  readonly pushAuth: ReadonlySet<PushAuth>;
  /** What a nonce or idempotency key seen before with another body does. */
  readonly nonceReuse: "refuse" | "allow_other_body";
  /** How long nonces and idempotency keys are remembered, milliseconds. */
  readonly nonceTtlMs: number;
  /** Refuse connect tokens without `exp`. */
  readonly requireExp: boolean;
  /** Close a classic socket when its token's `exp` passes. */
  readonly closeOnExpiry: boolean;
  /** Compress messages for clients that offer permessage-deflate. */
  readonly deflate: boolean;
  /** Exact origins (scheme://host[:port]) that browsers may connect from; empty allows every one. */
  readonly allowedOrigins: ReadonlySet<string>;
  /** Of connect tokens that have no `can`. */
  readonly clientRights: ReadonlySet<Right>;
  /** Of every stream that no room rule says otherwise for; `undefined`: the store's. */
  readonly history: HistoryRule | undefined;
  readonly slow: SlowPolicy;
  /** Longest prefix first, so that the first that fits counts. */
  readonly rooms: readonly RoomRule[];
  readonly limits: AppLimits;
}
