// The public surface of @xlvein/browser; as a script it is the global `xlvein`.
export { type Client, createClient } from "./client.ts";
export type { Clock } from "./clock.ts";
export { type ErrorCode, XlveinError } from "./errors.ts";
export type { ClientEvents, GapEvent, MembershipEvent, On, State, StateChange } from "./events/events.ts";
export type { SendOptions, Sent } from "./messaging/messaging.ts";
export type { ClientOptions } from "./options.ts";
export type { PageLike } from "./page/page.ts";
export type { Message } from "./protocol/protocol.ts";
export type { Room, RoomOptions, RoomToken } from "./rooms/room.ts";
export type { HistoryPage, HistoryQuery } from "./streams/streams.ts";
export type { GetToken, TokenReason } from "./token/token.ts";
export type { WebSocketClass, WebSocketLike } from "./transport/socket.ts";
