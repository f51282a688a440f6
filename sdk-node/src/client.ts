// Builds the client: the only place where the package's parts meet.
import { createApiToken } from "./api-token.ts";
import { type ClassicPush, createClassicPush } from "./classic-push.ts";
import { type ConnectUrlOptions, createConnectUrl } from "./connect-url.ts";
import { type Connection, createConnections } from "./connections.ts";
import { createDisconnect, type DisconnectOptions } from "./disconnect.ts";
import type { Message } from "./message.ts";
import { parseOptions, type XlveinOptions } from "./options.ts";
import { createPush, type Push, type PushResult } from "./push.ts";
import { createPushMany, type PushManyResult } from "./push-many.ts";
import { backoffMs } from "./retry.ts";
import { createToken, type TokenOptions } from "./token.ts";
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
  /**
   * Sends one message to everyone connected as one of the accounts, at once.
   * Resolves when the server has accepted it; delivered once however often it is retried. Rejects with an `XlveinError`.
   */
  push(push: Push): Promise<PushResult>;
  /**
   * Sends many messages, in order, up to 1,000 in a request. One result for each, at the same index: look at each `error`.
   * Retries only those messages that failed and may succeed later. Rejects with an `XlveinError` when no request was answered.
   */
  pushMany(messages: readonly Message[], options?: CallOptions): Promise<PushManyResult[]>;
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
  const { appKey, appSecret, key, now, random, wait, retries } = settings;
  const send = createSend(settings, createApiToken(appKey, key, now));
  const token = createToken(key, now);
  return Object.freeze({
    token,
    connectUrl: createConnectUrl(settings.publicBases.ws, appKey, token),
    push: createPush(send),
    pushMany: createPushMany(send, { retries, pause: (attempt, signal) => wait(backoffMs(attempt, random), signal) }),
    connections: createConnections(send),
    disconnect: createDisconnect(send),
    classicPush: createClassicPush(send, appKey, appSecret),
  });
}
