// A live connection of the classic protocol: its client's frames, and the rooms that it enters by itself (PROTOCOL.md, "Classic frames").
import type { App } from "../apps/app.ts";
import { publishersOf } from "../apps/rules.ts";
import type { ConnectGrant } from "../auth/connect-token.ts";
import { CloseCode } from "../generated/codes.ts";
import type { Connection } from "../hub/connection.ts";
import type { Seat } from "../hub/hub.ts";
import { createTokenBucket, type TokenBucket } from "../limits/token-bucket.ts";
import { type ClassicSend, decodeClassicSend, type Unwanted } from "../protocol/classic.ts";
import { Event } from "../protocol/message.ts";
import { accountTarget, roomTarget, type Target } from "../protocol/target.ts";
import type { Session } from "./client-socket.ts";
import type { SessionOptions } from "./context.ts";
import { Memberships } from "./memberships.ts";

export class ClassicSession implements Session {
  readonly connection: Connection;
  readonly seat: Seat;
  readonly #options: SessionOptions;
  readonly #rights: ConnectGrant["rights"];
  readonly #patterns: ConnectGrant["rooms"];
  readonly #bucket: TokenBucket | undefined;
  readonly #maxRooms: number;
  readonly #memberships = new Memberships();
  #rooms: Set<string> | undefined;

  constructor(options: SessionOptions, app: App, connection: Connection, seat: Seat, { rights, rooms }: ConnectGrant) {
    this.connection = connection;
    this.seat = seat;
    this.#options = options;
    this.#rights = rights;
    this.#patterns = rooms;
    const { messagesPerSecondPerConnection: rate, maxRoomsPerConnection } = app.limits;
    this.#bucket = Number.isFinite(rate) ? createTokenBucket(rate, rate, options.now) : undefined;
    this.#maxRooms = maxRoomsPerConnection;
  }

  /** Receives from now on what is sent to the account, to everyone and to the rooms of the token; those that the backend added follow as soon as the store has named them. */
  start(): void {
    const { app, account } = this.connection;
    this.seat.live();
    for (const room of this.#patterns.named) this.#enter(room);
    const rooms = this.#options.roomsOf(app, account);
    if (!(rooms instanceof Promise)) return this.memberOf(rooms);
    rooms.then(
      (read) => this.memberOf(read),
      (error: unknown) => this.#notEntered("store", error),
    );
  }

  receive(text: string): void {
    if (!this.#withinRate()) return;
    const send = decodeClassicSend(text, this.#options.limits.jsonDepth);
    if (typeof send === "string") return this.#drop(send);
    const refused = this.#refusal(send);
    if (refused) return this.#drop(refused);
    const { app, account } = this.connection;
    const target = send.kind === "room" ? roomTarget(app, send.to) : accountTarget(app, send.to);
    this.#options.publish(app, [target], { from: account, event: Event.CHAT, data: send.data }).catch((error: unknown) => {
      this.#drop("exchange");
      this.#options.log.warn({ event: "client message lost", app, err: error });
    });
  }

  pinged(): void {
    this.#withinRate();
  }

  membership(room: string, member: boolean): void {
    if (!this.#memberships.change(room, member)) return;
    if (member) this.#enter(room);
    else this.#leave(room);
  }

  memberOf(rooms: readonly string[]): void {
    const { removed } = this.#memberships.read(rooms);
    for (const room of removed) this.#leave(room);
    // Also those that it could not enter before.
    for (const room of this.#patterns.named) this.#enter(room);
    for (const room of this.#memberships.rooms) this.#enter(room);
  }

  end(): void {}

  /** Takes one from the connection's rate; over it, closes. */
  #withinRate(): boolean {
    if (this.#bucket === undefined || this.#bucket.take()) return true;
    this.#drop("rate_limited");
    this.connection.close(CloseCode.POLICY_VIOLATION, "too many messages");
    return false;
  }

  /** Why the client may not send this. A room's rule may keep members from publishing; it lets nobody else in. */
  #refusal({ kind, to }: ClassicSend): Unwanted | undefined {
    if (kind === "account") return this.#rights.has("direct") ? undefined : "not_authorised";
    const app = this.#options.apps.get(this.connection.app);
    return this.#rights.has("publish") && this.#rooms?.has(to) && publishersOf(app, to) !== "nobody" ? undefined : "not_in_room";
  }

  #enter(room: string): void {
    if (!this.connection.open || this.#rooms?.has(room)) return;
    this.#rooms ??= new Set();
    if (this.#rooms.size >= this.#maxRooms) return this.#notEntered("limit");
    this.#rooms.add(room);
    this.#join(roomTarget(this.connection.app, room));
  }

  #leave(room: string): void {
    if (this.#patterns.named.includes(room) || !this.#rooms?.delete(room)) return;
    this.#options.streams.leave(this.connection, roomTarget(this.connection.app, room));
  }

  #join(target: Target): void {
    this.#options.streams.join(this.connection, target).catch((error: unknown) => {
      this.#rooms?.delete(target.name);
      this.#notEntered("exchange", error);
    });
  }

  #drop(reason: Unwanted | "rate_limited" | "exchange"): void {
    this.#options.metrics.messagesDropped.inc({ app: this.connection.app, reason });
  }

  #notEntered(reason: "store" | "exchange" | "limit", error?: unknown): void {
    const { app } = this.connection;
    this.#options.metrics.roomsNotEntered.inc({ app, reason });
    this.#options.log.warn({ event: "classic client is not in all of its rooms", app, reason, ...(error === undefined ? {} : { err: error }) });
  }
}
