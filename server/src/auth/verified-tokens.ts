// Tokens that have been proved, so that a caller who sends the same one again does not pay for the proof again.
import type { App, AppSecret } from "../apps/app.ts";
import type { AppRegistry } from "../apps/registry.ts";
import { flat } from "../flat.ts";

/** Claims whose signature holds; each is still `unknown`. */
export type Claims = Readonly<Record<string, unknown>>;

export interface Verified {
  readonly claims: Claims;
  /** Which of the application's secrets signed it. */
  readonly secret: AppSecret;
}

export interface KnownToken extends Verified {
  /** The application as it was when the token was proved, which still is in force. */
  readonly app: App;
}

/** Remembers proofs, never refusals. What else a token must be (its claims, its times, its application) stays with who asks. */
export interface VerifiedTokens {
  /** The proof of a token, byte for byte the same; `undefined` when there is none, or it holds no more. */
  get(token: string, nowMs: number): KnownToken | undefined;
  /** Remembers a proof; `expiresAtMs` is when the token itself ends. */
  keep(app: App, token: string, verified: Verified, expiresAtMs?: number): void;
  /** Tokens remembered. */
  readonly size: number;
}

export interface VerifiedTokensOptions {
  /** Tokens at most. 10,000 by default. */
  maxTokens?: number;
  /** Bytes of all tokens at most; with their claims they take about four times as many. 4 MiB by default. */
  maxBytes?: number;
}

const MAX_TOKENS = 10_000;
const MAX_BYTES = 4 * 1_024 * 1_024;

interface Entry extends KnownToken {
  readonly untilMs: number;
}

/** Beyond its bounds the oldest proof is forgotten first; with every change of the applications those of changed ones. */
export function createVerifiedTokens(apps: AppRegistry, { maxTokens = MAX_TOKENS, maxBytes = MAX_BYTES }: VerifiedTokensOptions = {}): VerifiedTokens {
  const entries = new Map<string, Entry>();
  /** Goes on where it stopped: to begin anew would walk past all that has been forgotten before. */
  let oldestFirst = entries.keys();
  let bytes = 0;
  apps.onChange(() => {
    for (const [token, { app }] of entries) if (!inForce(app)) forget(token);
  });

  function inForce(app: App): boolean {
    return apps.get(app.key) === app;
  }

  function forget(token: string): void {
    if (entries.delete(token)) bytes -= token.length;
  }

  function forgetOldest(): void {
    let { value: oldest } = oldestFirst.next();
    if (oldest === undefined) {
      oldestFirst = entries.keys();
      oldest = oldestFirst.next().value;
    }
    if (oldest !== undefined) forget(oldest);
  }

  return {
    get(token, nowMs) {
      const entry = entries.get(token);
      if (entry === undefined) return undefined;
      if (nowMs < entry.untilMs && inForce(entry.app)) return entry;
      forget(token);
      return undefined;
    },
    keep(app, token, { claims, secret }, expiresAtMs = Number.POSITIVE_INFINITY) {
      // A proof that was answered from here is here.
      if (token.length > maxBytes || !inForce(app) || entries.get(token)?.claims === claims) return;
      forget(token);
      // As a piece of the request it would keep all of that.
      entries.set(flat(token), { app, claims, secret, untilMs: Math.min(secret.notAfterMs, expiresAtMs) });
      bytes += token.length;
      while (entries.size > maxTokens || bytes > maxBytes) forgetOldest();
    },
    get size() {
      return entries.size;
    },
  };
}
