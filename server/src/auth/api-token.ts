// The bearer token of a backend: short-lived, and good for the HTTP API only.
import type { App } from "../apps/app.ts";
import type { AppRegistry } from "../apps/registry.ts";
import { ErrorCode, XlveinError } from "../errors.ts";
import {
  API_AUDIENCE,
  type Claims,
  checkForm,
  checkTimes,
  LEEWAY_MS,
  type TokenCheck,
  TokenError,
  type Verified,
  verifyFormed,
  verifyFormedInVain,
} from "./jwt.ts";
import type { KnownToken } from "./verified-tokens.ts";

export interface ApiGrant {
  readonly app: App;
  /** Which of the application's secrets signed the token. */
  readonly secretId: string;
  /** When `exp` passes, milliseconds since 1970, without leeway. */
  readonly expiresAtMs: number;
}

/** Furthest that `exp` may lie ahead, milliseconds. */
const MAX_LIFETIME_MS = 5 * 60_000;
const BEARER = /^Bearer +(\S+)$/i;
/** As nearly everybody spells it. */
const USUAL_BEARER = "Bearer ";

/**
 * Verifies the `Authorization` header of an API request; `iss` names the application.
 * With `check.verified` the signature of a token sent again is not verified again; everything else is.
 * @throws XlveinError TOKEN_INVALID, APP_NOT_FOUND (after equal work), APP_DISABLED, NOT_AUTHORISED (`bearer` is not in the application's `push_auth`)
 */
export function verifyApiToken(apps: AppRegistry, authorization: string | undefined, check: TokenCheck): ApiGrant {
  const known = findKnown(authorization, check);
  if (known) return grant(known.app, known, check.nowMs);
  const token = readBearer(authorization);
  checkForm(token, check.maxBytes);
  const app = findApp(apps, token);
  checkApp(app);
  const verified = verifyFormed(app, token, check.nowMs);
  const granted = grant(app, verified, check.nowMs);
  check.verified?.keep(app, token, verified, granted.expiresAtMs + LEEWAY_MS);
  return granted;
}

function findKnown(authorization: string | undefined, { verified, nowMs, maxBytes }: TokenCheck): KnownToken | undefined {
  if (!verified || !authorization?.startsWith(USUAL_BEARER) || authorization.length > USUAL_BEARER.length + maxBytes) return undefined;
  const known = verified.get(authorization.slice(USUAL_BEARER.length), nowMs);
  // One that was proved as a token of another kind may name another application.
  return known?.claims["iss"] === known?.app.key ? known : undefined;
}

/** What must hold at each use, however the signature was found to be good. */
function grant(app: App, { claims, secret }: Verified, nowMs: number): ApiGrant {
  checkApp(app);
  return { app, secretId: secret.id, expiresAtMs: checkClaims(claims, nowMs) };
}

function readBearer(authorization: string | undefined): string {
  if (authorization === undefined) throw new TokenError("bad_token", "the Authorization header is missing; send Bearer and a JWT");
  const token = BEARER.exec(authorization)?.[1];
  if (token === undefined) throw new TokenError("bad_token", "the Authorization header is not Bearer and a JWT");
  return token;
}

/** The application that the token claims to come from; the signature will tell. */
function findApp(apps: AppRegistry, token: string): App {
  const issuer = readIssuer(token);
  if (issuer === undefined) throw new TokenError("bad_token", "iss must be the app_key");
  const app = apps.get(issuer);
  if (app) return app;
  verifyFormedInVain(token);
  throw new XlveinError(ErrorCode.APP_NOT_FOUND, "token: iss: no application has this key", { reason: "unknown_app" });
}

function checkApp({ enabled, pushAuth }: App): void {
  if (!enabled) throw new XlveinError(ErrorCode.APP_DISABLED, "the application is disabled", { reason: "app_disabled" });
  if (!pushAuth.has("bearer")) throw new XlveinError(ErrorCode.NOT_AUTHORISED, "bearer tokens are not in the application's push_auth");
}

/** `iss` before any proof: it only chooses whose secrets the proof is made with. */
function readIssuer(token: string): string | undefined {
  try {
    const payload: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
    if (typeof payload !== "object" || payload === null || !Object.hasOwn(payload, "iss")) return undefined;
    const { iss } = payload as { iss: unknown };
    return typeof iss === "string" ? iss : undefined;
  } catch {
    return undefined;
  }
}

/** Returns when `exp` passes, milliseconds since 1970. */
function checkClaims(claims: Claims, nowMs: number): number {
  if (claims["aud"] !== API_AUDIENCE) throw new TokenError("bad_token", `aud must be "${API_AUDIENCE}"`);
  const expiresAtMs = checkTimes(claims, nowMs);
  if (expiresAtMs === undefined) throw new TokenError("bad_token", "exp is missing");
  if (expiresAtMs > nowMs + MAX_LIFETIME_MS + LEEWAY_MS) throw new TokenError("bad_token", "exp is more than 5 minutes ahead");
  if (typeof claims["jti"] !== "string" || claims["jti"] === "") throw new TokenError("bad_token", "jti must be a text that is not empty");
  return expiresAtMs;
}
