// The frames that a server of xlvein.v2.json sends, as text (PROTOCOL.md, "Frames of the server").
import type { XlveinError } from "../errors.ts";
import type { Gap } from "./gap.ts";
import { Event, type Message } from "./message.ts";
import type { Position } from "./position.ts";
import type { Target } from "./target.ts";

/** The WebSocket subprotocol that these frames are of. */
export const V2 = "xlvein.v2.json";

/** A client's own name for an op; its answer carries it. */
export type OpId = number | string;

/** How a stream goes on for a connection: the answer to a position, or where the stream is. */
export interface StreamState {
  /** Absent where the store cannot tell. */
  readonly position?: Position;
  /** Answers a position: whether every missed message follows. */
  readonly recovered?: boolean;
  /** Why `recovered` is false. */
  readonly reason?: "epoch_changed" | "too_old" | "too_many" | "store_unavailable";
}

/** What `hello` says about a connection. */
export interface Hello {
  readonly connectionId: string;
  readonly account: string;
  readonly deviceId: string | undefined;
  readonly serverVersion: string;
  readonly pingMs: number;
  readonly maxFrameBytes: number;
  /** Whether the store keeps what a client misses. */
  readonly recoverable: boolean;
  /** The server's clock, milliseconds since 1970. */
  readonly timeMs: number;
  /** When the token expires, milliseconds since 1970. */
  readonly expiresAtMs: number | undefined;
  readonly rights: Iterable<string>;
  /** That the backend added the account to. */
  readonly rooms: readonly string[];
  readonly streams: { readonly account: StreamState; readonly app: StreamState };
}

/** Answered with `pong`. */
export const PING = '{"op":"ping"}';

const text = JSON.stringify as (value: string) => string;

/**
 * A message, as the connections of its target and the HTTP history get it. `data` goes in as the sender wrote it.
 * Of `position` the epoch and the offset count; without one the message has no place in a stream.
 */
export function encodeMessage(target: Target, message: Message, position: Pick<Position, "epoch" | "offset"> | undefined): string {
  const { from, key, trace, data, msgId, sendAt } = message;
  const event = target.kind === "room" ? Event.ROOM : target.kind === "app" ? Event.SYSTEM : message.event;
  const name = text(target.name);
  const head = target.kind === "room" ? `"room":${name},` : target.kind === "account" ? `"to":${name},` : "";
  const sender = from === undefined ? "" : `"from":${text(from)},`;
  const conversation = event === Event.SYSTEM ? "" : `,"conversation_id":${name}`;
  const replaced = key === undefined ? "" : `,"key":${text(key)}`;
  const traced = trace === undefined ? "" : `,"trace":${text(trace)}`;
  const place = position === undefined ? "" : `,"epoch":${text(position.epoch)},"offset":${position.offset}`;
  return `{${head}${sender}"event":${event},"data":${data},"msg_id":"${msgId}","send_at":${sendAt}${conversation}${replaced}${traced}${place}}`;
}

/** A position in wire spelling. */
export function wirePosition({ epoch, offset, msgId }: Position): { epoch: string; offset: number; msg_id: string } {
  return { epoch, offset, msg_id: msgId };
}

/** A stream's state in wire spelling: members of `reply` to `sub`, and of `streams` in `hello`. */
export function wireState({ position, recovered, reason }: StreamState): object {
  return { position: position && wirePosition(position), recovered, reason };
}

export function encodeHello(hello: Hello): string {
  return JSON.stringify({
    op: "hello",
    connection_id: hello.connectionId,
    account: hello.account,
    device_id: hello.deviceId,
    server_version: hello.serverVersion,
    ping_ms: hello.pingMs,
    max_frame_bytes: hello.maxFrameBytes,
    recoverable: hello.recoverable,
    time: hello.timeMs,
    expires_at: hello.expiresAtMs,
    rights: [...hello.rights],
    rooms: hello.rooms,
    streams: { account: wireState(hello.streams.account), app: wireState(hello.streams.app) },
  });
}

/** An op was done. `members` are in wire spelling; those that are undefined are left out. */
export function encodeReply(id: OpId, members: object = {}): string {
  return JSON.stringify({ op: "reply", id, ...members });
}

/** The members of a history, in `reply` and over HTTP; `messages` are texts of encodeMessage. */
export function historyMembers(messages: readonly string[], position: Position, more: boolean): string {
  return `"messages":[${messages.join(",")}],"position":${JSON.stringify(wirePosition(position))},"more":${more}`;
}

export function encodeHistoryReply(id: OpId, messages: readonly string[], position: Position, more: boolean): string {
  return `{"op":"reply","id":${JSON.stringify(id)},${historyMembers(messages, position, more)}}`;
}

/** An op was not done; without an id the frame had none that could be read. */
export function encodeError(id: OpId | undefined, { code, message, retryable, retryAfterSeconds }: XlveinError): string {
  const retryAfterMs = retryAfterSeconds === undefined ? undefined : retryAfterSeconds * 1_000;
  return JSON.stringify({ op: "error", id, code, message, retryable, retry_after_ms: retryAfterMs });
}

/** Stands in its place among the messages of the stream. */
export function encodeGap({ kind, name }: Target, { reason, epoch, from, to }: Gap): string {
  return JSON.stringify({ op: "gap", ...(kind === "room" ? { room: name } : { stream: kind }), reason, epoch, from, to });
}

/** `sub`: the backend has added the account · `unsub`: this connection is no longer in the room. */
export function encodeMembership(op: "sub" | "unsub", room: string, reason?: UnsubReason): string {
  return JSON.stringify({ op, room, reason });
}

/** The backend removed the account · a refreshed token no longer opens the room · the room token has expired. */
export type UnsubReason = "removed" | "not_authorised" | "token_expired";

/** This node is going: the connection will be closed within the time. */
export function encodeDrain(withinMs: number): string {
  return JSON.stringify({ op: "drain", within_ms: withinMs });
}

export function pong(id?: OpId): string {
  return JSON.stringify({ op: "pong", id });
}
