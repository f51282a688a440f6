// One WebSocket, from opening to its end: knows sockets and nothing of frames or retries.
import type { Clock } from "../clock.ts";
import { ignore } from "../deferred.ts";

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

export interface Socket {
  readonly raw: WebSocketLike;
  /** No event comes after it. Resolves when the socket is gone, at the latest after `CLOSE_WAIT_MS`. */
  close(): Promise<void>;
}

/** How long a peer may take to answer our close; on a dead network it never does. */
export const CLOSE_WAIT_MS = 1_000;

/**
 * `onFrame` gets the data of each frame: text, unless the server sends what is not the protocol. `onEnd`: the socket ended without `close()` having been called.
 * Throws what the WebSocket class throws: a page served by https may not open ws.
 */
export function openSocket(
  WebSocket: WebSocketClass,
  clock: Clock,
  url: string,
  subprotocols: string[],
  onFrame: (data: string) => void,
  onEnd: (code: number, reason: string) => void,
): Socket {
  const raw = new WebSocket(url, subprotocols);
  let ended = false;

  const end = ({ code, reason }: { code: number; reason: string }) => {
    ended = true;
    onEnd(code, reason);
  };
  raw.onopen = () => {
    // From now on `close` says it all; but the `ws` package throws where nobody listens to errors.
    raw.onerror = ignore;
  };
  raw.onmessage = ({ data }: { data: string }) => onFrame(data);
  raw.onclose = end;
  // Node 22 tells of a failed handshake in this way only: its socket never closes.
  raw.onerror = () => end({ code: 1006, reason: "" });

  return {
    raw,
    close: () =>
      new Promise((resolve) => {
        raw.onclose = raw.onmessage = null;
        raw.onerror = ignore;
        if (ended) return resolve();
        const giveUp = clock.after(CLOSE_WAIT_MS, resolve);
        raw.onclose = () => {
          giveUp();
          resolve();
        };
        raw.close(1000);
      }),
  };
}
