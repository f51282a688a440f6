// A connection that catches up: what comes live waits while what was missed is read from the store, page by page, as the socket takes it.
import { setTimeout as sleep } from "node:timers/promises";
import { CloseCode } from "../generated/codes.ts";
import type { Connection } from "../hub/connection.ts";
import type { Hub, Tap } from "../hub/hub.ts";
import type { Message } from "../protocol/message.ts";
import type { EntryPosition, Position } from "../protocol/position.ts";
import type { Target } from "../protocol/target.ts";
import type { Entry, Store } from "../store/store.ts";

/** Entries read at a time. */
export const PAGE = 100;
/** Bytes of a replay that may wait for one socket. */
const UNSENT_BYTES = 256 * 1_024;
/** Live messages kept meanwhile; beyond, they are read from the store like the others. */
const WAITING = 1_024;
/** Tries of a page, and the pause between them: a broker that fails over is back by then. */
const TRIES = 5;
const RETRY_MS = 200;

interface Live {
  readonly message: Message;
  readonly position: EntryPosition | undefined;
}

export interface CatchUp {
  readonly tap: Tap;
  /** Forgets what has come live so far. */
  forget(): void;
  /** Sends what has come live so far, and goes live. */
  live(): void;
  /** Sends a first page that follows `from`, then all pages that follow, then what has come live, without a hole or a repeat, and goes live. Closes the connection when that cannot be done. */
  replay(from: Position, page: readonly Entry[]): void;
}

export interface CatchUpOptions {
  hub: Hub;
  store: Store;
  connection: Connection;
  target: Target;
}

export function createCatchUp({ hub, store, connection, target }: CatchUpOptions): CatchUp {
  const waiting: Live[] = [];
  let overflowed = false;
  let last: Pick<Position, "epoch" | "offset" | "msgId">;

  const send = ({ message, position }: Live): boolean => hub.send(connection, target, message, position);

  function forget(): void {
    waiting.length = 0;
    overflowed = false;
  }

  function live(): void {
    for (const each of waiting.splice(0)) send(each);
    hub.live(connection, target);
  }

  /** False when the connection has ended meanwhile. */
  async function sendPage(page: readonly Entry[]): Promise<boolean> {
    for (const { message, position } of page) {
      if (connection.bufferedBytes > UNSENT_BYTES && !(await connection.drained(UNSENT_BYTES))) return false;
      if (!send({ message, position })) return false;
      last = { epoch: position.epoch, offset: position.offset, msgId: message.msgId };
    }
    return true;
  }

  /** The entries after `last`; closes the connection when the store does not have them any more, or does not answer. */
  async function nextPage(): Promise<readonly Entry[] | undefined> {
    for (let tries = 1; connection.open; tries++) {
      try {
        const missed = await store.missed(target, last, PAGE);
        if (missed.outcome === "complete") return missed.entries;
        connection.close(CloseCode.POSITION_LOST, "what was missed is no longer kept");
      } catch {
        if (tries === TRIES) connection.close(CloseCode.EXCHANGE_UNAVAILABLE, "the store does not answer");
        else await sleep(RETRY_MS, undefined, { ref: false });
      }
    }
    return undefined;
  }

  /** Sends what has come live and follows. False when there is a hole before it, which the store can fill. A stream that has become another one ends the connection: the next answers say so. */
  function flush(): boolean {
    if (overflowed) return false;
    for (const [i, each] of waiting.entries()) {
      const { position, message } = each;
      if (position?.epoch !== last.epoch) {
        connection.close(CloseCode.POSITION_LOST, "the stream has begun anew");
        return true;
      }
      if (position.offset <= last.offset) continue;
      if (position.offset > last.offset + 1) {
        waiting.splice(0, i);
        return false;
      }
      send(each);
      last = { epoch: position.epoch, offset: position.offset, msgId: message.msgId };
    }
    forget();
    return true;
  }

  async function run(first: readonly Entry[]): Promise<void> {
    for (let page: readonly Entry[] | undefined = first; page; page = await nextPage()) {
      if (!(await sendPage(page))) return;
      if (page.length === PAGE) continue;
      if (flush()) return hub.live(connection, target);
      // What overflowed is in the store by now, and read with the next page.
      if (overflowed) forget();
    }
  }

  return {
    tap(message, position) {
      if (waiting.length < WAITING) waiting.push({ message, position });
      else overflowed = true;
    },
    forget,
    live,
    replay(from, page) {
      last = from;
      run(page).catch(() => connection.close(CloseCode.INTERNAL, "internal error"));
    },
  };
}
