// What `@xlvein/node` offers.

export type { ClassicPush } from "./classic-push.ts";
export { createXlvein, type Xlvein } from "./client.ts";
export type { ConnectUrlOptions } from "./connect-url.ts";
export type { Connection } from "./connections.ts";
export type { DisconnectOptions } from "./disconnect.ts";
export {
  type FieldError,
  XlveinApiError,
  XlveinAuthenticationError,
  XlveinConflictError,
  XlveinConnectionError,
  XlveinError,
  XlveinRateLimitError,
  XlveinTimeoutError,
  XlveinUnavailableError,
} from "./errors.ts";
export { ErrorCode } from "./generated/codes.ts";
export type { Message, Receiver } from "./message.ts";
export type { XlveinOptions } from "./options.ts";
export type { Push, PushResult, StreamPosition } from "./push.ts";
export type { PushFailed, PushManyResult, PushSucceeded } from "./push-many.ts";
export type { TokenOptions } from "./token.ts";
export type { CallOptions } from "./transport.ts";
export { VERSION } from "./version.ts";
