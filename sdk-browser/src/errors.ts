// The errors of this SDK: one class, a stable word each.

/**
 * - `bad_option`: thrown by `createClient`; the message names the option.
 * - `bad_message`: `send`, `history` or `room` was given something that cannot be sent.
 * - `message_too_big`: the frame would be larger than the server or `maxFrameBytes` allows; it was not sent.
 * - `queue_full`: too much waits for the connection or for answers; this message was not taken.
 * - `not_connected`: before `connect()`, or the client closed before the message was sent.
 * - `not_acknowledged`: the message was sent, the connection lost before the answer: twice, or the client closed. It may have arrived.
 * - `refused`: the server's answer is an error; `serverCode` says which (PROTOCOL.md, "Error codes").
 * - `not_subscribed`: `unsubscribe()` or the server ended the subscription before it stood.
 * - `token_failed`: `getToken`, or a room's `token`, threw or answered something that is not a token.
 * - `timeout`: the token or the handshake took longer than `connectTimeoutMs`, or the server has gone silent.
 * - `connect_failed`: the connection ended before the server's hello; `closeCode` says why, 1006 that nobody knows.
 * - `connection_lost`: the socket closed; `closeCode` says how. The client comes back by itself.
 * - `stopped`: the server asked the client not to come back; `closeCode` says why.
 * - `offline`: the browser has no network. The client waits for it.
 * - `page_hidden`: the page went into the back/forward cache. The client waits for its return.
 * - `bad_frame`: a frame arrived that is not the protocol; it was skipped.
 * - `overflow`: a reader of `messages()` was too slow; the oldest message waiting for it was dropped.
 */
export type ErrorCode =
  | "bad_option"
  | "bad_message"
  | "message_too_big"
  | "queue_full"
  | "not_connected"
  | "not_acknowledged"
  | "refused"
  | "not_subscribed"
  | "token_failed"
  | "timeout"
  | "connect_failed"
  | "connection_lost"
  | "stopped"
  | "offline"
  | "page_hidden"
  | "bad_frame"
  | "overflow";

export interface ErrorDetails {
  readonly cause?: unknown;
  /** The WebSocket close code; with `connection_lost`, `connect_failed` and `stopped`. */
  readonly closeCode?: number | undefined;
  /** The server's error code; with `refused`. */
  readonly serverCode?: number | undefined;
  /** The room whose subscription failed. */
  readonly room?: string | undefined;
}

/** Every error this SDK throws, rejects with or announces. */
export class XlveinError extends Error {
  override readonly name = "XlveinError";
  declare readonly code: ErrorCode;
  declare readonly closeCode: number | undefined;
  declare readonly serverCode: number | undefined;
  declare readonly room: string | undefined;

  /** Where the code says it all, so does the message. */
  constructor(code: ErrorCode, message?: string, details?: ErrorDetails) {
    super(message ?? code, details);
    Object.assign(this, details, { code });
  }
}

/** Throws `bad_option` naming the option, unless it is as it must be. */
export function check(good: unknown, option: string, message: string): asserts good {
  if (!good) throw new XlveinError("bad_option", `${option}: ${message}`);
}
