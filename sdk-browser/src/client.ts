// Builds a client from its rooms; the only file that does.

import { systemClock } from "./clock.ts";
import { createConnection } from "./connection/connection.ts";
import { check, XlveinError } from "./errors.ts";
import { createEmitter } from "./events/emitter.ts";
import type { MembershipEvent, On, State } from "./events/events.ts";
import { createReader } from "./events/reader.ts";
import { createMessaging, type SendOptions, type Sent } from "./messaging/messaging.ts";
import { type ClientOptions, checkOptions, ownPage } from "./options.ts";
import { createPage } from "./page/page.ts";
import {
  type Answer,
  type Frame,
  type GapFrame,
  type HelloFrame,
  type MembershipFrame,
  type Message,
  type MessageFrame,
  SUBPROTOCOL,
} from "./protocol/protocol.ts";
import { createReconnect } from "./reconnect/reconnect.ts";
import { createRequests } from "./requests/requests.ts";
import { createRoom, type Room, type RoomOptions, type Subscription } from "./rooms/room.ts";
import { createStream, type HistoryPage, type HistoryQuery, type StreamName } from "./streams/streams.ts";
import { createTokens } from "./token/token.ts";
import { connectUrl, parseAddress } from "./transport/address.ts";
import { openSocket, type WebSocketLike } from "./transport/socket.ts";

/** A server that says nothing for its `ping_ms` and this is gone. */
export const SILENCE_MS = 10_000;

export interface Client {
  /** `idle` never asked to connect · `connecting` · `connected` · `disconnected` will retry · `closed` will not. */
  readonly state: State;
  /** This connection's id, for a push that is to leave it out (`exclude`); undefined while not connected. */
  readonly connectionId: string | undefined;
  /**
   * Connects and stays connected until `close()`. Resolves when connected; rejects when the client closes first (`stopped`, `not_connected`).
   * Called again it does no harm: while waiting for a retry it retries now, unless the server asked for patience; after `closed` it goes on
   * where it was: with its positions and its rooms.
   */
  connect(): Promise<void>;
  /** Stops for good; resolves when the socket is gone. May be called twice. */
  close(): Promise<void>;
  /**
   * Sends a JSON object to an account. Resolves with the server's acknowledgement. Up to 32 messages wait while there is no connection. What was sent
   * and not acknowledged before the connection broke is sent again on the next one, once; the server delivers it once.
   * Rejects with `bad_message`, `message_too_big`, `queue_full`, `not_connected`, `refused`, or with `not_acknowledged`: it may have arrived.
   */
  send(to: string, data: object, options?: SendOptions): Promise<Sent>;
  /** Reads back what this account was sent, or (`stream: "app"`) what everyone was. */
  history(query?: HistoryQuery & { readonly stream?: "account" | "app" | undefined }): Promise<HistoryPage>;
  /** A room; the same name is the same room. Nothing happens before `subscribe()`. */
  room(name: string, options?: RoomOptions): Room;
  /** Calls a listener for each event from now on; returns the function that takes it off again. */
  readonly on: On;
  /** Messages of all streams from now on, for `for await`. Ends when the client closes. Keeps up to 1,000 for a slow reader, then drops the oldest (`overflow`). */
  messages(): AsyncIterableIterator<Message, undefined>;
}

/** Makes a client; nothing happens before `connect()`. Throws an `XlveinError` with code `bad_option` that names the option. */
export function createClient(options: ClientOptions = {} as ClientOptions): Client {
  const { getToken, page = ownPage(), clock = systemClock, WebSocket = globalThis.WebSocket, connectTimeoutMs = 10_000, maxFrameBytes = 65_536 } = options;
  checkOptions(options);
  check(WebSocket, "WebSocket", "is missing");
  const address = parseAddress(options);
  check(address.given || getToken, "token", "is missing");

  const events = createEmitter();
  const { on, emit } = events;
  const rooms = new Map<string | undefined, Subscription>();
  const closed = () => connection.state === "closed";
  // Connecting, connected, disconnected.
  const running = () => /conn/.test(connection.state);
  /** Where messages of the room, or for an account, arrive. */
  const sourceOf = (room: string | undefined) => (room ? rooms.get(room)?.source : account);
  const requests = createRequests(clock, maxFrameBytes, running, sourceOf);
  const tokens = createTokens(clock, address.given, getToken, requests.ask, emit);
  const streamOf = (name: StreamName) => createStream(name, emit, (query) => messaging.history(name, query, true));
  const account = streamOf({ stream: "account" });
  const app = streamOf({ stream: "app" });
  const messaging = createMessaging(requests, sourceOf);
  let connectionId: string | undefined;

  const connection = createConnection(
    clock,
    tokens,
    createPage(page, address.local),
    createReconnect(clock),
    emit,
    connectTimeoutMs,
    (token, onFrame, onEnd) =>
      openSocket(WebSocket, clock, connectUrl(address.base, account.position, app.position), [SUBPROTOCOL, `xlvein.token.${token}`], onFrame, onEnd),
    (text, socket) => {
      try {
        take(JSON.parse(text), socket);
      } catch {
        emit("error", new XlveinError("bad_frame"));
      }
    },
    (reason, gone) => {
      connectionId = undefined;
      for (const each of [account, app, ...rooms.values()]) each.down(reason, gone);
      requests.down(reason, gone);
    },
  );

  /** Throws at what is no frame of the protocol. */
  function take(frame: Frame, socket: WebSocketLike): void {
    const { op, room, reason } = frame;
    if (op === "hello") greet(frame as HelloFrame, socket);
    else if (op === "ping") socket.send('{"op":"pong"}');
    else if (frame.id) requests.answer(frame as Answer);
    else if (op === "sub" || op === "unsub") {
      if (op === "unsub") rooms.get(room as string)?.ended(reason as MembershipFrame["reason"]);
      emit("membership", { room, member: op === "sub", reason } as MembershipEvent);
    } else if (op === "gap" || (!op && frame.msg_id))
      (room || (op ? frame.stream === "account" : frame.to) ? sourceOf(room) : app)?.take(frame as GapFrame | MessageFrame);
    else if (!op) throw frame;
  }

  function greet({ connection_id, max_frame_bytes, ping_ms, time, expires_at, streams }: HelloFrame, socket: WebSocketLike): void {
    connectionId = connection_id;
    requests.up(socket, max_frame_bytes);
    // What is to be sent to a room comes after its subscription.
    for (const room of rooms.values()) room.up();
    requests.flush();
    const gone = connection.connected(ping_ms + SILENCE_MS);
    // A listener may have closed the client.
    if (gone.aborted) return;
    tokens.accepted(gone, time - clock.now(), expires_at);
    account.enter(streams.account);
    app.enter(streams.app);
  }

  return {
    get state() {
      return connection.state;
    },
    get connectionId() {
      return connectionId;
    },
    connect: connection.connect,
    close: connection.close,
    on,
    send: (to, data, sendOptions) => messaging.send("to", to, data, sendOptions),
    history: (query) => messaging.history({ stream: query?.stream ?? "account" }, query),
    room: (name, roomOptions) => {
      const room = rooms.get(name) ?? createRoom(name, clock, events, requests, messaging, streamOf, closed);
      rooms.set(name, room);
      room.pass = roomOptions?.token ?? room.pass;
      return room;
    },
    messages: () => createReader(on, emit, closed()),
  };
}
