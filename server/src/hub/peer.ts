// The WebSocket of a connection, as the hub needs it.

/** `readyState` while frames may be written, as in the WHATWG's WebSocket. */
export const OPEN = 1;

export interface Peer {
  readonly readyState: number;
  /** Starts the closing handshake; a peer that does not answer it is cut after a time-out. Nothing once it has been started. */
  close(code: number, reason: string): void;
  /** Ends the socket without a handshake. */
  terminate(): void;
}
