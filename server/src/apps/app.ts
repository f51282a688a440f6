// An application as the server uses it: parsed, checked, its keys made once.
import type { KeyObject } from "node:crypto";

export const ALGORITHMS = ["HS256", "HS384", "HS512"] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** How a push may prove itself. `open` is for trusted networks: no proof at all. */
export const PUSH_AUTH = ["sign", "bearer", "open"] as const;
export type PushAuth = (typeof PUSH_AUTH)[number];

export interface AppSecret {
  /** Names the secret in metrics and logs; `default` for a plain `app_secret`. */
  readonly id: string;
  /** Made once when the application is loaded: a string secret costs up to 50 times more per verify. */
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
  /** Exact origins (scheme://host[:port]) that browsers may connect from; empty allows every one. */
  readonly allowedOrigins: ReadonlySet<string>;
  readonly limits: AppLimits;
}
