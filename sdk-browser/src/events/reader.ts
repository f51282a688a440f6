// Messages as an async iterator, with a bounded buffer for a reader that is slower than the server.
import { XlveinError } from "../errors.ts";
import type { Message } from "../protocol/protocol.ts";
import type { Emitter } from "./emitter.ts";

/** Messages kept for a slow reader; beyond it the oldest is dropped and `overflow` announced. */
export const READER_LIMIT = 1_000;

/** Reads from now on. Ends when the client closes, after what is buffered; `return()` (a `break`) ends it at once. */
export function createReader({ on, emit }: Emitter): AsyncIterableIterator<Message, undefined> {
  const buffer: Message[] = [];
  const waiting: ((result: IteratorResult<Message, undefined>) => void)[] = [];
  const done = { done: true, value: undefined } as const;
  let ended = false;

  function end(): void {
    ended = true;
    for (const off of offs) off();
    for (const reader of waiting.splice(0)) reader(done);
  }

  const offs = [
    on("message", (value) => {
      const reader = waiting.shift();
      if (reader) reader({ done: false, value });
      else if (buffer.push(value) > READER_LIMIT) {
        buffer.shift();
        emit("error", new XlveinError("overflow", "messages(): the reader is too slow, the oldest message was dropped"));
      }
    }),
    on("state", ({ state }) => state === "closed" && end()),
  ];

  return {
    next: async () => {
      const value = buffer.shift();
      if (value) return { done: false, value };
      return ended ? done : new Promise((resolve) => waiting.push(resolve));
    },
    return: async () => {
      buffer.length = 0;
      end();
      return done;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
