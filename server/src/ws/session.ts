// A live connection of the full protocol: its client's ops, one after the other (PROTOCOL.md, "The full protocol").
import type { App, Right } from "../apps/app.ts";
import type { ConnectGrant } from "../auth/connect-token.ts";
import { ErrorCode, XlveinError } from "../errors.ts";
import { CloseCode } from "../generated/codes.ts";
import type { Connection } from "../hub/connection.ts";
import type { Seat } from "../hub/hub.ts";
import { encodeError, encodeHello, encodeMembership, type OpId, pong, type UnsubReason } from "../protocol/frames.ts";
import { decodeOp, type HistoryOp, type Op, type OpFault, type PubOp } from "../protocol/ops.ts";
import type { Position } from "../protocol/position.ts";
import { accountTarget, appTarget, roomTarget } from "../protocol/target.ts";
import { textFrame } from "../protocol/ws-frame.ts";
import type { Joined } from "../recover/streams.ts";
import { Access } from "./access.ts";
import type { ClientSocket, Session } from "./client-socket.ts";
import type { OpContext, SessionOptions } from "./context.ts";
import { history } from "./ops/history.ts";
import { Pubs } from "./ops/pubs.ts";
import { refresh } from "./ops/refresh.ts";
import { sub } from "./ops/sub.ts";
import { unsub } from "./ops/unsub.ts";
import { createRate, type Rate } from "./rate.ts";

/** Frames in a row that are no ops, beyond which the connection is closed. */
const MAX_FAULTS = 20;
/** Ops that wait for those before them; beyond, the socket is not read until none waits. */
const MAX_WAITING = 64;

const NO_ROOMS: ReadonlySet<string> = new Set();

/** Where the client was in the streams that it is in from the start. */
export interface Positions {
  readonly account: Position | undefined;
  readonly app: Position | undefined;
}

export class FullSession implements Session, OpContext {
  readonly options: SessionOptions;
  readonly connection: Connection;
  readonly seat: Seat;
  readonly access: Access;
  rights: ReadonlySet<Right>;
  readonly #socket: ClientSocket;
  readonly #rate: Rate | undefined;
  #state: "starting" | "idle" | "working" | "ended" = "starting";
  #rooms: Set<string> | undefined;
  /** `undefined` while nothing is done, as for nearly all the time of nearly all connections. */
  #waiting: (Op | OpFault)[] | undefined;
  #paused = false;
  #faults = 0;
  #pubs: Pubs | undefined;
  /** A history that is under way: there is one at a time, and it keeps only the next one waiting. */
  #reading: Promise<void> | undefined;

  constructor(options: SessionOptions, socket: ClientSocket, app: App, connection: Connection, seat: Seat, grant: ConnectGrant) {
    this.options = options;
    this.connection = connection;
    this.seat = seat;
    this.rights = grant.rights;
    this.access = new Access(grant.rooms, this, options.wheel);
    this.#socket = socket;
    this.#rate = createRate(app.limits.messagesPerSecondPerConnection, options.now);
  }

  get app(): App {
    const app = this.options.apps.get(this.connection.app);
    if (!app) throw new XlveinError(ErrorCode.APP_DISABLED, "the application has been removed");
    return app;
  }

  get rooms(): ReadonlySet<string> {
    return this.#rooms ?? NO_ROOMS;
  }

