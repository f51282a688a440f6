// Messages as an async iterator, with a bounded buffer for a reader that is slower than the server.
import { ignore } from "../deferred.ts";
import { XlveinError } from "../errors.ts";
import type { Message } from "../protocol/protocol.ts";
import type { Emitter } from "./emitter.ts";
import type { On } from "./events.ts";

/** Messages kept for a slow reader; beyond it the oldest is dropped and `overflow` announced. */
export const READER_LIMIT = 1_000;

/** Reads from now on. Ends when the client closes, after what is buffered; `return()` (a `break`) ends it at once. */
export function createReader(on: On, emit: Emitter["emit"], ended: boolean): AsyncIterableIterator<Message, undefined> {
  const buffer: Message[] = [];
  let wake = ignore;

  function end(): void {
    // biome-ignore lint/style/noParameterAssign: from now on it has ended
    ended = true;
    for (const off of offs) off();
    wake();
  }

  const offs = [
    on("message", (message) => {
      if (buffer.push(message) > READER_LIMIT) {
        buffer.shift();
        emit("error", new XlveinError("overflow"));
      }
      wake();
    }),
    on("state", ({ state }) => state === "closed" && end()),
  ];
  if (ended) end();

  async function* read(): AsyncGenerator<Message, undefined, undefined> {
    for (;;) {
      while (buffer[0]) yield buffer.shift() as Message;
      if (ended) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }

  const reader = read();
  // A generator's own would wait for the next message first, and do nothing before the first.
  reader.return = async () => {
    buffer.length = 0;
    end();
    return { done: true } as IteratorReturnResult<undefined>;
  };
  return reader;
}
