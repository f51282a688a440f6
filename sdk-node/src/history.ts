// Reading back what an account or a room was sent.
import { type Answer, foreignError, isObject } from "./answer.ts";
import type { components } from "./generated/openapi.ts";
import { accountPath, roomPath } from "./names.ts";
import { whole } from "./options.ts";
import type { CallOptions, Send } from "./transport.ts";

/** Which messages of a stream. Without `after` and `before`: the newest. */
export interface HistoryOptions extends CallOptions {
  /** Those that follow this place, as an answer names it. It rejects with `ErrorCode.POSITION_LOST` when what followed is no longer kept. */
  readonly after?: { readonly epoch: string; readonly offset: number } | undefined;
  /** The newest before this offset; not together with `after`. */
  readonly before?: number | undefined;
  /** Messages at most, 1 to 1,000; fewer come when they are large. Default 100. */
  readonly limit?: number | undefined;
}

/** A message as clients of the full protocol receive it. */
export interface HistoryMessage {
  /** The sender's account; absent on a push by the backend. */
  readonly from?: string;
  /** The receiving account, in an account's stream. */
  readonly to?: string;
  /** The room, in a room's stream. */
  readonly room?: string;
  /** 0 a push by the backend, 1 a client's message, 2 a message in a room. */
  readonly event: number;
  /** Parsed: numbers beyond 2^53 lose digits, as everywhere in JavaScript. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly msgId: string;
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly sendAt: number;
  readonly conversationId?: string;
  readonly key?: string;
  readonly trace?: string;
  /** Its place in the stream. */
  readonly epoch: string;
  readonly offset: number;
}

/** A part of a stream. */
export interface History {
  /** Oldest first. */
  readonly messages: readonly HistoryMessage[];
  /** Where the stream is: of its last message; `offset` 0 and `msgId` "" before the first. */
  readonly position: { readonly epoch: string; readonly offset: number; readonly msgId: string };
  /** Whether the same direction has more: later ones with `after`, older ones without. */
  readonly more: boolean;
}

type WireHistory = components["schemas"]["History"];
type WireMessage = components["schemas"]["MessageFrame"] & { epoch: string; offset: number };

/** Answers the function that reads an account's stream. */
export function createHistory(send: Send): (account: string, options?: HistoryOptions) => Promise<History> {
  return async (account, options = {}) => read(send, "history", accountPath("history", "/api/v1/accounts/{account}/history", account), options);
}

/** Answers the function that reads a room's stream. */
export function createRoomHistory(send: Send): (room: string, options?: HistoryOptions) => Promise<History> {
  return async (room, options = {}) => read(send, "rooms.history", roomPath("rooms.history", "/api/v1/rooms/{room}/history", room), options);
}

function read(send: Send, operation: string, path: string, { after, before, limit, ...options }: HistoryOptions): Promise<History> {
  if (after !== undefined && before !== undefined) throw new TypeError(`${operation}: give either after or before`);
  const query = new URLSearchParams();
  if (after !== undefined) query.set("after", afterText(operation, after));
  if (before !== undefined) query.set("before", String(whole(`${operation}: before`, before, 1, Number.MAX_SAFE_INTEGER)));
  if (limit !== undefined) query.set("limit", String(whole(`${operation}: limit`, limit, 1, 1_000)));
  const search = query.size > 0 ? `?${query}` : "";
  return send({ operation, method: "GET", path: path + search, read: readHistory }, options);
}

function afterText(operation: string, after: { readonly epoch: string; readonly offset: number }): string {
  if (typeof after !== "object" || after === null || typeof after.epoch !== "string" || after.epoch === "")
    throw new TypeError(`${operation}: after must be an object like { epoch: "k3vZ8Qa1.0", offset: 16 }, from an earlier answer`);
  return `${after.epoch}:${whole(`${operation}: after.offset`, after.offset, 0, Number.MAX_SAFE_INTEGER)}`;
}

function readHistory(answer: Answer): History {
  const { body } = answer;
  if (!isHistory(body)) throw foreignError(answer);
  const { epoch, offset, msg_id } = body.position;
  return { messages: body.messages.map((message) => historyMessage(message as WireMessage)), position: { epoch, offset, msgId: msg_id }, more: body.more };
}

/** From the wire's spelling to ours. */
function historyMessage({ from, to, room, event, data, msg_id, send_at, conversation_id, key, trace, epoch, offset }: WireMessage): HistoryMessage {
  return {
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(room !== undefined && { room }),
    event,
    data,
    msgId: msg_id,
    sendAt: send_at,
    ...(conversation_id !== undefined && { conversationId: conversation_id }),
    ...(key !== undefined && { key }),
    ...(trace !== undefined && { trace }),
    epoch,
    offset,
  };
}

function isHistory(value: unknown): value is WireHistory {
  if (!isObject(value) || !isObject(value.position) || !Array.isArray(value.messages)) return false;
  const { epoch, offset, msg_id } = value.position;
  const placed = typeof epoch === "string" && typeof offset === "number" && typeof msg_id === "string";
  return placed && typeof value.more === "boolean" && value.messages.every(isMessage);
}

function isMessage(value: unknown): value is WireMessage {
  if (!isObject(value)) return false;
  const { event, data, msg_id, send_at, epoch, offset } = value;
  const { from = "", to = "", room = "", conversation_id = "", key = "", trace = "" } = value;
  const texts = [msg_id, epoch, from, to, room, conversation_id, key, trace];
  return isObject(data) && [event, send_at, offset].every((one) => typeof one === "number") && texts.every((one) => typeof one === "string");
}
