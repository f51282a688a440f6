// One WebSocket, from opening to its end: knows sockets and nothing of frames or retries.
import type { Clock } from "../clock.ts";

/** The part of the WebSocket class this SDK uses: a browser's, Node's, or the `ws` package's. */
export interface WebSocketLike {
  readonly readyState: number;
  readonly bufferedAmount: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(data: string): void;
  close(code?: number, reason?: string): void;
}
export type WebSocketClass = new (url: string, protocols?: string[]) => WebSocketLike;

export interface SocketEvents {
  open(): void;
  /** The text of a frame; empty for a binary one. */
  frame(text: string): void;
  /** The socket ended without `close()` having been called. */
  end(code: number, reason: string): void;
}

export interface Socket {
  /** False as soon as closing has begun on either side: what is sent then is lost. */
  readonly open: boolean;
  /** Bytes taken by `send` that the network has not. */
  readonly bufferedBytes: number;
  send(frame: string): void;
  /** No event comes after it. Resolves when the socket is gone, at the latest after `CLOSE_WAIT_MS`. */
  close(): Promise<void>;
}

/** How long a peer may take to answer our close; on a dead network it never does. */
export const CLOSE_WAIT_MS = 1_000;

const OPEN = 1;

/** Throws what the WebSocket class throws: a page served by https may not open ws. */
export function openSocket(WebSocket: WebSocketClass, clock: Clock, url: string, subprotocols: readonly string[], on: SocketEvents): Socket {
  const socket = subprotocols.length ? new WebSocket(url, [...subprotocols]) : new WebSocket(url);
  let ended = false;

  function end(code: number, reason: string): void {
    ended = true;
    on.end(code, reason);
  }

  socket.onopen = () => {
    // From now on `close` says it all; but the `ws` package throws where nobody listens to errors.
    socket.onerror = () => {};
    on.open();
  };
  socket.onmessage = ({ data }: { data: unknown }) => on.frame(typeof data === "string" ? data : "");
  socket.onclose = ({ code, reason }: { code: number; reason: string }) => end(code, reason);
  // Node 22 tells of a failed handshake in this way only: its socket never closes.
  socket.onerror = () => end(1006, "");

  function close(): Promise<void> {
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.onerror = () => {};
    if (ended) return Promise.resolve();
    return new Promise((resolve) => {
      const giveUp = clock.after(CLOSE_WAIT_MS, resolve);
      socket.onclose = () => {
        giveUp();
        resolve();
      };
      socket.close(1000);
    });
  }

  return {
    get open() {
      return socket.readyState === OPEN;
    },
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
    send: (frame) => socket.send(frame),
    close,
  };
}
