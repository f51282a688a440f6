// The frames of `xlvein.v2.json` as this SDK uses them (PROTOCOL.md, "The full protocol"), and what applications see of them.
import type { components } from "../generated/openapi.ts";

export const SUBPROTOCOL = "xlvein.v2.json";

type Schemas = components["schemas"];
export type HelloFrame = Schemas["HelloFrame"];
export type MessageFrame = Schemas["MessageFrame"];
export type GapFrame = Schemas["GapFrame"];
export type ErrorFrame = Schemas["ErrorFrame"];
export type MembershipFrame = Schemas["MembershipFrame"];
export type Position = Schemas["Position"];
export type StreamState = Schemas["StreamState"];
export type History = Schemas["History"];
/** What answers to ops hold, by op. */
export type Reply = Omit<Partial<Schemas["SubReply"] & Schemas["PubReply"] & Schemas["RefreshReply"] & History>, "op" | "id">;
/** The frame that answers an op. */
export type Answer = Reply & { op: "reply" | "error"; id?: unknown } & Partial<Omit<ErrorFrame, "op" | "id">>;
/** A frame that has arrived, as far as it must be known to tell which one it is. What it then lacks shows where it is used, and makes it a bad frame. */
export interface Frame {
  /** A message has none. */
  readonly op?: string;
  readonly id?: unknown;
  readonly room?: string;
  readonly reason?: string;
  readonly stream?: string;
  readonly to?: unknown;
  readonly msg_id?: string;
}
/** An op before it has its id. */
export type Op = { op: "sub" | "unsub" | "pub" | "history" | "refresh"; room?: string | undefined } & Record<string, unknown>;

/** A message as applications see it. On the wire the names are `msg_id`, `send_at` and `conversation_id`. */
export interface Message {
  /** The sender's account; undefined on a push by the backend. */
  readonly from?: string | undefined;
  /** The receiving account, the one this client is connected as; undefined in a room and on what everyone gets. */
  readonly to?: string | undefined;
  /** The room; undefined outside of rooms. */
  readonly room?: string | undefined;
  /** 0 a push by the backend, 1 a client's message, 2 a message in a room. */
  readonly event: number;
  /** The body. Numbers beyond 2^53 lose digits in JavaScript: send those as text. */
  readonly data: Record<string, unknown>;
  /** Unique, made by the server. */
  readonly msgId: string;
  /** Milliseconds since 1970, by the server's clock. */
  readonly sendAt: number;
  /** The `to` of a client's message, the room in a room; undefined on a push. */
  readonly conversationId?: string | undefined;
  /** What a later message with the same key replaces for a client that is behind. */
  readonly key?: string | undefined;
  /** The sender's W3C `traceparent`. */
  readonly trace?: string | undefined;
  /** Names the numbering of the message's stream; undefined where the server keeps no streams. */
  readonly epoch?: string | undefined;
  /** The message's number in its stream. */
  readonly offset?: number | undefined;
}

export function readMessage({ msg_id: msgId, send_at: sendAt, conversation_id: conversationId, ...rest }: MessageFrame): Message {
  return { ...rest, msgId, sendAt, conversationId };
}
