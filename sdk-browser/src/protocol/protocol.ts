// The contract of a protocol: it knows frames and nothing of sockets, tokens or time.

/** A message as applications see it. On the wire the names are `msg_id`, `send_at` and `conversation_id`. */
export interface Message {
  /** The sender's account; undefined on a push by the backend. */
  readonly from: string | undefined;
  /** The receiving account: the one this client is connected as. */
  readonly to: string;
  /** 0 a push by the backend, 1 a client's message, 2 a message in a room. */
  readonly event: number;
  /** The body. Numbers beyond 2^53 lose digits in JavaScript: send those as text. */
  readonly data: Record<string, unknown>;
  /** Unique, made by the server. */
  readonly msgId: string;
  /** Milliseconds since 1970, by the server's clock. */
  readonly sendAt: number;
  /** The `to` of a client's message; undefined on a push. */
  readonly conversationId: string | undefined;
}

export interface Protocol {
  /** The WebSocket subprotocols to offer; empty for none. */
  readonly subprotocols: readonly string[];
  /** The message in a frame; undefined when the frame is not one. */
  read(frame: string): Message | undefined;
  /** The frame that sends `data` to an account. Throws `bad_message` when they cannot be sent. */
  write(to: string, data: object): string;
}
