// A room: while it is wanted it is subscribed to on every connection, from where it was.
import type { Clock } from "../clock.ts";
import { createDeferred, type Deferred, ignore } from "../deferred.ts";
import { XlveinError } from "../errors.ts";
import type { Emitter } from "../events/emitter.ts";
import type { MembershipEvent, On } from "../events/events.ts";
import { createReader } from "../events/reader.ts";
import type { Messaging, SendOptions, Sent } from "../messaging/messaging.ts";
import type { Message, Reply } from "../protocol/protocol.ts";
import type { Requests } from "../requests/requests.ts";
import type { HistoryPage, HistoryQuery, Stream, StreamName } from "../streams/streams.ts";

/** A room token, or what asks your backend for one: before each subscription. */
export type RoomToken = string | (() => Promise<string> | string);

export interface RoomOptions {
  /** Where neither the connect token nor the backend has let the account in. */
  readonly token?: RoomToken | undefined;
}

export interface Room {
  readonly name: string;
  /** Whether this connection is in the room. */
  readonly subscribed: boolean;
  /**
   * Enters the room, now and again after every reconnection, from where this client was; until `unsubscribe()`, or until the server ends it.
   * Resolves when it stands. Rejects with `refused` (which is an `error` event, too) or when the client closes first. Called again it does no harm.
   */
  subscribe(): Promise<void>;
  /** Leaves the room; resolves when the server knows. */
  unsubscribe(): Promise<void>;
  /** Sends a JSON object to the room. As the client's `send`; while a subscription is under way it waits for that. */
  send(data: object, options?: SendOptions): Promise<Sent>;
  /** Reads the room back. The client must have subscribed. */
  history(query?: HistoryQuery): Promise<HistoryPage>;
  /** The client's events, those of this room only; `state` is the client's. */
  readonly on: On;
  /** The room's messages from now on, for `for await`; as the client's `messages()`. */
  messages(): AsyncIterableIterator<Message, undefined>;
}

/** The room as the client sees it. */
export interface Subscription extends Room {
  pass: RoomToken | undefined;
  /** There while the room is wanted. */
  source: Stream | undefined;
  /** The connection stands. */
  up(): void;
  /** The connection is gone; `closed`: what waits fails, but the wish stays. */
  down(reason: XlveinError, closed: boolean): void;
  /** The server has ended the subscription. */
  ended(reason: MembershipEvent["reason"]): void;
}

/** The wait after a room's token could not be had, milliseconds. */
export const TOKEN_RETRY_MS = 5_000;

export function createRoom(
  room: string,
  clock: Clock,
  { on, emit }: Emitter,
  requests: Requests,
  messaging: Messaging,
  streamOf: (name: StreamName) => Stream,
  closed: () => boolean,
): Subscription {
  let joined = false;
  let ready: Deferred | undefined;
  /** Calls off the wait for a token, while there is one. */
  let callOff = ignore;

  function settle(error?: XlveinError): void {
    ready?.settle(error);
    ready = undefined;
  }

  function stop(): void {
    callOff();
    joined = false;
  }

  function giveUp(error: XlveinError): void {
    stop();
    it.source = undefined;
    settle(error);
  }

  async function join(): Promise<void> {
    stop();
    const { source } = it;
    let token = it.pass;
    // Each subscription has its own stream: with another one this is stale.
    const current = () => it.source === source;
    const entered = (reply: Reply) => {
      if (!current()) return;
      joined = true;
      source?.enter(reply);
      settle();
    };
    try {
      if (typeof token === "function") token = await token();
      if (current()) await requests.ask({ op: "sub", room, token, position: source?.position }, entered, true);
    } catch (cause) {
      const answered = cause instanceof XlveinError;
      // A lost connection is made good by the next one.
      if (!current() || (answered && cause.code !== "refused")) return;
      if (answered) giveUp(cause);
      else callOff = clock.after(TOKEN_RETRY_MS, join);
      emit("error", answered ? cause : new XlveinError("token_failed", `${cause}`, { cause, room }));
    }
  }

  const own: On = (event, listener) => on(event, (value) => (event === "state" || (value as { room?: string }).room === room) && listener(value));

  const it: Subscription = {
    name: room,
    pass: undefined,
    source: undefined,
    get subscribed() {
      return joined;
    },
    subscribe: () => {
      if (joined) return Promise.resolve();
      if (!it.source) {
        it.source = streamOf({ room });
        void join();
      }
      ready ??= createDeferred();
      return ready.promise;
    },
    unsubscribe: () => {
      giveUp(new XlveinError("not_subscribed"));
      return requests.ask({ op: "unsub", room }, ignore, true).catch(ignore);
    },
    send: (data, options) => messaging.send("room", room, data, options),
    history: (query) => messaging.history({ room }, query),
    on: own,
    messages: () => createReader(own, emit, closed()),
    up: () => {
      if (it.source) void join();
    },
    down: (reason, closed) => {
      stop();
      it.source?.down();
      if (closed) settle(reason);
    },
    ended: (reason) => {
      if (reason === "token_expired" && typeof it.pass === "function") void join();
      else giveUp(new XlveinError("not_subscribed", reason));
    },
  };
  return it;
}
