// The sockets of this node, the streams they are in, and delivery to them.
import type { App, SlowPolicy } from "../apps/app.ts";
import { Deadlines } from "../deadline.ts";
import { ErrorCode, XlveinError } from "../errors.ts";
import { CloseCode } from "../generated/codes.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Envelope } from "../protocol/envelope.ts";
import { encodeGap } from "../protocol/frames.ts";
import type { Gap } from "../protocol/gap.ts";
import type { Message } from "../protocol/message.ts";
import type { EntryPosition } from "../protocol/position.ts";
import { accountTarget, appTarget, type Target } from "../protocol/target.ts";
import { textFrame } from "../protocol/ws-frame.ts";
import { type Channel, createChannels, type Tap } from "./channels.ts";
import type { Connection } from "./connection.ts";
import { Copies } from "./copies.ts";

export type { Tap };

/** A place for one connection, counted from before its handshake until it has gone. */
export interface Seat {
  /** Puts the connection in its place: it can be found and kicked from now on. */
  take(connection: Connection): void;
  /** From now on the connection that has taken it gets what is sent to the account and to everyone of the application. */
  live(): void;
  /** Gives the place back and ends the connection's subscriptions; may be called twice. */
  leave(): void;
}

export interface Hub {
  /** Seats taken. */
  readonly count: number;
  countOf(app: string): number;
  /**
   * Takes a place; throws OVERLOADED over a quota. Answers at once, or resolves, when this node receives what is sent to the account and to everyone
   * of the application; rejects with EXCHANGE_UNAVAILABLE when the exchange does not confirm in time.
   */
  admit(app: App, account: string): Seat | Promise<Seat>;
  /**
   * Puts a connection that has taken its seat into a stream, at once; resolves when this node receives what is sent there. With a tap, that gets the messages until `live`.
   * Rejects with EXCHANGE_UNAVAILABLE when the exchange does not confirm in time; the connection is not in the stream then.
   */
  subscribe(connection: Connection, target: Target, tap?: Tap): Promise<void>;
  /** From now on the connection itself gets the messages. */
  live(connection: Connection, target: Target): void;
  unsubscribe(connection: Connection, target: Target): void;
  /** Sends one message of a stream to one connection that is in it. False when the connection is closing. */
  send(connection: Connection, target: Target, message: Message, position: EntryPosition | undefined): boolean;
  /** Writes an envelope to the target's sockets. Never throws, never waits. */
  deliver(target: Target, envelope: Envelope, position: EntryPosition | undefined): void;
  /** Tells those who are in a stream that messages are missing. */
  gap(target: Target, gap: Gap): void;
  connections(app: string, account: string): readonly Connection[];
  /** Streams with a client that knows where they are: one of the full protocol. */
  streams(): Iterable<Target>;
  all(): Iterable<Connection>;
}

export interface HubOptions {
  /** Resolves when envelopes for the target reach this node; `undefined` when they do already. */
  hold: (target: Target) => Promise<void> | undefined;
  release: (target: Target) => void;
  slowOf: (target: Target) => SlowPolicy;
  /** An account has become a member of a room, or is none any more; called for each of its connections. */
  onMembership: (connection: Connection, room: string, member: boolean) => void;
  maxConnections: number;
  /** Longest wait for `hold`. */
  holdTimeoutMs: number;
  metrics: Metrics;
  now: () => number;
}

