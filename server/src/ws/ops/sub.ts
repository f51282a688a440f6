// sub: into a room, with what was missed there (PROTOCOL.md, "Recovery").
import { verifyRoomToken } from "../../auth/room-token.ts";
import { ErrorCode, XlveinError } from "../../errors.ts";
import { encodeReply, wireState } from "../../protocol/frames.ts";
import type { SubOp } from "../../protocol/ops.ts";
import { roomTarget } from "../../protocol/target.ts";
import type { OpContext } from "../context.ts";

/** Again for a room that it is in, it catches up from the position, or shows a newer token. Rejects as the steps do; the connection is not in the room then, unless it was. */
export async function sub(session: OpContext, { id, room, position, token }: SubOp): Promise<void> {
  const { connection, access, options } = session;
  const passEndsAtMs = token === undefined ? undefined : checkToken(session, room, token);
  if (passEndsAtMs === undefined) await checkAccess(session, room);
  checkCount(session, room);
  const target = roomTarget(connection.app, room);
  // One that has gone meanwhile has given its seat back, and would hold the room for ever.
  if (!connection.open) return;
  const joined = await options.streams.join(connection, target, position);
  if (!connection.open) return;
  if (passEndsAtMs !== undefined) access.admit(room, passEndsAtMs, options.now());
  // The backend may have removed the account meanwhile.
  if (!access.opens(room)) {
    options.streams.leave(connection, target);
    throw notIn();
  }
  session.enter(room);
  session.send(encodeReply(id, { room, ...wireState(joined.state) }));
  joined.go();
}

/** @returns when the token's `exp` passes */
function checkToken({ connection, app, options: { limits, now } }: OpContext, room: string, token: string): number {
  return verifyRoomToken(app, token, connection.account, room, { nowMs: now(), maxBytes: limits.tokenBytes }).expiresAtMs;
}

async function checkAccess({ connection, access, options }: OpContext, room: string): Promise<void> {
  if (access.opens(room)) return;
  // They could not be read when it connected: who was let in is not told that it was not.
  if (!access.memberships.known) access.memberships.read(await options.roomsOf(connection.app, connection.account));
  if (!access.opens(room)) throw notIn();
}

function checkCount({ rooms, app }: OpContext, room: string): void {
  const { maxRoomsPerConnection: max } = app.limits;
  if (!rooms.has(room) && rooms.size >= max) throw new XlveinError(ErrorCode.TOO_MANY_ROOMS, `the connection is in ${max} rooms already`);
}

function notIn(): XlveinError {
  return new XlveinError(ErrorCode.NOT_IN_ROOM, "the account may not enter this room");
}
