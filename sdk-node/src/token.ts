// Connect tokens: JWTs that name the account a client connects as.
import type { KeyObject } from "node:crypto";
import jwt from "jsonwebtoken";
import { checkAccount } from "./message.ts";
import { whole } from "./options.ts";

/** What a connect token may be given. */
export interface TokenOptions {
  /** Lifetime in seconds; connecting later than this is refused. Default 2,592,000 (30 days). */
  readonly expiresInSeconds?: number | undefined;
  /** Further claims. `sub`, `iat` and `exp` are set by this package and refused here. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
}

const THIRTY_DAYS_SECONDS = 2_592_000;
/** 100 years: more is a mistake of units. */
const MAX_SECONDS = 3_153_600_000;
const OWN_CLAIMS = ["sub", "iat", "exp"];

/** Answers the function that signs connect tokens (HS256) with the application's key. */
export function createToken(key: KeyObject, now: () => number): (account: string, options?: TokenOptions) => string {
  return (account, { expiresInSeconds = THIRTY_DAYS_SECONDS, claims = {} } = {}) => {
    checkAccount("token: account", account);
    checkClaims(claims);
    const iat = Math.floor(now() / 1000);
    const exp = iat + whole("token: expiresInSeconds", expiresInSeconds, 1, MAX_SECONDS);
    return jwt.sign({ ...claims, sub: account, iat, exp }, key, { algorithm: "HS256" });
  };
}

function checkClaims(claims: Readonly<Record<string, unknown>>): void {
  if (typeof claims !== "object" || claims === null || Array.isArray(claims)) throw new TypeError("token: claims must be an object");
  for (const name of OWN_CLAIMS) if (Object.hasOwn(claims, name)) throw new TypeError(`token: claims.${name} is set by token() itself: leave it out`);
  // A client that held such a token could call the API.
  if ([claims.aud].flat().includes("xlvein-api")) throw new TypeError('token: claims.aud "xlvein-api" is for API tokens: leave it out');
}
