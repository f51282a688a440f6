// The sockets of this node, by application and account, and delivery to them.
import type { App } from "../apps/app.ts";
import { within } from "../deadline.ts";
import { ErrorCode, XlveinError } from "../errors.ts";
import { CloseCode } from "../generated/codes.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { encodeClassic } from "../protocol/classic.ts";
import type { Envelope } from "../protocol/envelope.ts";
import type { Message } from "../protocol/message.ts";
import { accountTarget, type Target } from "../protocol/target.ts";
import type { Connection } from "./connection.ts";

/** A place for one connection, counted from before its handshake until it has gone. */
export interface Seat {
  /** Puts the connection in its place: it receives from now on. */
  take(connection: Connection): void;
  /** Gives the place back; may be called twice. */
  leave(): void;
}

export interface Hub {
  /** Seats taken. */
  readonly count: number;
  countOf(app: string): number;
  /**
   * Takes a place and resolves when this node receives what is sent to the account.
   * Rejects with OVERLOADED over a quota, with EXCHANGE_UNAVAILABLE when the exchange does not confirm in time.
   */
  admit(app: App, account: string): Promise<Seat>;
  /** Writes an envelope to the target's sockets. Never throws, never waits. */
  deliver(target: Target, envelope: Envelope): void;
  connections(app: string, account: string): readonly Connection[];
  all(): Iterable<Connection>;
}

export interface HubOptions {
  /** Resolves when envelopes for the target reach this node. */
  hold: (target: Target) => Promise<void>;
  release: (target: Target) => void;
  maxConnections: number;
  /** Longest wait for `hold`. */
  holdTimeoutMs: number;
  metrics: Metrics;
  now: () => number;
}

interface Holding {
  readonly connections: Set<Connection>;
  readonly held: Promise<void>;
  seats: number;
}

interface AppRoom {
  readonly accounts: Map<string, Holding>;
  readonly delivered: { inc(): void };
  count: number;
}

export function createHub({ hold, release, maxConnections, holdTimeoutMs, metrics, now }: HubOptions): Hub {
  const apps = new Map<string, AppRoom>();
  let count = 0;

  function roomOf(key: string): AppRoom {
    let room = apps.get(key);
    if (!room) {
      room = { accounts: new Map(), delivered: metrics.messagesDelivered.labels({ app: key }), count: 0 };
      apps.set(key, room);
    }
    return room;
  }

  function checkQuotas(app: App, account: string): void {
    const room = apps.get(app.key);
    if (count >= maxConnections) throw new XlveinError(ErrorCode.OVERLOADED, "this node has no room for another connection", { reason: "node_full" });
    if ((room?.count ?? 0) >= app.limits.maxConnections)
      throw new XlveinError(ErrorCode.OVERLOADED, "the application has no room for another connection", { status: 429, reason: "app_quota" });
    if ((room?.accounts.get(account)?.seats ?? 0) >= app.limits.maxConnectionsPerAccount)
      throw new XlveinError(ErrorCode.OVERLOADED, "the account has no room for another connection", { status: 429, reason: "account_quota" });
  }

  function sit(app: string, account: string): { holding: Holding; seat: Seat } {
    const room = roomOf(app);
    let holding = room.accounts.get(account);
    if (!holding) {
      holding = { connections: new Set(), held: hold(accountTarget(app, account)), seats: 0 };
      room.accounts.set(account, holding);
    }
    const place = holding;
    place.seats++;
    room.count++;
    count++;
    let taken: Connection | undefined;
    let left = false;
    const seat: Seat = {
      take(connection) {
        taken = connection;
        place.connections.add(connection);
      },
      leave() {
        if (left) return;
        left = true;
        if (taken) place.connections.delete(taken);
        count--;
        room.count--;
        if (room.count === 0) apps.delete(app);
        if (--place.seats > 0) return;
        room.accounts.delete(account);
        release(accountTarget(app, account));
      },
    };
    return { holding: place, seat };
  }

  function deliverMessage(target: Target, message: Message): void {
    const room = apps.get(target.app);
    const holding = room?.accounts.get(target.name);
    if (!room || !holding?.connections.size) return;
    const frame = encodeClassic(target.name, message);
    for (const connection of holding.connections) {
      if (connection.send(frame)) room.delivered.inc();
      else metrics.messagesDropped.inc({ app: target.app, reason: "slow_consumer" });
    }
    metrics.deliveryLatency.observe(Math.max(0, now() - message.sendAt) / 1000);
  }

  function kick(target: Target, connectionId: string | undefined): void {
    for (const connection of connections(target.app, target.name)) {
      if (connectionId === undefined || connection.id === connectionId) connection.close(CloseCode.KICKED, "disconnected by the backend");
    }
  }

  function connections(app: string, account: string): readonly Connection[] {
    return [...(apps.get(app)?.accounts.get(account)?.connections ?? [])];
  }

  return {
    get count() {
      return count;
    },
    countOf: (app) => apps.get(app)?.count ?? 0,
    async admit(app, account) {
      checkQuotas(app, account);
      const { holding, seat } = sit(app.key, account);
      try {
        await within(holdTimeoutMs, holding.held, () => new Error(`no answer within ${holdTimeoutMs} ms`));
      } catch (cause) {
        seat.leave();
        throw new XlveinError(ErrorCode.EXCHANGE_UNAVAILABLE, "the exchange did not confirm the account in time", { cause, reason: "exchange" });
      }
      return seat;
    },
    deliver(target, envelope) {
      if (envelope.kind === "message") deliverMessage(target, envelope.message);
      else kick(target, envelope.connectionId);
    },
    connections,
    *all() {
      for (const room of apps.values()) for (const { connections } of room.accounts.values()) yield* connections;
    },
  };
}
