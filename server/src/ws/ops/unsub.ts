// unsub: out of a room.
import { encodeReply } from "../../protocol/frames.ts";
import type { UnsubOp } from "../../protocol/ops.ts";
import type { OpContext } from "../context.ts";

/** Answers also when the connection was not in the room. */
export function unsub(session: OpContext, { id, room }: UnsubOp): void {
  session.leave(room);
  session.send(encodeReply(id));
}