  /** Joins the streams of account and application, says hello, and goes on with them and with what the client has sent meanwhile. */
  async start(app: App, expiresAtMs: number | undefined, positions: Positions): Promise<void> {
    const { connection, options } = this;
    try {
      const own = options.streams.join(connection, accountTarget(connection.app, connection.account), positions.account);
      const everyone = options.streams.join(connection, appTarget(connection.app), positions.app);
      // Asked for only now that changes reach this connection, so that none falls in between.
      const [joinedOwn, joinedEveryone] = await Promise.all([own, everyone, this.#readRooms()]);
      if (!connection.open) return;
      this.send(this.#hello(app, expiresAtMs, joinedOwn, joinedEveryone));
      joinedOwn.go();
      joinedEveryone.go();
      if (this.#state === "starting") void this.#work();
    } catch (error) {
      const unavailable = error instanceof XlveinError && error.code === ErrorCode.EXCHANGE_UNAVAILABLE;
      if (!unavailable) options.log.error({ event: "session failed to start", app: connection.app, err: error });
      connection.close(unavailable ? CloseCode.EXCHANGE_UNAVAILABLE : CloseCode.INTERNAL, unavailable ? error.message : "internal error");
    }
  }

  /** Without an answer the connection goes on: what the token opens is open, and `sub` asks again. */
  async #readRooms(): Promise<void> {
    const { app, account } = this.connection;
    try {
      this.access.memberships.read(await this.options.roomsOf(app, account));
    } catch (error) {
      this.options.metrics.roomsNotEntered.inc({ app, reason: "store" });
      this.options.log.warn({ event: "rooms of an account not read", app, err: error });
    }
  }

  #hello(app: App, expiresAtMs: number | undefined, own: Joined, everyone: Joined): string {
    const { connection, options } = this;
    return encodeHello({
      connectionId: connection.id,
      account: connection.account,
      deviceId: connection.deviceId,
      serverVersion: options.version,
      pingMs: options.pingMs,
      maxFrameBytes: Math.min(options.limits.frameBytes, app.limits.maxMessageBytes),
      recoverable: options.recoverable,
      timeMs: options.now(),
      expiresAtMs,
      rights: this.rights,
      rooms: [...this.access.memberships.rooms],
      streams: { account: own.state, app: everyone.state },
    });
  }

  receive(text: string): void {
    const op = decodeOp(text, this.options.limits.jsonDepth);
    const limited = this.#rate?.take();
    if (limited === "far_over") return this.connection.close(CloseCode.TOO_MANY_REQUESTS, "far more messages than messages_per_second_per_connection");
    this.#faults = op.op === "fault" ? this.#faults + 1 : 0;
    if (this.#faults > MAX_FAULTS) return this.connection.close(CloseCode.PROTOCOL_ABUSE, `more than ${MAX_FAULTS} frames in a row that are not the protocol`);
    if (limited === "over") this.options.metrics.messagesDropped.inc({ app: this.connection.app, reason: "rate_limited" });
    if (op.op === "pong") return;
    this.#waiting ??= [];
    this.#waiting.push(limited === "over" ? { op: "fault", id: op.id, error: this.#tooFast() } : op);
    if (this.#waiting.length > MAX_WAITING) this.#pause();
    if (this.#state === "idle") void this.#work();
  }

  /** WebSocket pings count like frames, and have no answer that could say so. */
  pinged(): void {
    if (this.#rate?.take() === "far_over") this.connection.close(CloseCode.TOO_MANY_REQUESTS, "far more pings than messages_per_second_per_connection");
  }

  #tooFast(): XlveinError {
    const retryAfterSeconds = this.#rate?.retryAfterSeconds ?? 1;
    return new XlveinError(ErrorCode.RATE_LIMITED, "more messages than messages_per_second_per_connection", { retryAfterSeconds });
  }

  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#socket.pause();
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    // Its pongs were not read.
    this.connection.alive();
    this.#socket.resume();
  }

  /**
   * Does what waits, one after the other, so that answers come in the order of the ops, and messages of a client to one receiver in the order in which it sent them;
   * messages to others are under way meanwhile.
   */
  async #work(): Promise<void> {
    this.#state = "working";
    for (let op = this.#waiting?.shift(); op && this.connection.open; op = this.#waiting?.shift()) await this.#do(op);
    this.#waiting = undefined;
    if (this.#state === "working") this.#state = "idle";
    this.#resume();
  }

  async #do(op: Op | OpFault): Promise<void> {
    try {
      if (op.op === "pub") return await this.#publish(op);
      await this.#pubs?.answered();
      if (op.op === "sub") await sub(this, op);
      else if (op.op === "unsub") unsub(this, op);
      else if (op.op === "history") await this.#read(op);
      else if (op.op === "refresh") refresh(this, op);
      else if (op.op === "fault") this.send(encodeError(op.id, op.error));
      else this.send(pong(op.id));
    } catch (error) {
      this.#fail(op.id, error);
    }
  }

  #publish(op: PubOp): Promise<void> {
    this.#pubs ??= new Pubs(this, (id, error) => this.#fail(id, error));
    return this.#pubs.start(op);
  }

  /** Lets later ops go on while the first history waits for the socket; a second one keeps them waiting, so that few are held. */
  async #read(op: HistoryOp): Promise<void> {
    await this.#reading;
    this.#reading = history(this, op).catch((error: unknown) => this.#fail(op.id, error));
  }

  #fail(id: OpId | undefined, error: unknown): void {
    if (error instanceof XlveinError) return this.send(encodeError(id, error));
    this.options.log.error({ event: "op failed", app: this.connection.app, err: error });
    this.send(encodeError(id, new XlveinError(ErrorCode.INTERNAL, "internal error")));
  }

  send(text: string): void {
    this.connection.send({ frame: textFrame(text) });
  }

  enter(room: string): void {
    this.#rooms ??= new Set();
    this.#rooms.add(room);
  }

  leave(room: string): void {
    if (!this.#rooms?.delete(room)) return;
    this.access.withdraw(room);
    this.options.streams.leave(this.connection, roomTarget(this.connection.app, room));
  }

  membership(room: string, member: boolean): void {
    if (this.access.memberships.change(room, member)) this.#tell(room, member);
  }

  memberOf(rooms: readonly string[]): void {
    const { added, removed } = this.access.memberships.read(rooms);
    for (const room of added) this.#tell(room, true);
    for (const room of removed) this.#tell(room, false);
  }

  /** Before `hello` nothing is told: it names the rooms. */
  #tell(room: string, member: boolean): void {
    if (this.#state === "starting") return;
    if (member) this.send(encodeMembership("sub", room));
    else this.#leaveClosed(room, "removed");
  }

  onPassEnded(room: string): void {
    this.#leaveClosed(room, "token_expired");
  }

  /** Leaves a room, unless something else still opens it. */
  #leaveClosed(room: string, reason: UnsubReason): void {
    if (!this.rooms.has(room) || this.access.opens(room)) return;
    this.leave(room);
    this.send(encodeMembership("unsub", room, reason));
  }

  end(): void {
    this.#state = "ended";
    this.#waiting = undefined;
    this.access.end();
  }
}
