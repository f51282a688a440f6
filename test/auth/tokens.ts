// Tokens for tests, built by hand so that each part can be wrong on its own (RFC 7515).
import { createHmac } from "node:crypto";
import { SECRET } from "./apps.ts";

export const NOW_MS = 1_800_000_000_000;
export const NOW_S = NOW_MS / 1_000;

export interface TokenParts {
  header?: unknown;
  secret?: string | Buffer;
  hash?: string;
  /** Spells the payload itself, for JSON that `JSON.stringify` would not write. */
  payloadText?: string;
}

export function encode(value: unknown): string {
  return Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
}

/** A signed token; by default HS256 with the sample secret. */
export function makeToken(payload: unknown, { header = { alg: "HS256", typ: "JWT" }, secret = SECRET, hash = "sha256", payloadText }: TokenParts = {}): string {
  const signed = `${encode(header)}.${encode(payloadText ?? JSON.stringify(payload))}`;
  return `${signed}.${createHmac(hash, secret).update(signed).digest("base64url")}`;
}

let count = 0;

/** Claims of a valid API token. */
export function apiClaims(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return { iss: "test", aud: "xlvein-api", exp: NOW_S + 60, jti: `jti-${count++}`, ...changes };
}

export function bearer(changes: Record<string, unknown> = {}, parts: TokenParts = {}): string {
  return `Bearer ${makeToken(apiClaims(changes), parts)}`;
}
