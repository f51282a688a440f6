// The life of the connection: one state, changed in `enter` alone, and at most one attempt or socket at a time.
import type { Clock } from "../clock.ts";
import { createDeferred, type Deferred, ignore } from "../deferred.ts";
import { XlveinError } from "../errors.ts";
import type { Emitter } from "../events/emitter.ts";
import type { State } from "../events/events.ts";
import type { Page } from "../page/page.ts";
import { advise, RETRY, TOKEN_EXPIRED, TOKEN_INVALID } from "../protocol/close.ts";
import type { Reconnect } from "../reconnect/reconnect.ts";
import type { Tokens } from "../token/token.ts";
import type { Socket, WebSocketLike } from "../transport/socket.ts";

export interface Connection {
  readonly state: State;
  /** Resolves when connected, rejects when the client closes first. */
  connect(): Promise<void>;
  /** Resolves when the socket is gone. */
  close(): Promise<void>;
  /** The server has said hello; the connection is lost when nothing comes for `silenceMs`. Answers a signal that aborts when it is gone. */
  connected(silenceMs: number): AbortSignal;
}

/**
 * `timeoutMs`: for the token and for the handshake each. `dial` opens a socket, or throws what the WebSocket class throws. `onFrame` gets the data of each
 * frame. `onDown`: socket or attempt, if there was one, are no longer ours; `closed`: nor will there be another.
 */
export function createConnection(
  clock: Clock,
  tokens: Tokens,
  page: Page,
  reconnect: Reconnect,
  emit: Emitter["emit"],
  timeoutMs: number,
  dial: (token: string, frame: (data: string) => void, end: (code: number, reason: string) => void) => Socket,
  onFrame: (text: string, socket: WebSocketLike) => void,
  onDown: (reason: XlveinError, closed: boolean) => void,
): Connection {
  let state: State = "idle";
  /** There while there is an attempt or a socket; aborts when it is given up. */
  let control: AbortController | undefined;
  let socket: Socket | undefined;
  /** How long the server may be silent; 0 before its hello. */
  let silence = 0;
  /** Calls off the time limit of the present step. */
  let inTime = ignore;
  /** The end of the socket before: the next one waits for it. */
  let gone = Promise.resolve();
  let ready: Deferred | undefined;

  /** The last step of every transition, since a listener may start the next one. */
  function enter(next: State, reason?: XlveinError, retryInMs?: number): void {
    const previous = state;
    state = next;
    emit("state", { state, previous, reason, retryInMs });
    // To sleep is no fault.
    if (reason && reason.code !== page.asleep()) emit("error", reason);
  }

  function settle(error?: XlveinError): void {
    ready?.settle(error);
    ready = undefined;
  }

  /** The steps of an attempt. Whoever aborts it has taken over, so it ends without a word. */
  async function begin(): Promise<void> {
    if (page.asleep()) return enter("disconnected", asleepError());
    control = new AbortController();
    const { signal } = control;
    enter("connecting");
    await gone;
    if (signal.aborted) return;
    try {
      limit();
      const token = await tokens.obtain(signal);
      if (signal.aborted) return;
      limit();
      const frame = (text: string) => {
        onFrame(text, (socket as Socket).raw);
        if (silence) limit(silence);
      };
      socket = dial(token, frame, lost);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof XlveinError) lose(error);
      else finish(new XlveinError("stopped", `${error}`, { cause: error }));
    }
  }

  function limit(ms = timeoutMs): void {
    inTime();
    inTime = clock.after(ms, () => lose(new XlveinError("timeout", `${ms} ms`)));
  }

  function connected(silenceMs: number): AbortSignal {
    silence = silenceMs;
    reconnect.opened();
    settle();
    const { signal } = control as AbortController;
    enter("connected");
    return signal;
  }

  function lost(closeCode: number, reason: string): void {
    let advice = advise(closeCode, reason);
    if (closeCode === TOKEN_EXPIRED) tokens.expired();
    // A token may have been replaced in the backend: another one is tried once.
    if (closeCode === TOKEN_INVALID && tokens.refused()) advice = RETRY;
    const code = !advice ? "stopped" : silence ? "connection_lost" : "connect_failed";
    const error = new XlveinError(code, `${closeCode} ${reason}`, { closeCode });
    if (advice) lose(error, advice);
    else finish(error);
  }

  /** Ends the attempt or the socket, whatever it was doing. */
  function drop(reason: XlveinError, closed = false): void {
    inTime();
    control?.abort();
    if (socket) gone = socket.close();
    control = socket = undefined;
    silence = 0;
    onDown(reason, closed);
  }

  function lose(reason: XlveinError, advice = RETRY): void {
    drop(reason);
    enter("disconnected", reason, reconnect.wait(advice, begin));
  }

  function finish(reason?: XlveinError): void {
    const why = reason ?? new XlveinError("not_connected");
    drop(why, true);
    reconnect.reset();
    page.stop();
    settle(why);
    if (state !== "closed") enter("closed", reason);
  }

  function sleep(): void {
    reconnect.pause();
    if (!control) return;
    const why = asleepError();
    drop(why);
    enter("disconnected", why);
  }

  function wake(): void {
    if (state === "disconnected" && !page.asleep()) reconnect.hurry(begin);
  }

  function asleepError(): XlveinError {
    return new XlveinError(page.asleep() ?? "offline");
  }

  function connect(): Promise<void> {
    if (state === "connected") return Promise.resolve();
    ready ??= createDeferred();
    const { promise } = ready;
    if (state === "disconnected") wake();
    else if (state !== "connecting") {
      page.start(sleep, wake);
      void begin();
    }
    return promise;
  }

  return {
    get state() {
      return state;
    },
    connect,
    close: () => {
      finish();
      return gone;
    },
    connected,
  };
}
