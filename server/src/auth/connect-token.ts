// The token a client connects with: who it is (`sub`), until when, what it may do and which rooms it may enter (PROTOCOL.md, "Connect").
import type { App, Right } from "../apps/app.ts";
import { ErrorCode, XlveinError } from "../errors.ts";
import {
  API_AUDIENCE,
  type Claims,
  checkTimes,
  isAccountName,
  LEEWAY_MS,
  ROOM_AUDIENCE,
  type TokenCheck,
  TokenError,
  verifyInVain,
  verifySignature,
} from "./jwt.ts";
import { type RoomPatterns, readRights, readRooms } from "./rights.ts";

export { type RoomPatterns, TokenError };

export interface ConnectGrant {
  readonly account: string;
  /** When `exp` passes, milliseconds since 1970, without leeway: a token accepted in its last 5 s is past it already. */
  readonly expiresAtMs: number | undefined;
  /** Which of the application's secrets signed the token. */
  readonly secretId: string;
  /** The token's `can`, or the application's `client_rights`. */
  readonly rights: ReadonlySet<Right>;
  /** The token's `rooms`. */
  readonly rooms: RoomPatterns;
}

/**
 * Verifies a connect token of an application. Whether the application is enabled is the caller's matter.
 * @throws TokenError whose `reason` is `bad_token` or `expired_token`
 */
export function verifyConnectToken(app: App, token: string, check: TokenCheck): ConnectGrant {
  const verified = verifySignature(app, token, check);
  const { claims, secret } = verified;
  const expiresAtMs = checkTimes(claims, check.nowMs);
  if (expiresAtMs === undefined && app.requireExp) throw new TokenError("bad_token", "exp is missing, which this application requires");
  checkAudience(claims, app.key);
  const grant = { account: readAccount(claims), expiresAtMs, secretId: secret.id, rights: readRights(claims, app), rooms: readRooms(claims) };
  // Clients that come back, all at once after an outage, bring the token they had.
  check.verified?.keep(app, token, verified, expiresAtMs === undefined ? undefined : expiresAtMs + LEEWAY_MS);
  return grant;
}

/** Answers for an application that does not exist, after the work of a verification. Always throws APP_NOT_FOUND. */
export function verifyForUnknownApp(token: string, { maxBytes }: TokenCheck): never {
  verifyInVain(token, maxBytes);
  throw new XlveinError(ErrorCode.APP_NOT_FOUND, "no application has this key", { reason: "unknown_app" });
}

function readAccount(claims: Claims): string {
  const account = Object.hasOwn(claims, "sub") ? claims["sub"] : undefined;
  if (!isAccountName(account)) throw new TokenError("bad_token", "sub must be a text of 1 to 4096 characters");
  return account;
}

/** No `aud` is needed. One that is there must name this application, and nothing that tokens of another kind are for. */
function checkAudience(claims: Claims, appKey: string): void {
  if (!Object.hasOwn(claims, "aud")) return;
  const audiences: unknown[] = Array.isArray(claims["aud"]) ? claims["aud"] : [claims["aud"]];
  if (audiences.includes(API_AUDIENCE) || audiences.includes(ROOM_AUDIENCE))
    throw new TokenError("bad_token", "aud is that of an API or room token, which never connects");
  if (!audiences.every((audience) => typeof audience === "string") || !audiences.includes(appKey))
    throw new TokenError("bad_token", "aud must be the app_key, or absent");
}
