// The life of the connection: one state, changed in `enter` alone, and at most one attempt or socket at a time.
import type { Clock } from "../clock.ts";
import { XlveinError } from "../errors.ts";
import type { Page } from "../page/page.ts";
import { type Advice, advise, RETRY } from "../protocol/close.ts";
import type { Reconnect } from "../reconnect/reconnect.ts";
import type { Tokens } from "../token/token.ts";
import type { Socket, SocketEvents } from "../transport/socket.ts";
import type { Outbox } from "./outbox.ts";

/** `idle` never asked to connect · `connecting` · `connected` · `disconnected` will retry · `closed` will not. */
export type State = "idle" | "connecting" | "connected" | "disconnected" | "closed";

export interface StateChange {
  readonly state: State;
  readonly previous: State;
  /** Why, in `disconnected` and `closed`; undefined when the application closed the client itself. */
  readonly reason: XlveinError | undefined;
  /** Milliseconds until the next attempt, in `disconnected`; undefined while the client waits for the network or the page. */
  readonly retryInMs: number | undefined;
}

export interface ConnectionParts {
  readonly clock: Clock;
  readonly tokens: Tokens;
  readonly page: Page;
  readonly reconnect: Reconnect;
  readonly outbox: Outbox;
  /** For the token and for the handshake each. */
  readonly connectTimeoutMs: number;
  open(token: string, on: SocketEvents): Socket;
  onFrame(text: string): void;
  onState(change: StateChange): void;
  onError(error: XlveinError): void;
}

export interface Connection {
  readonly state: State;
  /** Resolves when connected, rejects when the client closes first. */
  connect(): Promise<void>;
  /** Resolves when the socket is gone. */
  close(): Promise<void>;
  send(frame: string): Promise<void>;
}

interface Attempt {
  readonly abort: AbortController;
  socket?: Socket;
  /** Calls off the time limit of the present step. */
  inTime(): void;
}

interface Ready {
  readonly promise: Promise<void>;
  settle(error?: XlveinError): void;
}

const ASLEEP = { offline: "the browser has no network", page_hidden: "the page is in the back/forward cache" };

export function createConnection(parts: ConnectionParts): Connection {
  const { clock, tokens, page, reconnect, outbox, connectTimeoutMs } = parts;
  let state: State = "idle";
  let attempt: Attempt | undefined;
  /** The end of the socket before: the next one waits for it. */
  let gone = Promise.resolve();
  let ready: Ready | undefined;

  /** The last step of every transition, since a listener may start the next one. */
  function enter(next: State, reason?: XlveinError, retryInMs?: number): void {
    const previous = state;
    state = next;
    if (next === "connected") settle();
    if (next === "closed") settle(reason ?? closedByApplication());
    parts.onState({ state, previous, reason, retryInMs });
    if (reason && !(reason.code in ASLEEP)) parts.onError(reason);
  }

  function settle(error?: XlveinError): void {
    ready?.settle(error);
    ready = undefined;
  }

  function begin(): void {
    if (page.asleep()) return enter("disconnected", asleepError());
    const mine: Attempt = { abort: new AbortController(), inTime: () => {} };
    attempt = mine;
    void run(mine);
    enter("connecting");
  }

  /** The steps of an attempt. Whoever aborts it has taken over, so it ends without a word. */
  async function run(mine: Attempt): Promise<void> {
    const { signal } = mine.abort;
    await gone;
    if (signal.aborted) return;
    try {
      limit(mine, "getToken did not answer");
      const token = await tokens.get(signal);
      if (signal.aborted) return;
      limit(mine, "the handshake did not finish");
      mine.socket = parts.open(token, socketEvents(mine));
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof XlveinError) lose(error, RETRY);
      else finish(new XlveinError("stopped", `the browser refuses this connection: ${error}`, { cause: error }));
    }
  }

  function limit(mine: Attempt, what: string): void {
    mine.inTime();
    mine.inTime = clock.after(connectTimeoutMs, () => lose(new XlveinError("timeout", `${what} within ${connectTimeoutMs} ms`), RETRY));
  }

  function socketEvents(mine: Attempt): SocketEvents {
    return {
      open: () => {
        mine.inTime();
        reconnect.opened();
        outbox.flush(mine.socket as Socket);
        enter("connected");
      },
      frame: parts.onFrame,
      end: (closeCode, reason) => {
        if (state === "connected") return lost(closeCode, reason);
        // A refused handshake looks like a server that is not there: the token may be the reason.
        tokens.refuse();
        lose(new XlveinError("connect_failed", "the server refused the connection or cannot be reached", { closeCode }), RETRY);
      },
    };
  }

  function lost(closeCode: number, reason: string): void {
    const advice = advise(closeCode, reason);
    const what = `${closeCode}${reason && ` ${reason}`}`;
    if (!advice) return finish(new XlveinError("stopped", `the server ended the connection for good: ${what}`, { closeCode }));
    if (advice.freshToken) tokens.refuse();
    lose(new XlveinError("connection_lost", `the connection was lost: ${what}`, { closeCode }), advice);
  }

  /** Ends the attempt or the socket, whatever it was doing. */
  function drop(): void {
    const old = attempt;
    attempt = undefined;
    old?.inTime();
    old?.abort.abort();
    if (old?.socket) gone = old.socket.close();
  }

  function lose(reason: XlveinError, advice: Advice): void {
    drop();
    enter("disconnected", reason, reconnect.wait(advice, begin));
  }

  function finish(reason?: XlveinError): void {
    drop();
    reconnect.reset();
    page.stop();
    outbox.fail(reason ?? closedByApplication());
    if (state !== "closed") enter("closed", reason);
  }

  function sleep(): void {
    reconnect.pause();
    if (!attempt) return;
    drop();
    enter("disconnected", asleepError());
  }

  function wake(): void {
    if (state === "disconnected" && !page.asleep()) reconnect.hurry(begin);
  }

  function asleepError(): XlveinError {
    const code = page.asleep() ?? "offline";
    return new XlveinError(code, ASLEEP[code]);
  }

  function connect(): Promise<void> {
    if (state === "connected") return Promise.resolve();
    ready ??= createReady();
    const { promise } = ready;
    if (state === "disconnected") wake();
    else if (state !== "connecting") {
      page.start({ sleep, wake });
      begin();
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
    send: async (frame) => {
      if (state === "idle" || state === "closed") throw new XlveinError("not_connected", `the client is ${state}: call connect() first`);
      await outbox.send(frame, attempt?.socket);
    },
  };
}

function closedByApplication(): XlveinError {
  return new XlveinError("not_connected", "the client was closed");
}

function createReady(): Ready {
  let settle: Ready["settle"] = () => {};
  const promise = new Promise<void>((resolve, reject) => {
    settle = (error) => (error ? reject(error) : resolve());
  });
  // Who watches the state need not catch as well.
  promise.catch(() => {});
  return { promise, settle };
}
