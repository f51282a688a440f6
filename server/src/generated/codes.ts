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

export const CloseCode = {
  /** The client closed, or was asked to. Nothing to do. */
  NORMAL: 1000,
  /** A frame broke RFC 6455. Mend the client. */
  PROTOCOL_ERROR: 1002,
  /** The frame's type cannot be handled. Mend the client. */
  UNSUPPORTED_DATA: 1003,
  /** Text that is not UTF-8, or a compressed message that cannot be inflated. Mend the client. */
  INVALID_PAYLOAD: 1007,
  /** Too many frames (the application's `messages_per_second_per_connection`) or pings. Slow down, then reconnect. */
  POLICY_VIOLATION: 1008,
  /** The frame is larger than the limit. Do not send it again. */
  MESSAGE_TOO_BIG: 1009,
  /** A fault of the server. Reconnect with back-off. */
  INTERNAL_ERROR: 1011,
  /** The server is restarting. Reconnect at once, with jitter; another node answers. */
  SERVICE_RESTART: 1012,
  /** The client reads more slowly than it is sent to, or the server is full. Reconnect with back-off. */
  TRY_AGAIN_LATER: 1013,
  /** The connect request is malformed: a parameter or a position. Mend the client. */
  BAD_REQUEST: 4000,
  /** No application has this key. Mend the client's address. */
  APP_NOT_FOUND: 4001,
  /** The application was disabled or removed. Stop. */
  APP_DISABLED: 4003,
  /** The client offered a version of the protocol that this server does not speak. Update one of them. */
  PROTOCOL_UNSUPPORTED: 4005,
  /** The token is missing, malformed, wrongly signed or lacks a claim. Get a new one from the backend; stop when that is refused too. */
  TOKEN_INVALID: 4007,
  /** The origin is not one of the application's. Stop. */
  NOT_AUTHORISED: 4009,
  /** The backend disconnected this client. Stop. */
  KICKED: 4010,
  /** Too many frames that are not the protocol. Mend the client. */
  PROTOCOL_ABUSE: 4011,
  /** This node has no room. Come back after at least a second. */
  OVER_CAPACITY: 4100,
  /** The application or the account has as many connections as it may have (`max_connections`, `max_connections_per_account`). Come back later. */
  QUOTA: 4101,
  /** Far over the rate (`messages_per_second_per_connection`). Slow down, then come back. */
  TOO_MANY_REQUESTS: 4102,
  /** A fault of the server. Come back with back-off. */
  INTERNAL: 4103,
  /** The exchange did not confirm the account in time. Come back with back-off. */
  EXCHANGE_UNAVAILABLE: 4104,
  /** The server is restarting. Come back after the hint in the reason, `{"retry_after_ms":n}`; another node answers. */
  DRAIN: 4200,
  /** No pong for two pings. Reconnect. (Rarely seen: such a peer usually reads nothing any more.) */
  NO_PONG: 4201,
  /** The token's `exp` has passed and the application says `close_on_expiry`; on v2 always, 5 seconds after. Reconnect with a new token. */
  TOKEN_EXPIRED: 4202,
  /** The client reads more slowly than it is sent to. Reconnect; what was missed is recovered. */
  SLOW_CONSUMER: 4203,
  /** What the client misses went out of the store while it was being sent. Reconnect; the answer says recovered: false. */
  POSITION_LOST: 4204,
  /** This node has more connections than others. Come back after the hint in the reason, `{"retry_after_ms":n}`; what was missed is recovered. */
  REBALANCE: 4205,
} as const;
export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];