export function createHub({ onMembership, maxConnections, holdTimeoutMs, metrics, now, ...holding }: HubOptions): Hub {
  const channels = createChannels(holding);
  const deadlines = new Deadlines(holdTimeoutMs);
  const counts = new Map<string, number>();
  const roomsOf = new Map<Connection, Set<Channel>>();
  const delivered = new Map<string, { inc(by: number): void }>();
  let count = 0;

  function checkQuotas(app: App, account: string): void {
    if (count >= maxConnections) throw new XlveinError(ErrorCode.OVERLOADED, "this node has no room for another connection", { reason: "node_full" });
    if ((counts.get(app.key) ?? 0) >= app.limits.maxConnections)
      throw new XlveinError(ErrorCode.OVERLOADED, "the application has no room for another connection", { status: 429, reason: "app_quota" });
    if ((channels.find(accountTarget(app.key, account))?.users ?? 0) >= app.limits.maxConnectionsPerAccount)
      throw new XlveinError(ErrorCode.OVERLOADED, "the account has no room for another connection", { status: 429, reason: "account_quota" });
  }

  function countSeat(app: string, by: 1 | -1): void {
    count += by;
    const left = (counts.get(app) ?? 0) + by;
    if (left > 0) counts.set(app, left);
    else counts.delete(app);
  }

  function vacate(taken: Connection | undefined, own: Channel, everyone: Channel): void {
    if (taken) leaveAll(taken, own, everyone);
    countSeat(own.target.app, -1);
    channels.leave(own);
    channels.leave(everyone);
  }

  function leaveAll(connection: Connection, own: Channel, everyone: Channel): void {
    own.release(connection);
    everyone.release(connection);
    for (const { target } of roomsOf.get(connection) ?? []) unsubscribe(connection, target);
  }

  /** Rejects with EXCHANGE_UNAVAILABLE when the exchange does not confirm in time. */
  async function confirmed(held: Promise<unknown>, what: string): Promise<void> {
    try {
      await deadlines.within(held, () => new Error(`no answer within ${holdTimeoutMs} ms`));
    } catch (cause) {
      throw new XlveinError(ErrorCode.EXCHANGE_UNAVAILABLE, `the exchange did not confirm the ${what} in time`, { cause, reason: "exchange" });
    }
  }

  async function admitted(seat: Seat, held: Promise<unknown>): Promise<Seat> {
    try {
      await confirmed(held, "account");
    } catch (error) {
      seat.leave();
      throw error;
    }
    return seat;
  }

  /** A room is held for as long as one connection is in it; accounts and applications for as long as a seat is taken. */
  function channelFor(connection: Connection, target: Target): Channel | undefined {
    if (target.kind !== "room") return channels.find(target);
    let rooms = roomsOf.get(connection);
    if (!rooms) {
      rooms = new Set();
      roomsOf.set(connection, rooms);
    }
    const known = channels.find(target);
    if (known && rooms.has(known)) return known;
    const channel = channels.enter(target);
    rooms.add(channel);
    return channel;
  }

  function unsubscribe(connection: Connection, target: Target): void {
    const channel = channels.find(target);
    if (!channel?.has(connection)) return;
    channel.release(connection);
    const rooms = roomsOf.get(connection);
    if (!rooms?.delete(channel)) return;
    if (rooms.size === 0) roomsOf.delete(connection);
    channels.leave(channel);
  }

  function countDelivered(app: string, sent: number, offered: number): void {
    let counter = delivered.get(app);
    if (!counter) {
      counter = metrics.messagesDelivered.labels({ app });
      delivered.set(app, counter);
    }
    counter.inc(sent);
    if (sent < offered) metrics.messagesDropped.inc({ app, reason: "slow_consumer" }, offered - sent);
  }

  function deliverMessage(channel: Channel, message: Message, position: EntryPosition | undefined): void {
    for (const tap of channel.taps.values()) tap(message, position);
    if (!channel.anyLive) return;
    const copies = new Copies(channel, message, position);
    let offered = 0;
    let sent = 0;
    for (const connection of channel.live) {
      if (connection.id === message.exclude) continue;
      offered++;
      if (connection.send(copies.for(connection))) sent++;
    }
    countDelivered(channel.target.app, sent, offered);
    metrics.deliveryLatency.observe(Math.max(0, now() - message.sendAt) / 1000);
  }

  function connections(app: string, account: string): readonly Connection[] {
    const channel = channels.find(accountTarget(app, account));
    return channel ? members(channel) : [];
  }

  return {
    get count() {
      return count;
    },
    countOf: (app) => counts.get(app) ?? 0,
    admit(app, account) {
      checkQuotas(app, account);
      const own = channels.enter(accountTarget(app.key, account));
      const everyone = channels.enter(appTarget(app.key));
      countSeat(app.key, 1);
      const seat = new TakenSeat(own, everyone, vacate);
      // Nearly always the application is held already.
      const held = everyone.held === undefined ? own.held : Promise.all([own.held, everyone.held]);
      return held ? admitted(seat, held) : seat;
    },
    async subscribe(connection, target, tap) {
      const channel = channelFor(connection, target);
      if (!channel) throw new Error("only a connection that has its seat can enter a stream");
      if (tap) channel.tap(connection, tap);
      else channel.enliven(connection);
      if (target.kind !== "room" || !channel.held) return;
      try {
        await confirmed(channel.held, "room");
      } catch (error) {
        unsubscribe(connection, target);
        throw error;
      }
    },
    live(connection, target) {
      const channel = channels.find(target);
      if (!channel?.taps.has(connection)) return;
      channel.untap(connection);
      channel.enliven(connection);
    },
    unsubscribe,
    send(connection, target, message, position) {
      const channel = channels.find(target);
      if (!channel?.has(connection)) return false;
      if (connection.id === message.exclude) return true;
      const sent = connection.send(new Copies(channel, message, position).for(connection));
      countDelivered(target.app, sent ? 1 : 0, 1);
      return sent;
    },
    deliver(target, envelope, position) {
      const channel = channels.find(target);
      if (!channel) return;
      if (envelope.kind === "message") deliverMessage(channel, envelope.message, position);
      else if (envelope.kind === "membership") for (const connection of members(channel)) onMembership(connection, envelope.room, envelope.member);
      else if (envelope.kind === "kick") for (const connection of members(channel)) kick(connection, envelope.connectionId);
    },
    gap(target, gap) {
      const channel = channels.find(target);
      if (!channel) return;
      const frame = textFrame(encodeGap(target, gap));
      for (const connection of channel.live) if (connection.protocol === "v2") connection.send({ frame });
    },
    connections,
    *streams() {
      for (const channel of channels.all()) if (members(channel).some(({ protocol }) => protocol === "v2")) yield channel.target;
    },
    *all() {
      for (const channel of channels.accounts()) yield* members(channel);
    },
  };
}

class TakenSeat implements Seat {
  readonly #own: Channel;
  readonly #everyone: Channel;
  readonly #vacate: (taken: Connection | undefined, own: Channel, everyone: Channel) => void;
  #taken: Connection | "left" | undefined;

  constructor(own: Channel, everyone: Channel, vacate: (taken: Connection | undefined, own: Channel, everyone: Channel) => void) {
    this.#own = own;
    this.#everyone = everyone;
    this.#vacate = vacate;
  }

  take(connection: Connection): void {
    this.#taken = connection;
  }

  live(): void {
    const taken = this.#taken;
    if (taken === undefined || taken === "left") return;
    this.#own.enliven(taken);
    this.#everyone.enliven(taken);
  }

  leave(): void {
    const taken = this.#taken;
    if (taken === "left") return;
    this.#taken = "left";
    this.#vacate(taken, this.#own, this.#everyone);
  }
}

function members(channel: Channel): readonly Connection[] {
  return [...channel.taps.keys(), ...channel.live];
}

function kick(connection: Connection, connectionId: string | undefined): void {
  if (connectionId === undefined || connection.id === connectionId) connection.close(CloseCode.KICKED, "disconnected by the backend");
}
