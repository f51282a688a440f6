// Generated from openapi.yaml by `npm run generate`. Do not edit.
export const ErrorCode = {
  /** Accepted. */
  OK: 0,
  /** A field is missing, has the wrong type or is out of bounds. Mend the request; the message names the field. */
  BAD_REQUEST: 400,
  /** There is nothing at this path. */
  NOT_FOUND: 404,
  /** The path exists but not with this method. */
  METHOD_NOT_ALLOWED: 405,
  /** The request did not arrive in time. Send it again. */
  REQUEST_TIMEOUT: 408,
  /** The body or the message is larger than the limit. Send less. */
  PAYLOAD_TOO_LARGE: 413,
  /** The body is neither JSON nor, on the classic path, a form. */
  UNSUPPORTED_MEDIA_TYPE: 415,
  /** A fault of the server. The log has the request id. */
  INTERNAL: 500,
  /** The server gave up waiting. Try again with the same nonce or idempotency key. */
  TIMEOUT: 504,
  /** The application's rate limit is used up. Wait for Retry-After. */
  RATE_LIMITED: 600,
  /** The token is missing, malformed, expired, wrongly signed or lacks a claim. Mint a new one. */
  TOKEN_INVALID: 1000,
  /** No application has this key. Check the app_key and the server's applications. */
  APP_NOT_FOUND: 1001,
  /** The sign does not match. Check the secret, the field order and that values are signed raw. */
  SIGN_INVALID: 1002,
  /** The message is not a JSON object, or is nested too deeply. */
  MESSAGE_INVALID: 1003,
  /** This is not allowed: the application's `push_auth` leaves this scheme out, the origin is not in `allowed_origins`, or the client lacks the right (`can`, `client_rights`, the room's `publish`). */
  NOT_AUTHORISED: 1004,
  /** The nonce or idempotency key was used before with another body. Use a new one for a new message. */
  KEY_REUSED: 1005,
  /** The application is disabled. */
  APP_DISABLED: 1006,
  /** The exchange between nodes did not accept the message. Try again after Retry-After with the same nonce or idempotency key. */
  EXCHANGE_UNAVAILABLE: 1007,
  /** The store did not answer. Try again after Retry-After with the same nonce or idempotency key. */
  STORE_UNAVAILABLE: 1008,
  /** The server, or this application's share of it, is full, or the server is draining. Try again after Retry-After. */
  OVERLOADED: 1009,
  /** This server has no such op. Look at server_version in hello. */
  UNKNOWN_OP: 1010,
  /** The account may not enter this room, or this connection has not subscribed to it. Have the backend add the account, or get a room token. */
  NOT_IN_ROOM: 1011,
  /** The place is not in the stream: another epoch, or what followed it is no longer kept. Begin anew from the position in the answer to sub, or from the application's own data. */
  POSITION_LOST: 1012,
  /** The connection or the account is in as many rooms as it may be in (`max_rooms_per_connection`, 1,000 memberships per account). Leave one first. */
  TOO_MANY_ROOMS: 1013,
} as const;
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];
