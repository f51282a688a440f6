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
export type { History, HistoryMessage, HistoryOptions } from "./history.ts";
export type { MembersOptions, MembersPage, MembersPageOptions } from "./members.ts";
export type { Message, MessageOptions, Receiver } from "./message.ts";
export type { BatchOptions, XlveinOptions } from "./options.ts";
export type { PublishOptions, Push, PushResult, StreamPosition } from "./push.ts";
export type { PushFailed, PushManyResult, PushSucceeded } from "./push-many.ts";
export type { Rooms } from "./rooms.ts";
export type { Right, RoomTokenOptions, TokenOptions } from "./token.ts";
export type { CallOptions } from "./transport.ts";
export { VERSION } from "./version.ts";
