// JSON Web Tokens, made and read in the page. The secret goes into WebCrypto and nowhere else.

/** How long a connect token made here is valid, seconds. */
export const CONNECT_TOKEN_SECONDS = 24 * 3600;
/** How long an API token made here is valid, seconds: a minute below the server's 5, for clocks that differ. */
export const API_TOKEN_SECONDS = 240;

/** What can be read from a token without the secret. */
export interface TokenFacts {
  readonly account: string;
  /** Seconds since 1970; absent when the token never expires. */
  readonly expiresAt?: number;
}

/** A sentence for the person at the page: what is wrong, and what to do. */
export class TokenFault extends Error {
  override readonly name = "TokenFault";
}

/** Makes the token with which `account` connects. Rejects with a TokenFault without a secret or without WebCrypto. */
export function makeConnectToken(secret: string, account: string, nowMs: number): Promise<string> {
  const iat = Math.floor(nowMs / 1000);
  return sign(secret, { sub: account, iat, exp: iat + CONNECT_TOKEN_SECONDS });
}

/** Makes the bearer token for the API. Rejects as `makeConnectToken`. */
export function makeApiToken(secret: string, appKey: string, nowMs: number): Promise<string> {
  const iat = Math.floor(nowMs / 1000);
  return sign(secret, { iss: appKey, aud: "xlvein-api", iat, exp: iat + API_TOKEN_SECONDS, jti: randomId() });
}

/** Reads a pasted connect token, its signature unchecked; throws a TokenFault that says what is wrong with it. */
export function readConnectToken(token: string, nowMs: number): TokenFacts {
  const claims = claimsOf(token);
  const { sub, exp, aud } = claims;
  if (aud === "xlvein-api") throw new TokenFault("This is an API token, and those cannot connect. Paste the token of an account.");
  if (typeof sub !== "string" || sub === "") throw new TokenFault("This token names no account: it has no `sub`. Make one whose `sub` is the account.");
  if (exp === undefined) return { account: sub };
  if (typeof exp !== "number") throw new TokenFault("The `exp` of this token is not a number. It must be in seconds since 1970.");
  if (exp * 1000 <= nowMs) throw new TokenFault(`This token expired on ${new Date(exp * 1000).toLocaleString()}. Make a new one.`);
  return { account: sub, expiresAt: exp };
}

/** Random text for ids; works on pages without TLS too, where `crypto.randomUUID` is missing. */
export function randomId(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(12)));
}

async function sign(secret: string, claims: object): Promise<string> {
  if (secret === "") throw new TokenFault("Give the app secret at the top of the page. To connect, a pasted token does as well.");
  // Browsers offer WebCrypto only on https pages and on localhost.
  if (globalThis.crypto.subtle === undefined)
    throw new TokenFault("The browser signs tokens only on https pages and on localhost. Open the console there, or paste a token.");
  const utf8 = new TextEncoder();
  const key = await crypto.subtle.importKey("raw", utf8.encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const body = [{ alg: "HS256", typ: "JWT" }, claims].map((part) => base64url(utf8.encode(JSON.stringify(part)))).join(".");
  const signature = await crypto.subtle.sign("HMAC", key, utf8.encode(body));
  return `${body}.${base64url(new Uint8Array(signature))}`;
}

function claimsOf(token: string): Record<string, unknown> {
  const parts = token.split(".");
  if (parts.length !== 3) throw new TokenFault("This is not a token: it must have three parts with dots between them. Copy the whole of it.");
  try {
    const claims: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytesOf(parts[1] ?? "")));
    if (typeof claims === "object" && claims !== null) return claims as Record<string, unknown>;
  } catch {
    // told below
  }
  throw new TokenFault("The middle part of this token cannot be read. Copy the whole token again.");
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
}
