// The errors of this SDK: one class, a stable word each.

/**
 * - `bad_option`: thrown by `createClient`; the message names the option.
 * - `bad_message`: `send` was given something that is not `(account, JSON object)`.
 * - `message_too_big`: the frame would be larger than `maxFrameBytes`; it was not sent.
 * - `queue_full`: too much waits to be sent; this message was not taken.
 * - `not_connected`: `send` before `connect()`, or after the client closed.
 * - `token_failed`: `getToken` threw, or answered something that is not a token.
 * - `timeout`: the token or the handshake took longer than `connectTimeoutMs`.
 * - `connect_failed`: the socket closed before it opened. Browsers do not tell whether the server refused or was not there.
 * - `connection_lost`: the socket closed; `closeCode` says how. The client comes back by itself.
 * - `stopped`: the server asked the client not to come back; `closeCode` says why.
 * - `offline`: the browser has no network. The client waits for it.
 * - `page_hidden`: the page went into the back/forward cache. The client waits for its return.
 * - `bad_frame`: a frame arrived that is not a message; it was skipped.
 * - `overflow`: a reader of `messages()` was too slow; the oldest message waiting for it was dropped.
 */
export type ErrorCode =
  | "bad_option"
  | "bad_message"
  | "message_too_big"
  | "queue_full"
  | "not_connected"
  | "token_failed"
  | "timeout"
  | "connect_failed"
  | "connection_lost"
  | "stopped"
  | "offline"
  | "page_hidden"
  | "bad_frame"
  | "overflow";

/** Every error this SDK throws, rejects with or announces. */
export class XlveinError extends Error {
  override readonly name = "XlveinError";
  readonly code: ErrorCode;
  /** The WebSocket close code; with `connection_lost`, `connect_failed` and `stopped`. */
  readonly closeCode: number | undefined;

  constructor(code: ErrorCode, message: string, details?: { cause?: unknown; closeCode?: number }) {
    super(message, details);
    this.code = code;
    this.closeCode = details?.closeCode;
  }
}

/** Throws `bad_option` naming the option, unless it is as it must be. */
export function check(good: unknown, option: string, message: string): asserts good {
  if (!good) throw new XlveinError("bad_option", `${option}: ${message}`);
}
