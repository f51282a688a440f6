// The token for one room, which a backend hands to a client that its connect token does not let in (PROTOCOL.md, "Rights and rooms in the token").
import type { App } from "../apps/app.ts";
import { checkTimes, ROOM_AUDIENCE, type TokenCheck, TokenError, verifySignature } from "./jwt.ts";

export interface RoomGrant {
  /** When `exp` passes, milliseconds since 1970, without leeway: a token accepted in its last 5 s is past it already. */
  readonly expiresAtMs: number;
}

/**
 * Verifies that a token lets this account into this room.
 * @throws TokenError whose `reason` is `bad_token` or `expired_token`
 */
export function verifyRoomToken(app: App, token: string, account: string, room: string, check: TokenCheck): RoomGrant {
  const { claims } = verifySignature(app, token, check);
  if (claims["aud"] !== ROOM_AUDIENCE) throw new TokenError("bad_token", `aud must be "${ROOM_AUDIENCE}"`);
  const expiresAtMs = checkTimes(claims, check.nowMs);
  if (expiresAtMs === undefined) throw new TokenError("bad_token", "exp is missing");
  if (claims["sub"] !== account) throw new TokenError("bad_token", "sub must be the account of this connection");
  if (claims["room"] !== room) throw new TokenError("bad_token", "room must be the room that is asked for");
  return { expiresAtMs };
}
