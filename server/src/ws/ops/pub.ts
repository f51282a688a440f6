// pub: a message from a client to an account or a room.
import { publishersOf } from "../../apps/rules.ts";
import { ErrorCode, XlveinError } from "../../errors.ts";
import { encodeReply } from "../../protocol/frames.ts";
import { type Draft, Event } from "../../protocol/message.ts";
import type { PubOp } from "../../protocol/ops.ts";
import { accountTarget, roomTarget, type Target } from "../../protocol/target.ts";
import type { RequestKey } from "../../publish/publish.ts";
import type { OpContext } from "../context.ts";

/** The stream that the message goes to. */
export function receiverOf({ connection: { app } }: OpContext, { to }: PubOp): Target {
  return to.kind === "room" ? roomTarget(app, to.name) : accountTarget(app, to.name);
}

/** Resolves with the answer, once store and exchange have accepted the message. Rejects as `publish` does, or with NOT_AUTHORISED, NOT_IN_ROOM. */
export async function pub(session: OpContext, op: PubOp): Promise<string> {
  const { connection, options } = session;
  if (op.to.kind === "room") checkRoom(session, op.to.name);
  else if (!session.rights.has("direct")) throw notAllowed("this client may not send to accounts (direct)");
  const { msgId, duplicate, positions } = await options.publish(connection.app, [receiverOf(session, op)], draftOf(session, op), keyOf(session, op));
  const [place] = positions;
  return encodeReply(op.id, { msg_id: msgId, duplicate, epoch: place?.epoch, offset: place?.offset });
}

/** Who may publish to a room is for the room's rule to say, beside the right to publish at all. */
function checkRoom({ rights, rooms, app }: OpContext, room: string): void {
  if (!rights.has("publish")) throw notAllowed("this client may not publish to rooms (publish)");
  const publishers = publishersOf(app, room);
  if (publishers === "nobody") throw notAllowed("clients may not publish to this room");
  if (publishers === "members" && !rooms.has(room)) throw new XlveinError(ErrorCode.NOT_IN_ROOM, "the connection has not subscribed to this room");
}

function notAllowed(message: string): XlveinError {
  return new XlveinError(ErrorCode.NOT_AUTHORISED, message);
}

function draftOf({ connection }: OpContext, { data, key, excludeSelf, trace }: PubOp): Draft {
  return {
    from: connection.account,
    event: Event.CHAT,
    data,
    ...(key === undefined ? {} : { key }),
    ...(excludeSelf ? { exclude: connection.id } : {}),
    ...(trace === undefined ? {} : { trace }),
  };
}

/** Keys are the account's own, whatever connection they come on. */
function keyOf({ connection: { account }, app }: OpContext, { idempotencyKey }: PubOp): RequestKey | undefined {
  if (idempotencyKey === undefined) return undefined;
  return { kind: "client_key", value: `${account.length}:${account}${idempotencyKey}`, ttlMs: app.nonceTtlMs, onOtherBody: "refuse" };
}
