// What connect tokens and API tokens have in common: form, signature, times (RFC 7515, 7519).
import { createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import jwt from "jsonwebtoken";
import type { Algorithm, App } from "../apps/app.ts";
import { ErrorCode, XlveinError } from "../errors.ts";
import { isWholeUnicode } from "../protocol/scan.ts";
import type { Claims, Verified, VerifiedTokens } from "./verified-tokens.ts";

export type { Claims, Verified };

/** Why a token was refused: the `reason` label of a metric. */
export type TokenFault = "bad_token" | "expired_token";

/** A token that proves nothing. Its message names the claim at fault and never repeats the token. */
export class TokenError extends XlveinError {
  declare readonly reason: TokenFault;

  constructor(reason: TokenFault, message: string) {
    super(ErrorCode.TOKEN_INVALID, `token: ${message}`, { reason });
  }
}

export interface TokenCheck {
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  /** Longest token looked at, bytes. */
  readonly maxBytes: number;
  /** Proofs made before; without it every signature is verified anew. */
  readonly verified?: VerifiedTokens;
}

/** How far clocks may differ for `exp`, `nbf` and `iat`, milliseconds. */
export const LEEWAY_MS = 5_000;

/** Longest account name, UTF-16 units. */
const MAX_ACCOUNT = 4_096;

/** `aud` of a token for the HTTP API. */
export const API_AUDIENCE = "xlvein-api";
/** `aud` of a token for one room. */
export const ROOM_AUDIENCE = "xlvein-room";

// Base64url without padding whose unused last bits are zero: one spelling for each value.
const PART = "(?:[\\w-]{4})*(?:[\\w-]{4}|[\\w-][AQgw]|[\\w-]{2}[AEIMQUYcgkosw048])";
const FORM = new RegExp(`^${PART}\\.${PART}\\.${PART}$`);

const dummyKey = createSecretKey(randomBytes(32));

/** Refuses what cannot be a token before any work is spent on it. Throws TokenError. */
export function checkForm(token: string, maxBytes: number): void {
  if (token.length > maxBytes) throw new TokenError("bad_token", `longer than ${maxBytes} bytes`);
  if (!FORM.test(token)) throw new TokenError("bad_token", "not a JWT (three parts of canonical base64url)");
}

/**
 * Verifies a token with those of an application's secrets that are still accepted. Nothing in the token's header chooses a key. Throws TokenError.
 * A proof made before is used again; a new one is not remembered: that is for who has checked the claims, too (`keep`).
 */
export function verifySignature(app: App, token: string, { nowMs, maxBytes, verified }: TokenCheck): Verified {
  const known = token.length <= maxBytes ? verified?.get(token, nowMs) : undefined;
  if (known?.app === app) return known;
  checkForm(token, maxBytes);
  return verifyFormed(app, token, nowMs);
}

/** The same for a token whose form has been checked. */
export function verifyFormed({ secrets, algorithms }: App, token: string, nowMs: number): Verified {
  for (const secret of secrets) {
    if (secret.notAfterMs <= nowMs) continue;
    const claims = open(token, secret.key, algorithms);
    if (claims) return { claims, secret };
  }
  throw new TokenError("bad_token", `the signature does not match, or the algorithm is not ${algorithms.join(" or ")}`);
}

/** Spends the work of a verification when there is no application to verify with. */
export function verifyInVain(token: string, maxBytes: number): void {
  if (token.length <= maxBytes && FORM.test(token)) verifyFormedInVain(token);
}

/** The same for a token whose form has been checked. */
export function verifyFormedInVain(token: string): void {
  open(token, dummyKey, ["HS256"]);
}

/** The payload when the signature holds, else undefined. Claims are not looked at: jsonwebtoken is lenient about their types. */
function open(token: string, key: KeyObject, algorithms: readonly Algorithm[]): Claims | undefined {
  let header: Record<string, unknown>;
  let payload: unknown;
  try {
    const whole = jwt.verify(token, key, { algorithms: [...algorithms], complete: true, ignoreExpiration: true, ignoreNotBefore: true });
    [header, payload] = [{ ...whole.header }, whole.payload];
  } catch {
    return undefined; // not only JsonWebTokenError: a payload of `null` is a TypeError there, one that is not JSON a SyntaxError
  }
  if (header["crit"] !== undefined) throw new TokenError("bad_token", "header crit names extensions that are not understood");
  if (typeof payload !== "object" || payload === null || Array.isArray(payload)) throw new TokenError("bad_token", "the payload is not an object");
  return payload as Claims;
}

/**
 * Checks `exp`, `nbf` and `iat` for type and time.
 * @returns when `exp` passes, milliseconds since 1970, without leeway
 * @throws TokenError
 */
export function checkTimes(claims: Claims, nowMs: number): number | undefined {
  const [exp, nbf, iat] = [readTime(claims, "exp"), readTime(claims, "nbf"), readTime(claims, "iat")];
  if (exp !== undefined && nowMs >= exp + LEEWAY_MS) throw new TokenError("expired_token", "exp has passed");
  if (nbf !== undefined && nbf > nowMs + LEEWAY_MS) throw new TokenError("bad_token", "nbf is in the future");
  if (iat !== undefined && iat > nowMs + LEEWAY_MS) throw new TokenError("bad_token", "iat is in the future");
  return exp;
}

/** Whether a text can name an account: 1 to 4,096 characters of whole Unicode (a lone surrogate would not survive UTF-8). */
export function isAccountName(name: unknown): name is string {
  return typeof name === "string" && name.length > 0 && name.length <= MAX_ACCOUNT && isWholeUnicode(name);
}

/** A NumericDate claim in milliseconds. */
function readTime(claims: Claims, name: "exp" | "nbf" | "iat"): number | undefined {
  if (!Object.hasOwn(claims, name)) return undefined;
  const seconds = claims[name];
  if (typeof seconds !== "number" || !Number.isFinite(seconds * 1_000)) throw new TokenError("bad_token", `${name} must be a number of seconds`);
  return Math.floor(seconds * 1_000);
}
