// The bearer token of a backend: short-lived, and good for the HTTP API only.
import type { App } from "../apps/app.ts";
import type { AppRegistry } from "../apps/registry.ts";
import { ErrorCode, XlveinError } from "../errors.ts";
import { API_AUDIENCE, type Claims, checkForm, checkTimes, LEEWAY_MS, type TokenCheck, TokenError, verifyInVain, verifySignature } from "./jwt.ts";

export interface ApiGrant {
  readonly app: App;
  /** Which of the application's secrets signed the token. */
  readonly secretId: string;
}

/** Furthest that `exp` may lie ahead, milliseconds. */
const MAX_LIFETIME_MS = 5 * 60_000;
const BEARER = /^Bearer +(\S+)$/i;

/**
 * Verifies the `Authorization` header of an API request; `iss` names the application.
 * @throws XlveinError TOKEN_INVALID, APP_NOT_FOUND (after equal work), APP_DISABLED, NOT_AUTHORISED (`bearer` is not in the application's `push_auth`)
 */
export function verifyApiToken(apps: AppRegistry, authorization: string | undefined, check: TokenCheck): ApiGrant {
  const token = readBearer(authorization);
  checkForm(token, check.maxBytes);
  const app = findApp(apps, token, check);
  const { claims, secretId } = verifySignature(app, token, check);
  checkClaims(claims, check.nowMs);
  return { app, secretId };
}

function readBearer(authorization: string | undefined): string {
  if (authorization === undefined) throw new TokenError("bad_token", "the Authorization header is missing; send Bearer and a JWT");
  const token = BEARER.exec(authorization)?.[1];
  if (token === undefined) throw new TokenError("bad_token", "the Authorization header is not Bearer and a JWT");
  return token;
}

/** The application that the token claims to come from; the signature will tell. */
function findApp(apps: AppRegistry, token: string, { maxBytes }: TokenCheck): App {
  const issuer = readIssuer(token);
  if (issuer === undefined) throw new TokenError("bad_token", "iss must be the app_key");
  const app = apps.get(issuer);
  if (!app) {
    verifyInVain(token, maxBytes);
    throw new XlveinError(ErrorCode.APP_NOT_FOUND, "token: iss: no application has this key", { reason: "unknown_app" });
  }
  if (!app.enabled) throw new XlveinError(ErrorCode.APP_DISABLED, "the application is disabled", { reason: "app_disabled" });
  if (!app.pushAuth.has("bearer")) throw new XlveinError(ErrorCode.NOT_AUTHORISED, "bearer tokens are not in the application's push_auth");
  return app;
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

function checkClaims(claims: Claims, nowMs: number): void {
  if (claims["aud"] !== API_AUDIENCE) throw new TokenError("bad_token", `aud must be "${API_AUDIENCE}"`);
  const expiresAtMs = checkTimes(claims, nowMs);
  if (expiresAtMs === undefined) throw new TokenError("bad_token", "exp is missing");
  if (expiresAtMs > nowMs + MAX_LIFETIME_MS + LEEWAY_MS) throw new TokenError("bad_token", "exp is more than 5 minutes ahead");
  if (typeof claims["jti"] !== "string" || claims["jti"] === "") throw new TokenError("bad_token", "jti must be a text that is not empty");
}
