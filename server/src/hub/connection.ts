// A live socket of an account: its way out, its liveness and its end.
import type { WebSocket } from "ws";
import { CloseCode } from "../generated/codes.ts";
import type { Timed, Wheel } from "./wheel.ts";

/** What all connections of a node share. */
export interface ConnectionSettings {
  readonly outboxBytes: number;
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
  /** When to close for the token's age, milliseconds since 1970; `undefined`: never. */
  readonly expiresAtMs: number | undefined;
}

const TEXT = { binary: false } as const;

export class Connection implements Timed {
  slot = -1;
  readonly id: string;
  readonly app: string;
  readonly account: string;
  readonly deviceId: string | undefined;
  readonly connectedAtMs: number;
  /** The code this side closed with; `undefined` while open, or when the client or the network ended it. */
  closedWith: CloseCode | undefined;
  readonly #socket: WebSocket;
  readonly #settings: ConnectionSettings;
  readonly #expiresAtMs: number;
  #nextPingMs: number;
  #missed = 0;

  constructor(socket: WebSocket, identity: ConnectionIdentity, settings: ConnectionSettings) {
    this.id = identity.id;
    this.app = identity.app;
    this.account = identity.account;
    this.deviceId = identity.deviceId;
    this.connectedAtMs = settings.now();
    this.#socket = socket;
    this.#settings = settings;
    this.#expiresAtMs = identity.expiresAtMs ?? Number.POSITIVE_INFINITY;
    this.#nextPingMs = this.connectedAtMs + settings.pingIntervalMs;
    settings.wheel.add(this, this.#untilNext(this.connectedAtMs));
  }

  get open(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  /** Bytes accepted for this socket that the system has not taken yet. */
  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  /** Writes a frame. False when it was not: the socket is closing, or its outbox is full and it closes now (1013). */
  send(frame: Buffer): boolean {
    if (!this.open) return false;
    if (this.#socket.bufferedAmount + frame.length > this.#settings.outboxBytes) {
      this.close(CloseCode.TRY_AGAIN_LATER, "too slow");
      return false;
    }
    this.#socket.send(frame, TEXT);
    return true;
  }

  /** Something arrived: the peer lives. */
  alive(): void {
    this.#missed = 0;
  }

  /** Starts the closing handshake; a peer that does not answer it is cut after the time-out that the socket was made with. */
  close(code: CloseCode, reason = ""): void {
    if (this.closedWith !== undefined) return;
    this.closedWith = code;
    this.#socket.close(code, reason);
  }

  /** Ends the socket without a handshake. */
  cut(code: CloseCode): void {
    this.closedWith ??= code;
    this.#socket.terminate();
  }

  onTimer(nowMs: number): number | undefined {
    if (!this.open) return undefined;
    if (nowMs >= this.#expiresAtMs) {
      this.close(CloseCode.TOKEN_EXPIRED, "token expired");
      return undefined;
    }
    if (nowMs >= this.#nextPingMs) {
      if (this.#missed >= this.#settings.missedPings) {
        this.cut(CloseCode.NO_PONG);
        return undefined;
      }
      this.#missed++;
      this.#nextPingMs = nowMs + this.#settings.pingIntervalMs;
      this.#socket.ping();
    }
    return this.#untilNext(nowMs);
  }

  #untilNext(nowMs: number): number {
    return Math.max(0, Math.min(this.#nextPingMs, this.#expiresAtMs) - nowMs);
  }
}
