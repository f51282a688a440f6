// Builds a client from its rooms; the only file that does.
import { createConnection, type State } from "./connection/connection.ts";
import { createOutbox } from "./connection/outbox.ts";
import { XlveinError } from "./errors.ts";
import { createEmitter } from "./events/emitter.ts";
import type { On } from "./events/events.ts";
import { createReader } from "./events/reader.ts";
import { type ClientOptions, readOptions } from "./options.ts";
import { createPage } from "./page/page.ts";
import { classic } from "./protocol/classic.ts";
import type { Message } from "./protocol/protocol.ts";
import { createReconnect } from "./reconnect/reconnect.ts";
import { createTokens } from "./token/token.ts";
import { openSocket } from "./transport/socket.ts";

export interface Client {
  /** `idle` never asked to connect · `connecting` · `connected` · `disconnected` will retry · `closed` will not. */
  readonly state: State;
  /**
   * Connects and stays connected until `close()`. Resolves when connected; rejects when the client closes first (`stopped`, `not_connected`).
   * Called again it does no harm: while waiting for a retry it retries now, unless the server asked for patience; after `closed` it starts anew.
   */
  connect(): Promise<void>;
  /** Stops for good; resolves when the socket is gone. May be called twice. */
  close(): Promise<void>;
  /**
   * Sends a JSON object to an account. Resolves when the frame has been handed to the open socket; there is no acknowledgement, so a message can
   * still be lost with the connection. While connecting or disconnected up to 32 messages wait and are sent in order.
   * Rejects with `bad_message`, `message_too_big`, `queue_full` or `not_connected`; when the client closes, what waits rejects too.
   */
  send(to: string, data: object): Promise<void>;
  /** Calls a listener for each `message`, `state` or `error` from now on; returns the function that takes it off again. */
  readonly on: On;
  /** Messages from now on, for `for await`. Ends when the client closes. Keeps up to 1,000 for a slow reader, then drops the oldest (`overflow`). */
  messages(): AsyncIterableIterator<Message, undefined>;
}

/** Makes a client; nothing happens before `connect()`. Throws an `XlveinError` with code `bad_option` that names the option. */
export function createClient(options: ClientOptions): Client {
  const { address, token, getToken, connectTimeoutMs, maxFrameBytes, WebSocket, page, clock } = readOptions({ ...options });
  const protocol = classic;
  const events = createEmitter();
  const { on, emit } = events;

  const connection = createConnection({
    clock,
    connectTimeoutMs,
    tokens: createTokens(clock, token, getToken),
    page: createPage(page, address.local),
    reconnect: createReconnect(clock),
    outbox: createOutbox(maxFrameBytes),
    open: (fresh, socketEvents) => openSocket(WebSocket, clock, address.connectUrl(fresh), protocol.subprotocols, socketEvents),
    onFrame: (frame) => {
      const message = protocol.read(frame);
      if (message) emit("message", message);
      else emit("error", new XlveinError("bad_frame", "a frame arrived that is not a message"));
    },
    onState: (change) => emit("state", change),
    onError: (error) => emit("error", error),
  });

  return {
    get state() {
      return connection.state;
    },
    connect: connection.connect,
    close: connection.close,
    on,
    send: async (to, data) => connection.send(protocol.write(to, data)),
    messages: () => {
      const reader = createReader(events);
      if (connection.state === "closed") void reader.return?.();
      return reader;
    },
  };
}
