// The client's end of a fake connection: a WebSocket class whose other end is in the same process.
import type { WebSocketClass, WebSocketLike } from "../transport/socket.ts";

/** The server's end. */
export interface FakePeer {
  readonly url: URL;
  readonly protocols: readonly string[];
  /** Sends a frame; silently nothing once the connection has ended. */
  send(frame: object): void;
  /** Ends the connection: with a close code, or (1006) without a word. */
  end(code: number, reason?: string): void;
  /** Set by the server. */
  onFrame(text: string): void;
  onEnd(): void;
}

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

/** `connect` gets the server's end of each new connection and answers whether it can be reached at all. */
export function createSocketClass(connect: (peer: FakePeer) => boolean): WebSocketClass {
  return class FakeWebSocket implements WebSocketLike {
    readyState = CONNECTING;
    readonly bufferedAmount = 0;
    onopen: ((event: never) => void) | null = null;
    onmessage: ((event: never) => void) | null = null;
    onclose: ((event: never) => void) | null = null;
    onerror: ((event: never) => void) | null = null;
    readonly #peer: FakePeer;
    /** What happens on either side comes one after the other, and never from within a call. */
    #last: Promise<void> = Promise.resolve();

    constructor(url: string, protocols: readonly string[] = []) {
      const peer: FakePeer = {
        url: new URL(url),
        protocols,
        send: (frame) => this.#later(() => this.readyState === OPEN && this.onmessage?.({ data: JSON.stringify(frame) } as never)),
        end: (code, reason = "") => this.#later(() => this.#end(code, reason)),
        onFrame: () => {},
        onEnd: () => {},
      };
      this.#peer = peer;
      this.#later(() => {
        if (this.readyState !== CONNECTING) return;
        const reached = connect(peer);
        if (!reached) return this.#end(1006, "");
        this.readyState = OPEN;
        this.onopen?.({} as never);
      });
    }

    send(data: string): void {
      if (this.readyState === CONNECTING) throw new DOMException("Still in CONNECTING state", "InvalidStateError");
      if (this.readyState === OPEN) this.#later(() => this.readyState === OPEN && this.#peer.onFrame(data));
    }

    close(code = 1000): void {
      if (this.readyState >= CLOSING) return;
      this.readyState = CLOSING;
      this.#later(() => this.#end(code, ""));
    }

    #end(code: number, reason: string): void {
      if (this.readyState === CLOSED) return;
      this.readyState = CLOSED;
      this.#peer.onEnd();
      this.onclose?.({ code, reason } as never);
    }

    #later(run: () => unknown): void {
      this.#last = this.#last.then(() => void run());
    }
  };
}
