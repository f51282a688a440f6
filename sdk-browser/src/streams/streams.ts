// The streams this client is in: where it stands in each, what it has had, what is missing (PROTOCOL.md, "Recovery", "Slow readers").
import { ignore } from "../deferred.ts";
import type { Emitter } from "../events/emitter.ts";
import type { GapEvent } from "../events/events.ts";
import { type GapFrame, type Message, type MessageFrame, type Position, readMessage, type StreamState } from "../protocol/protocol.ts";

/** The last messages of a stream that are known again when they come twice. */
export const KNOWN_MESSAGES = 256;
/** What may wait while a gap before it is made good; beyond it the gap is announced. */
export const WAITING_FRAMES = 1_000;
const PAGE = 1_000;

/** How frames name a stream. */
export interface StreamName {
  readonly room?: string | undefined;
  readonly stream?: "account" | "app" | undefined;
}

export interface HistoryQuery {
  /** Messages after this place, oldest first: a message, or the `position` of an answer. Without it the newest. */
  readonly after?: { readonly epoch?: string | undefined; readonly offset?: number | undefined } | undefined;
  /** The newest messages before this offset; not together with `after`. */
  readonly before?: number | undefined;
  /** Messages at most, 1 to 1,000; fewer when they are large. Default 100. */
  readonly limit?: number | undefined;
}

export interface HistoryPage {
  /** Oldest first. */
  readonly messages: readonly Message[];
  /** Where the stream is. */
  readonly position: { readonly epoch: string; readonly offset: number };
  /** Whether there are more in the same direction. */
  readonly more: boolean;
}

export interface Stream {
  readonly name: StreamName;
  /** The last message taken, or where the server said the stream was; undefined where it keeps none. */
  position?: Position;
  /** This message is ours already, should it come. */
  know(msgId: string): void;
  /** The connection stands and says how the stream goes on. */
  enter(state: StreamState): void;
  /** A message or a gap, in its place. */
  take(frame: MessageFrame | GapFrame): void;
  /** The connection is gone. */
  down(): void;
}

/** `history` reads the stream back, on the connection there is. */
export function createStream(name: StreamName, emit: Emitter["emit"], history: (query: HistoryQuery) => Promise<HistoryPage>): Stream {
  const known = new Set<string>();
  let entered = false;
  /** What has come while a gap before it is made good. */
  let waiting: (MessageFrame | GapFrame)[] | undefined;
  /** Ends that, made good or not. */
  let healed = ignore;
  const announce = (reason: GapEvent["reason"], from?: number, to?: number) => emit("gap", { ...name, reason, from, to });

  function know(msgId: string): void {
    known.add(msgId);
    if (known.size > KNOWN_MESSAGES) known.delete([...known][0] as string);
  }

  function accept(message: Message): void {
    const { epoch, offset, msgId } = message;
    const position = stream.position;
    const repeated = known.has(msgId);
    if (offset) {
      if (position && (position.epoch !== epoch || position.offset >= offset)) {
        if (repeated) return;
        // Another message where we have been: the stream is not what it was.
        announce("lost");
      }
      stream.position = { epoch: epoch as string, offset, msg_id: msgId };
    }
    know(msgId);
    if (!repeated) emit("message", message);
  }

  /** Reads the hole from `from` to `to` back, page by page, while what comes waits. What cannot be had is announced. */
  async function heal(epoch: string | undefined, from: number, to: number): Promise<void> {
    const mine: typeof waiting = [];
    waiting = mine;
    healed = () => {
      if (waiting !== mine) return;
      waiting = undefined;
      if (from <= to) announce("dropped", from, to);
      for (const frame of mine) stream.take(frame);
    };
    try {
      let page: HistoryPage;
      do {
        page = await history({ after: { epoch, offset: from - 1 }, limit: Math.min(to - from + 1, PAGE) });
        if (waiting !== mine) return;
        for (const message of page.messages) {
          accept(message);
          // biome-ignore lint/style/noParameterAssign: from where on messages are missing still
          from = (message.offset as number) + 1;
        }
      } while (page.messages[0] && from <= to);
    } catch {}
    healed();
  }

  const stream: Stream = {
    name,
    know,
    enter: ({ position, recovered, reason }) => {
      // Who has no position cannot ask: nothing is kept, and what was sent meanwhile is missed.
      const missed = reason ?? (entered && !position && "store_unavailable");
      entered = true;
      if (recovered) return;
      if (missed) announce(missed);
      if (position) stream.position = position;
    },
    take: (frame) => {
      if (waiting) {
        if (waiting.push(frame) > WAITING_FRAMES) healed();
      } else if ("op" in frame) {
        const { reason, epoch, from, to } = frame;
        if (reason === "dropped") void heal(epoch, from as number, to as number);
        else {
          announce(reason, from, to);
          if (epoch && !from) stream.position = { epoch, offset: 0, msg_id: "" };
        }
      } else accept(readMessage(frame));
    },
    down: () => {
      waiting = undefined;
    },
  };
  return stream;
}
