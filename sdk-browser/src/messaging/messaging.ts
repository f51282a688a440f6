// What an application asks of the server: to send a message, to read a stream back.
import { XlveinError } from "../errors.ts";
import { type History, type Op, readMessage } from "../protocol/protocol.ts";
import type { Requests } from "../requests/requests.ts";
import type { HistoryPage, HistoryQuery, Stream, StreamName } from "../streams/streams.ts";

export interface SendOptions {
  /** A later message with the same key replaces this one for a receiver that is behind, where the application's slow policy is `conflate`. */
  readonly key?: string | undefined;
  /** This connection is not sent the message. */
  readonly excludeSelf?: boolean | undefined;
}

/** The server's acknowledgement: store and exchange have accepted the message. */
export interface Sent {
  /** The message's id, as its receivers see it. */
  readonly msgId: string;
  /** The server had the message already: its first answer was lost. It was delivered once. */
  readonly duplicate: boolean;
  /** Where the message stands in its stream; undefined where the server keeps no streams. */
  readonly epoch?: string | undefined;
  readonly offset?: number | undefined;
}

export interface Messaging {
  send(name: "to" | "room", value: string, data: object, options?: SendOptions): Promise<Sent>;
  /** `once`: on the connection there is, or not at all. */
  history(name: StreamName, query?: HistoryQuery, once?: boolean): Promise<HistoryPage>;
}

/** `streamOf` answers where a message sent to the room, or to an account, may come back. */
export function createMessaging(requests: Requests, streamOf: (room: string | undefined) => Stream | undefined): Messaging {
  /** Unique among the clients of an account: names this one's sends across connections. */
  const client = Math.random();
  let sends = 0;

  return {
    send: async (name, value, data, { key, excludeSelf } = {}) => {
      if (!value || typeof value !== "string") throw new XlveinError("bad_message", `${name}: not a string`);
      if (Object(data) !== data || Array.isArray(data)) throw new XlveinError("bad_message", "data: not an object");
      const op: Op = { op: "pub", [name]: value, data, key, exclude_self: excludeSelf, idempotency_key: `${client}-${sends++}` };
      return requests.ask(op, ({ msg_id: msgId, ...rest }) => {
        if (excludeSelf) streamOf(op.room)?.know(msgId as string);
        return { ...rest, msgId } as Sent;
      });
    },
    history: (name, { after, before, limit } = {}, once) => {
      const op: Op = { op: "history", ...name, before, limit, after: after && { epoch: after.epoch, offset: after.offset } };
      return requests.ask(op, (reply) => ({ ...(reply as History), messages: (reply as History).messages.map(readMessage) }), once);
    },
  };
}
