// Builds the client: the only place where the package's parts meet.
import { createApiToken } from "./api-token.ts";
import { type ClassicPush, createClassicPush } from "./classic-push.ts";
import { type ConnectUrlOptions, createConnectUrl } from "./connect-url.ts";
import { type Connection, createConnections } from "./connections.ts";
import { createDisconnect, type DisconnectOptions } from "./disconnect.ts";
import { createGather } from "./gather.ts";
import { createHistory, type History, type HistoryOptions } from "./history.ts";
import { createAccountRooms } from "./members.ts";
import type { Message } from "./message.ts";
import { parseOptions, type XlveinOptions } from "./options.ts";
import { createBroadcast, createPush, type PublishOptions, type Push, type PushResult } from "./push.ts";
import { createPushMany, createSendTexts, type ItemRetry, type PushManyResult } from "./push-many.ts";
import { backoffMs } from "./retry.ts";
import { createRooms, type Rooms } from "./rooms.ts";
import { createRoomToken, createToken, type RoomTokenOptions, type TokenOptions } from "./token.ts";
import { type CallOptions, createSend } from "./transport.ts";

/**
 * One application of one server. Holds no connection of its own and needs no closing; make one and share it.
 * Methods may be taken off it (`const { push } = createXlvein(…)`). Wrong arguments are a `TypeError` or `RangeError` that names them.
 */
export interface Xlvein {
  /** A JWT that lets a client connect as `account`. Give it to nobody else. */
  token(account: string, options?: TokenOptions): string;
  /** A `ws://` or `wss://` URL, token included, that a client connects to as `account`. */
  connectUrl(account: string, options?: ConnectUrlOptions): string;
  /** A JWT that lets one account enter one room. Give it to that account's client, which presents it when it enters. */
  roomToken(account: string, room: string, options?: RoomTokenOptions): string;
  /**
   * Sends one message to accounts (whoever is connected as one of them), to rooms (whoever is in one of them) or to everyone, at once.
   * Resolves when the server has accepted it; delivered once however often it is retried. Rejects with an `XlveinError`.
   */
  push(push: Push): Promise<PushResult>;
  /**
   * Sends many messages, in order, up to 1,000 in a request. One result for each, at the same index: look at each `error`.
   * Retries only those messages that failed and may succeed later. Rejects with an `XlveinError` when no request was answered.
   */
  pushMany(messages: readonly Message[], options?: CallOptions): Promise<PushManyResult[]>;
  /** `push` to everyone who is connected to the application. */
  broadcast(data: object, options?: PublishOptions): Promise<PushResult>;
  /** Who may enter which room, what is sent there, and what was. */
  readonly rooms: Rooms;
  /** The rooms that `rooms.add` has opened to the account, in no order. */
  accountRooms(account: string, options?: CallOptions): Promise<string[]>;
  /** What was sent to the account, as far as it is kept: the newest messages, or those before or after a place. */
  history(account: string, options?: HistoryOptions): Promise<History>;
  /** The account's live connections, oldest first; empty when it is not connected. */
  connections(account: string, options?: CallOptions): Promise<Connection[]>;
  /** Closes the account's connections, or one of them. Clients that obey the close code (4010) do not come back by themselves. */
  disconnect(account: string, options?: DisconnectOptions): Promise<void>;
  /** `push` by the classic API with its MD5 signature, for servers that know no other. To one account; not repeated when no answer arrives. */
  classicPush(push: ClassicPush): Promise<void>;
}

/** Makes a client. Does not connect yet. @throws TypeError or RangeError that names the option at fault. */
export function createXlvein(options: XlveinOptions): Xlvein {
  const settings = parseOptions(options);
  const { appKey, appSecret, key, now, random, wait, retries, batch } = settings;
  const send = createSend(settings, createApiToken(appKey, key, now));
  const token = createToken(key, now);
  const retry: ItemRetry = { retries, pause: (attempt, signal) => wait(backoffMs(attempt, random), signal) };
  const push = createPush(send);
  return Object.freeze({
    token,
    roomToken: createRoomToken(key, now),
    connectUrl: createConnectUrl(settings.publicBases.ws, appKey, token),
    push: batch ? createGather(push, createSendTexts(send, "push", retry), batch) : push,
    pushMany: createPushMany(createSendTexts(send, "pushMany", retry)),
    broadcast: createBroadcast(send),
    rooms: createRooms(send),
    accountRooms: createAccountRooms(send),
    history: createHistory(send),
    connections: createConnections(send),
    disconnect: createDisconnect(send),
    classicPush: createClassicPush(send, appKey, appSecret),
  });
}
