// A live socket of an account: its liveness and its end. Its way out is the outbox.
import type { Duplex } from "node:stream";
import { CloseCode } from "../generated/codes.ts";
import { PING } from "../protocol/frames.ts";
import { textFrame } from "../protocol/ws-frame.ts";
import { Outbox, type OutboxSettings } from "./outbox.ts";
import type { Outgoing } from "./outgoing.ts";
import type { Peer } from "./peer.ts";
import { TICK_MS, type Timed, type Wheel } from "./wheel.ts";

/** What all connections of a node share. */
export interface ConnectionSettings extends OutboxSettings {
  readonly pingIntervalMs: number;
  /** Pings without an answer before the socket is cut. */
  readonly missedPings: number;
  readonly now: () => number;
  readonly wheel: Wheel;
}

export interface ConnectionIdentity {
  readonly id: string;
  readonly app: string;
  readonly account: string;
  readonly deviceId: string | undefined;
  readonly protocol: "classic" | "v2";
  /** Messages to it may be compressed. */
  readonly deflates: boolean;
  /** The token's `exp` where it ends the connection, milliseconds since 1970; `undefined`: nothing does. A v2 connection has 5 seconds more. */
  readonly expiresAtMs: number | undefined;
}

/** How long after its token's `exp` a v2 connection may still be given a new one. */
const GRACE_MS = 5_000;
/** Pings that are due nearly together are written together. */
const TOGETHER_MS = 2 * TICK_MS;

/** A WebSocket ping without data (RFC 6455 section 5.5.2), and the ping that scripts in browsers can see. */
const SOCKET_PING: Outgoing = { frame: Buffer.of(0x89, 0) };
const OP_PING: Outgoing = { frame: textFrame(PING) };

/** Connections keep their times as what they are after this, milliseconds: of small numbers the engine makes no objects. */
const BEGINNING_MS = Date.now();

export class Connection extends Outbox<ConnectionSettings> implements Timed {
  // First what every message needs to see, next to the outbox's members in memory.
  readonly id: string;
  readonly protocol: "classic" | "v2";
  readonly deflates: boolean;
  /** The code this side closed with; `undefined` while open, or when the client or the network ended it. */
  closedWith: CloseCode | undefined;
  /** The wheel's tick in which the last frame was sent; WebSocket pings do not count. */
  #sentTick: number;
  /** The tick in which the next WebSocket ping is due. Ticks are small numbers, which cost a connection nothing more. */
  #pingTick: number;
  #missed = 0;
  slot = -1;
  readonly app: string;
  readonly account: string;
  readonly deviceId: string | undefined;
  readonly #connectedAt: number;
  #expiresAt: number | undefined;

  /** `raw` is the TCP socket of the upgrade, `peer` what has been made of it. */
  constructor(peer: Peer, raw: Duplex, identity: ConnectionIdentity, settings: ConnectionSettings) {
    super(peer, raw, settings);
    this.id = identity.id;
    this.app = identity.app;
    this.account = identity.account;
    this.deviceId = identity.deviceId;
    this.protocol = identity.protocol;
    this.deflates = identity.deflates;
    const nowMs = settings.now();
    this.#connectedAt = nowMs - BEGINNING_MS;
    this.#expiresAt = sinceBeginning(identity.expiresAtMs);
    this.#sentTick = settings.wheel.tick;
    this.#pingTick = this.#nextPingTick();
    settings.wheel.add(this, this.#untilNext(nowMs));
  }

  get connectedAtMs(): number {
    return BEGINNING_MS + this.#connectedAt;
  }

  /** Sends a frame at the end of this turn. False when it is not: the connection is closing, or is closed now for its slowness. */
  send(out: Outgoing): boolean {
    if (this.closedWith !== undefined || !this.open) return false;
    if (!this.offer(out)) {
      this.tooSlow();
      return false;
    }
    this.#sentTick = this.settings.wheel.tick;
    return true;
  }

  /** Something arrived: the peer lives. */
  alive(): void {
    this.#missed = 0;
  }

  /** The token that holds now expires then; `undefined`: nothing ends the connection. */
  expireAt(expiresAtMs: number | undefined): void {
    this.#expiresAt = sinceBeginning(expiresAtMs);
    if (this.slot < 0) return;
    const { wheel, now } = this.settings;
    wheel.remove(this);
    wheel.add(this, this.#untilNext(now()));
  }

  /** Writes what waits and starts the closing handshake; a peer that does not answer it is cut after the time-out that the socket was made with. */
  close(code: CloseCode, reason = ""): void {
    if (this.closedWith !== undefined) return;
    this.closedWith = code;
    this.flushWhole();
    this.peer.close(code, reason);
  }

  /** Ends the socket without a handshake. */
  cut(code: CloseCode): void {
    this.closedWith ??= code;
    this.discard();
    this.peer.terminate();
  }

  /** The socket has closed: leaves the wheel and gives back what waits. Without this call both happen at the next ping. */
  ended(): void {
    if (this.slot >= 0) this.settings.wheel.remove(this);
    this.discard();
  }

  tooSlow(): void {
    if (this.closedWith !== undefined) return;
    const classic = this.protocol === "classic";
    this.closedWith = classic ? CloseCode.TRY_AGAIN_LATER : CloseCode.SLOW_CONSUMER;
    const messages = this.discard();
    if (messages > 0) this.settings.outboxes.onDropped(this.app, "slow_consumer", messages);
    this.peer.close(this.closedWith, "too slow");
  }

  onTimer(nowMs: number): number | undefined {
    if (!this.open) {
      this.ended();
      return undefined;
    }
    this.settle();
    if (nowMs >= this.#endMs()) {
      this.close(CloseCode.TOKEN_EXPIRED, "token expired");
      return undefined;
    }
    if (this.settings.wheel.tick >= this.#pingTick) {
      if (this.#missed >= this.settings.missedPings) {
        this.cut(CloseCode.NO_PONG);
        return undefined;
      }
      this.#missed++;
      this.#pingTick = this.#nextPingTick();
      this.push(SOCKET_PING);
      if (this.#untilOpPing() <= TOGETHER_MS) this.#opPing();
    } else if (this.#untilOpPing() <= 0) this.#opPing();
    return this.#untilNext(nowMs);
  }

  protected mayMakeRoomFor({ entry }: Outgoing): boolean {
    if (this.protocol === "classic") return false;
    if (!entry) return true;
    const { slow } = entry.stream;
    return slow === "drop_oldest" || (slow === "conflate" && entry.key !== undefined);
  }

  #opPing(): void {
    this.push(OP_PING);
    this.#sentTick = this.settings.wheel.tick;
  }

  #nextPingTick(): number {
    const { wheel, pingIntervalMs } = this.settings;
    return wheel.tick + Math.ceil(pingIntervalMs / TICK_MS);
  }

  #untilNext(nowMs: number): number {
    const untilPing = (this.#pingTick - this.settings.wheel.tick) * TICK_MS;
    return Math.max(0, Math.min(untilPing, this.#endMs() - nowMs, this.#untilOpPing()));
  }

  #untilOpPing(): number {
    if (this.protocol === "classic") return Number.POSITIVE_INFINITY;
    const { wheel, pingIntervalMs } = this.settings;
    return pingIntervalMs - (wheel.tick - this.#sentTick) * TICK_MS;
  }

  #endMs(): number {
    if (this.#expiresAt === undefined) return Number.POSITIVE_INFINITY;
    return BEGINNING_MS + this.#expiresAt + (this.protocol === "classic" ? 0 : GRACE_MS);
  }
}

function sinceBeginning(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms - BEGINNING_MS;
}
