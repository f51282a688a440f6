// Which rooms a v2 connection may enter: those its token opens, those the backend added its account to, those it has shown a room token for.
import type { RoomPatterns } from "../auth/connect-token.ts";
import { LEEWAY_MS } from "../auth/jwt.ts";
import type { Timed, Wheel } from "../hub/wheel.ts";
import { Memberships } from "./memberships.ts";

/** Told when a room token ends that nothing else stands beside. */
export interface AccessOwner {
  onPassEnded(room: string): void;
}

/** In one object with the account's memberships: every connection has both, and another object each would be kept for it. */
export class Access extends Memberships {
  /** Of the connect token. */
  patterns: RoomPatterns;
  #passes: Map<string, Pass> | undefined;
  readonly #owner: AccessOwner;
  readonly #wheel: Wheel;

  constructor(patterns: RoomPatterns, owner: AccessOwner, wheel: Wheel) {
    super();
    this.patterns = patterns;
    this.#owner = owner;
    this.#wheel = wheel;
  }

  /** What the backend has added the account to, alone. */
  get memberships(): Memberships {
    return this;
  }

  opens(room: string): boolean {
    return this.patterns.opens(room) || this.has(room) || (this.#passes?.has(room) ?? false);
  }

  /** Lets the connection into a room until a token's `exp` has passed, with the leeway that clocks have. A new token takes the place of the one before. */
  admit(room: string, expiresAtMs: number, nowMs: number): void {
    this.withdraw(room);
    const pass = new Pass(room, expiresAtMs + LEEWAY_MS, this);
    this.#passes ??= new Map();
    this.#passes.set(room, pass);
    this.#wheel.add(pass, Math.max(0, pass.endsAtMs - nowMs));
  }

  /** Forgets a room token: its room has been left. */
  withdraw(room: string): void {
    const pass = this.#passes?.get(room);
    if (!pass) return;
    this.#passes?.delete(room);
    this.#wheel.remove(pass);
  }

  onPassEnded(room: string): void {
    this.#passes?.delete(room);
    if (!this.opens(room)) this.#owner.onPassEnded(room);
  }

  /** The connection has gone. */
  end(): void {
    for (const pass of this.#passes?.values() ?? []) this.#wheel.remove(pass);
    this.#passes = undefined;
  }
}

/** A room token that was good, on the wheel that all connections share. */
class Pass implements Timed {
  slot = -1;
  readonly room: string;
  readonly endsAtMs: number;
  readonly #access: Access;

  constructor(room: string, endsAtMs: number, access: Access) {
    this.room = room;
    this.endsAtMs = endsAtMs;
    this.#access = access;
  }

  onTimer(nowMs: number): number | undefined {
    if (nowMs < this.endsAtMs) return this.endsAtMs - nowMs;
    this.#access.onPassEnded(this.room);
    return undefined;
  }
}
