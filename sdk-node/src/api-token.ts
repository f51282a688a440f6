// API tokens: short-lived JWTs that prove a call of the HTTP API.
import { type KeyObject, randomUUID } from "node:crypto";
import jwt from "jsonwebtoken";

/** The server takes at most 5 minutes ahead; a minute is left for clocks that differ. */
const LIFETIME_MS = 240_000;
/** Renewed with this much left, so that a request on its way does not expire. */
const RENEW_BEFORE_MS = 60_000;

/** Answers a function giving a valid token: the same one again until a minute before its end. */
export function createApiToken(appKey: string, key: KeyObject, now: () => number): () => string {
  let token = "";
  let issuedMs = Number.NEGATIVE_INFINITY;
  return () => {
    const nowMs = now();
    // A clock that was set back makes the token one of the future: renew it as well.
    if (nowMs >= issuedMs && nowMs < issuedMs + LIFETIME_MS - RENEW_BEFORE_MS) return token;
    const iat = Math.floor(nowMs / 1000);
    token = jwt.sign({ iss: appKey, aud: "xlvein-api", jti: randomUUID(), iat, exp: iat + LIFETIME_MS / 1000 }, key, { algorithm: "HS256" });
    issuedMs = nowMs;
    return token;
  };
}
