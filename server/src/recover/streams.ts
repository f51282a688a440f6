// How a connection joins a stream: subscribe, keep what comes live meanwhile, send what was missed, go on live.
import type { Connection } from "../hub/connection.ts";
import type { Hub } from "../hub/hub.ts";
import type { Position } from "../protocol/position.ts";
import type { Target } from "../protocol/target.ts";
import type { Entry, Store } from "../store/store.ts";
import { createCatchUp, PAGE } from "./catch-up.ts";
import type { Order } from "./order.ts";
import { createRead, type Read } from "./read-back.ts";

/** How a stream goes on for a connection, as `hello` and the answer to `sub` say it (PROTOCOL.md, "Recovery"). */
export interface StreamState {
  /** Where the stream is; `undefined` where the store cannot tell. */
  readonly position?: Position;
  /** Answers a position. */
  readonly recovered?: boolean;
  readonly reason?: NotRecovered;
}

export type NotRecovered = "epoch_changed" | "too_old" | "too_many" | "store_unavailable";

export interface Joined {
  readonly state: StreamState;
  /** Sends what was missed, in order, as the socket takes it, then goes live. To be called once, in the turn in which the answer with `state` is sent. Never throws. */
  go(): void;
}

export interface Streams {
  /**
   * Puts a connection that has taken its seat into a stream, and finds out what it missed since `from`. A classic connection is live at once and misses what it missed.
   * Rejects with EXCHANGE_UNAVAILABLE; the connection is not in the stream then.
   */
  join(connection: Connection, target: Target, from?: Position): Promise<Joined>;
  leave(connection: Connection, target: Target): void;
  /** Reads a stream back. */
  readonly read: Read;
}

export interface StreamsOptions {
  hub: Hub;
  order: Order;
  store: Store;
  /** Missed messages that are sent at most; beyond, `too_many`. */
  recoverMessages: number;
}

const LIVE: Joined = { state: {}, go() {} };

export function createStreams({ hub, order, store, recoverMessages }: StreamsOptions): Streams {
  /** The first page of what was missed, or why there is none. */
  async function firstPage(target: Target, from: Position): Promise<readonly Entry[] | NotRecovered> {
    if (store.type === "none") return "store_unavailable";
    const at = order.positionOf(target);
    if (at && at.epoch === from.epoch && at.offset === from.offset && at.msgId === from.msgId) return [];
    try {
      const missed = await store.missed(target, from, PAGE);
      if (missed.outcome !== "complete") return missed.outcome;
      const last = order.positionOf(target) ?? missed.entries.at(-1)?.position;
      return last && last.offset - from.offset > recoverMessages ? "too_many" : missed.entries;
    } catch {
      return "store_unavailable";
    }
  }

  async function join(connection: Connection, target: Target, from?: Position): Promise<Joined> {
    if (connection.protocol === "classic") {
      await hub.subscribe(connection, target);
      return LIVE;
    }
    const catchUp = createCatchUp({ hub, store, connection, target });
    await hub.subscribe(connection, target, catchUp.tap);
    const missed = from === undefined ? undefined : await firstPage(target, from);
    const position = order.positionOf(target);
    const place = position ? { position } : {};
    if (from !== undefined && typeof missed === "object") return { state: { ...place, recovered: true }, go: () => catchUp.replay(from, missed) };
    // What has come so far is at or before the position that is answered.
    if (position) catchUp.forget();
    const answer = missed === undefined ? {} : { recovered: false, reason: missed as NotRecovered };
    return { state: { ...place, ...answer }, go: catchUp.live };
  }

  return { join, leave: hub.unsubscribe, read: createRead(store) };
}
