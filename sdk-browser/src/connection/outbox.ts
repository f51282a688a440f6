// What waits to be sent: written at once while a socket is open, kept in order while one is being made.
import { XlveinError } from "../errors.ts";
import type { Socket } from "../transport/socket.ts";

/** Frames kept while there is no connection; beyond it `send` rejects. They go out in one burst: keep it below a server's rate limit. */
export const QUEUE_LIMIT = 32;
/** Bytes the network may be behind; beyond it `send` rejects. */
export const MAX_BUFFERED_BYTES = 1_048_576;

export interface Outbox {
  /** Resolves when the frame has been handed to a socket: the classic protocol has no acknowledgement. Rejects with `message_too_big` or `queue_full`. */
  send(frame: string, socket: Socket | undefined): Promise<void>;
  flush(socket: Socket): void;
  /** Rejects everything that waits. */
  fail(error: XlveinError): void;
}

interface Entry {
  frame: string;
  resolve(): void;
  reject(error: XlveinError): void;
}

export function createOutbox(maxFrameBytes: number): Outbox {
  const queue: Entry[] = [];

  return {
    send: async (frame, socket) => {
      const bytes = new TextEncoder().encode(frame).length;
      if (bytes > maxFrameBytes) throw new XlveinError("message_too_big", `the frame has ${bytes} bytes, the limit is ${maxFrameBytes}`);
      const { open, bufferedBytes = 0 } = socket ?? {};
      if (queue.length >= QUEUE_LIMIT || bufferedBytes > MAX_BUFFERED_BYTES) throw new XlveinError("queue_full", "too much waits to be sent already");
      if (open) socket?.send(frame);
      else await new Promise<void>((resolve, reject) => queue.push({ frame, resolve, reject }));
    },
    flush: (socket) => {
      for (const { frame, resolve } of queue.splice(0)) {
        socket.send(frame);
        resolve();
      }
    },
    fail: (error) => {
      for (const { reject } of queue.splice(0)) reject(error);
    },
  };
}
