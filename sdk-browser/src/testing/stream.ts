// One stream of the fake server: numbered, kept for a while, read back and recovered from as a real one.
import type { MessageFrame, Position, StreamState } from "../protocol/protocol.ts";

/** A message without its place. */
export type Envelope = Omit<MessageFrame, "epoch" | "offset">;

export interface FakeStream {
  readonly position: Position;
  /** Gives the message the next place. */
  append(message: Envelope): MessageFrame;
  /** How the stream goes on for a client that was at `from`, and what it missed. */
  join(from: Position | undefined): { state: StreamState; missed: readonly MessageFrame[] };
  /** Undefined where `after` is not in the stream any more. */
  read(query: { after?: { epoch: string; offset: number }; before?: number; limit: number }): { messages: MessageFrame[]; more: boolean } | undefined;
  /** Another epoch begins, empty. */
  lose(): void;
}

let streams = 0;
const newEpoch = () => `fake${Math.random().toString(36).slice(2, 8)}.${streams++}`;

/** `keeps`: how many messages. `recovers`: how many missed ones a client gets at most. */
export function createFakeStream(keeps: number, recovers: number): FakeStream {
  let epoch = newEpoch();
  let position: Position = { epoch, offset: 0, msg_id: "" };
  let kept: MessageFrame[] = [];
  /** The msg_id of every offset of the epoch: a position is in the stream also when its message is not kept. */
  let ids: string[] = [""];

  const oldest = () => position.offset - kept.length;

  return {
    get position() {
      return position;
    },
    append: (message) => {
      const placed = { ...message, epoch, offset: position.offset + 1 };
      position = { epoch, offset: placed.offset, msg_id: placed.msg_id };
      ids.push(placed.msg_id);
      kept = [...kept, placed].slice(-keeps);
      return placed;
    },
    join: (from) => {
      if (!from) return { state: { position }, missed: [] };
      const refused = (reason: NonNullable<StreamState["reason"]>) => ({ state: { position, recovered: false, reason }, missed: [] });
      if (from.epoch !== epoch || ids[from.offset] !== from.msg_id) return refused("epoch_changed");
      if (from.offset < oldest()) return refused("too_old");
      if (position.offset - from.offset > recovers) return refused("too_many");
      return { state: { position, recovered: true }, missed: kept.filter(({ offset = 0 }) => offset > from.offset) };
    },
    read: ({ after, before = Infinity, limit }) => {
      if (!after) {
        const all = kept.filter(({ offset = 0 }) => offset < before);
        return { messages: all.slice(-limit), more: all.length > limit };
      }
      if (after.epoch !== epoch || after.offset < oldest()) return undefined;
      const all = kept.filter(({ offset = 0 }) => offset > after.offset);
      return { messages: all.slice(0, limit), more: all.length > limit };
    },
    lose: () => {
      epoch = newEpoch();
      position = { epoch, offset: 0, msg_id: "" };
      kept = [];
      ids = [""];
    },
  };
}
