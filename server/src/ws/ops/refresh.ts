// refresh: a new token on the live connection (PROTOCOL.md, "Token life").
import { TokenError, verifyConnectToken } from "../../auth/connect-token.ts";
import { encodeMembership, encodeReply } from "../../protocol/frames.ts";
import type { RefreshOp } from "../../protocol/ops.ts";
import type { OpContext } from "../context.ts";

/** Its rights, rooms and `exp` take the place of the old ones. Throws TokenError; then nothing has changed. */
export function refresh(session: OpContext, { id, token }: RefreshOp): void {
  const { connection, access, app, options } = session;
  const grant = verifyConnectToken(app, token, { nowMs: options.now(), maxBytes: options.limits.tokenBytes });
  if (grant.account !== connection.account) throw new TokenError("bad_token", "sub must be the account of this connection");
  options.noteSecretUse(app.key, grant.secretId);
  session.rights = grant.rights;
  access.patterns = grant.rooms;
  connection.expireAt(grant.expiresAtMs);
  session.send(encodeReply(id, { expires_at: grant.expiresAtMs, rights: [...grant.rights] }));
  for (const room of [...session.rooms]) {
    if (access.opens(room)) continue;
    session.leave(room);
    session.send(encodeMembership("unsub", room, "not_authorised"));
  }
}
