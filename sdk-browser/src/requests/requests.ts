// Ops and their answers: numbered, written while a connection stands, and again on the next one where the answer was lost with it.
import type { Clock } from "../clock.ts";
import { XlveinError } from "../errors.ts";
import type { Answer, Op, Reply } from "../protocol/protocol.ts";
import type { WebSocketLike } from "../transport/socket.ts";

/** Ops kept while there is no connection; beyond it `ask` fails. They go out in one burst: keep it below a server's rate limit. */
export const QUEUE_LIMIT = 32;
/** Ops without an answer on a connection; beyond it `ask` fails. */
export const OPEN_LIMIT = 1_000;
/** Bytes the network may be behind; beyond it `ask` fails. */
export const MAX_BUFFERED_BYTES = 1_048_576;
/** How often an op is sent again that the server refuses for now. */
export const RETRIES = 4;
/** The least wait before that, doubled each time, milliseconds. The server's hint comes on top. */
export const RETRY_MS = 500;
/** The server's code. */
const NOT_IN_ROOM = 1011;

export interface Requests {
  /**
   * Resolves with the answer. `taken` sees it first, from within its frame, and may make something else of it.
   * `once`: the op belongs to this connection, waits for nothing and ends with it; others are sent again on the next one, once.
   */
  ask<Result>(op: Op, taken: (reply: Reply) => Result, once?: boolean): Promise<Result>;
  /** An answer arrived. */
  answer(frame: Answer): void;
  /** The connection stands. */
  up(socket: WebSocketLike, maxFrameBytes: number): void;
  /** Writes what waits, in order. */
  flush(): void;
  /** The connection is gone; `closed`: everything fails. */
  down(error: XlveinError, closed: boolean): void;
}

interface Entry {
  readonly body: string;
  readonly room: string | undefined;
  readonly once: boolean | undefined;
  answered(reply: Reply): void;
  failed(error: unknown): void;
  /** The connection it was written on last, and on how many it was. */
  on?: WebSocketLike | undefined;
  count: number;
  tries: number;
  /** Calls off the wait for the next try, while there is one. */
  callOff?: (() => void) | undefined;
}

/** `running`: the client has been told to connect. `wanted`: this room is subscribed to, or soon will be. */
export function createRequests(clock: Clock, maxFrameBytes: number, running: () => unknown, wanted: (room: string | undefined) => unknown): Requests {
  const open = new Map<unknown, Entry>();
  let socket: WebSocketLike | undefined;
  let limit = maxFrameBytes;
  let last = 0;

  function flush(): void {
    for (const entry of open.values()) if (entry.on !== socket && !entry.callOff) put(entry);
  }

  function put(entry: Entry): void {
    if (!socket) return;
    entry.on = socket;
    entry.count++;
    socket.send(entry.body);
  }

  return {
    flush,
    ask: (op, taken, once) =>
      new Promise((resolve, failed) => {
        // What belongs to a connection fails quietly without one: whoever asks does so again on the next.
        if (!(once ? socket : running())) throw new XlveinError("not_connected");
        const id = ++last;
        const text = JSON.stringify({ ...op, id });
        if (new Blob([text]).size > limit) throw new XlveinError("message_too_big", `over ${limit} bytes`);
        if (!once && (open.size >= (socket ? OPEN_LIMIT : QUEUE_LIMIT) || (socket && socket.bufferedAmount > MAX_BUFFERED_BYTES)))
          throw new XlveinError("queue_full");
        const entry: Entry = { body: text, room: op.room, once, answered: (reply) => resolve(taken(reply)), failed, count: 0, tries: 0 };
        open.set(id, entry);
        put(entry);
      }),
    answer: (frame) => {
      const { op, id, code, message, retryable, retry_after_ms = 0, ...reply } = frame;
      const entry = open.get(id);
      if (!entry) return;
      if ((retryable || (code === NOT_IN_ROOM && !entry.once && wanted(entry.room))) && entry.tries < RETRIES) {
        // What the server has refused is not lost with the connection.
        entry.on = undefined;
        entry.count = 0;
        entry.callOff = clock.after(retry_after_ms + RETRY_MS * 2 ** entry.tries++ * (1 + clock.random()), () => {
          entry.callOff = undefined;
          flush();
        });
        return;
      }
      open.delete(id);
      if (code) entry.failed(new XlveinError("refused", `${code} ${message}`, { serverCode: code, room: entry.room }));
      else entry.answered(reply);
    },
    up: (fresh, serverLimit) => {
      socket = fresh;
      limit = Math.min(maxFrameBytes, serverLimit);
    },
    down: (error, closed) => {
      socket = undefined;
      for (const [id, { once, count, callOff, failed }] of open)
        if (closed || once || count > 1) {
          callOff?.();
          open.delete(id);
          failed(count && !once ? new XlveinError("not_acknowledged") : error);
        }
    },
  };
}
