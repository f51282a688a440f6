// history: a stream read back for a client.
import { ErrorCode, XlveinError } from "../../errors.ts";
import { encodeHistoryReply } from "../../protocol/frames.ts";
import type { HistoryOp } from "../../protocol/ops.ts";
import { accountTarget, appTarget, roomTarget, type Target } from "../../protocol/target.ts";
import type { OpContext } from "../context.ts";

/** What may still wait for the socket when a history is read, bytes. */
const NEARLY_EMPTY = 16_384;
/** Largest history that is sent, bytes; and the part of an outbox that one may fill, since answers are never dropped. */
const [MAX_BYTES, MAX_SHARE] = [1_048_576, 0.5];

/**
 * Waits until the client has taken nearly all that was sent to it, so that a slow reader that catches up is not closed for it.
 * Later ops are not kept waiting: their answers may overtake this one. The answer itself overtakes nothing: it goes behind every message that is
 * on its way, so a client has had each message that this node received before the stream was read; those received since come after it, perhaps a second time.
 * And it is not sent into a room that the connection has left, or lost, while it waited.
 * Rejects with NOT_AUTHORISED, NOT_IN_ROOM, or as `streams.read` does.
 */
export async function history(session: OpContext, op: HistoryOp): Promise<void> {
  const { connection, options } = session;
  const { after, before, limit } = op;
  checkRight(session, op);
  if (!(await connection.drained(NEARLY_EMPTY))) return;
  const maxBytes = Math.min(MAX_BYTES, options.limits.outboxBytes * MAX_SHARE);
  const asked = { limit, maxBytes, ...(after === undefined ? {} : { after }), ...(before === undefined ? {} : { before }) };
  const { texts, position, more } = await options.streams.read(targetOf(session, op), asked);
  checkRight(session, op);
  session.send(encodeHistoryReply(op.id, texts, position, more));
}

function checkRight({ rights, rooms }: OpContext, { of }: HistoryOp): void {
  if (!rights.has("history")) throw new XlveinError(ErrorCode.NOT_AUTHORISED, "this client may not read streams back (history)");
  if (of.kind === "room" && !rooms.has(of.name)) throw new XlveinError(ErrorCode.NOT_IN_ROOM, "the connection has not subscribed to this room");
}

function targetOf({ connection: { app, account } }: OpContext, { of }: HistoryOp): Target {
  if (of.kind === "room") return roomTarget(app, of.name);
  return of.kind === "account" ? accountTarget(app, account) : appTarget(app);
}
