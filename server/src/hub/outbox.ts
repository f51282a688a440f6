// The way out of a connection: what waits for its socket, written once at the end of each turn of the event loop.
import type { Duplex } from "node:stream";
import { Backlog } from "./backlog.ts";
import { type Chain, joinFrames } from "./chain.ts";
import type { Outboxes } from "./outboxes.ts";
import type { Outgoing } from "./outgoing.ts";
import { OPEN, type Peer } from "./peer.ts";

/** What the TCP socket may hold before nothing more is handed to it: what it holds cannot be dropped any more. */
const SOCKET_BYTES = 65_536;
const NOTHING = Buffer.alloc(0);

/** Outboxes that wait for their TCP socket, so that one pair of listeners serves all. */
const blocked = new WeakMap<Duplex, Outbox>();
/** Those who wait until an outbox has drained: few, so that the others have no member for them. */
const waiting = new WeakMap<Outbox, Waiter[]>();

/** `turn`: something waits for the end of this turn · `blocked`: for the TCP socket. */
type State = "idle" | "turn" | "blocked";

/** What all outboxes of a node share. */
export interface OutboxSettings {
  /** What may wait for one connection; a single frame may be larger. */
  readonly outboxBytes: number;
  readonly outboxes: Outboxes;
}

interface Waiter {
  readonly bytes: number;
  readonly resolve: (drained: boolean) => void;
}

/**
 * Frames go to the TCP socket past the WebSocket. Both write whole frames, so that pongs and close frames fall between ours.
 */
export abstract class Outbox<Settings extends OutboxSettings = OutboxSettings> {
  abstract readonly app: string;
  readonly peer: Peer;
  protected readonly settings: Settings;
  readonly #raw: Duplex;
  #state: State = "idle";
  /** Of what waits here; the TCP socket's share comes on top. */
  #bytes = 0;
  /** What waits for the end of the turn; or, for the TCP socket, `queue`, as a backlog once something may have to be taken out of it. */
  #chain: Chain | undefined;
  #queue: Outgoing[] | Backlog | undefined;
  /** Bytes of the TCP socket that the outboxes' sum knows of. */
  #left = 0;

  /** `raw` is the TCP socket of the upgrade. */
  constructor(peer: Peer, raw: Duplex, settings: Settings) {
    this.peer = peer;
    this.settings = settings;
    this.#raw = raw;
  }

  get open(): boolean {
    return this.peer.readyState === OPEN;
  }

  /** Bytes accepted for this connection that the system has not taken yet. */
  get bufferedBytes(): number {
    return this.#bytes + this.#raw.writableLength;
  }

  /** Resolves true when at most `bytes` wait, false when the connection has ended. */
  async drained(bytes: number): Promise<boolean> {
    if (this.#state === "turn") this.flush();
    if (!this.open) return false;
    if (this.bufferedBytes <= bytes) return true;
    return new Promise((resolve) => {
      waiting.set(this, [...(waiting.get(this) ?? []), { bytes, resolve }]);
      this.#listenForRoom();
    });
  }

  /** Writes what waits, as far as the TCP socket takes it; the rest when it has room. */
  flush(): void {
    if (!this.open) {
      this.discard();
      return;
    }
    const raw = this.#raw;
    while (this.#bytes > 0) {
      const room = SOCKET_BYTES - raw.writableLength;
      // A socket that needs no drain would not tell when it has room.
      if (room <= 0 && raw.writableNeedDrain) break;
      raw.write(this.#take(room));
    }
    if (this.#bytes > 0) this.#block();
    else if (this.#state === "blocked") this.#unblock();
    else this.#state = "idle";
    if (raw.writableLength !== this.#left || this.#bytes > 0) this.settle();
    if (waiting.has(this)) this.#wake();
  }

  /** Tells the sum how much is left. */
  settle(): void {
    const left = this.#raw.destroyed ? 0 : this.#raw.writableLength;
    this.settings.outboxes.count(left - this.#left);
    this.#left = left;
    this.settings.outboxes.hold(this, left > 0 || this.#state === "blocked");
    this.settings.outboxes.check();
  }

  /** Gives everything back: the connection has ended, or will without what waits. Answers how many messages that were. */
  discard(): number {
    const messages = this.#countMessages();
    const bytes = this.#bytes + this.#left;
    this.#bytes = 0;
    this.#left = 0;
    this.#chain = undefined;
    this.#queue = undefined;
    this.#unblock();
    this.settings.outboxes.hold(this, false);
    this.settings.outboxes.count(-bytes);
    if (waiting.has(this)) this.#wake();
    return messages;
  }

  /** Closes the connection for its slowness. */
  abstract tooSlow(): void;

  /** Whether messages may be taken out of what waits so that this one fits. */
  protected abstract mayMakeRoomFor(out: Outgoing): boolean;

  /** Takes a frame. False: it does not fit. */
  protected offer(out: Outgoing): boolean {
    // To look at the TCP socket costs much among thousands of them; since it was last written to it can have got more only from ws, a few pongs.
    const left = this.#state === "blocked" ? this.#raw.writableLength : this.#left;
    if (this.#bytes + out.frame.length + left > this.settings.outboxBytes && !this.#fits(out)) return false;
    this.push(out);
    return true;
  }

  /** Takes a frame, however full it is. */
  protected push(out: Outgoing): void {
    if (this.#queue === undefined) this.#chain = this.#chain === undefined ? this.settings.outboxes.chain(out) : this.#chain.with(out);
    else if (this.#queue instanceof Backlog) this.#queue.append(out);
    else this.#queue.push(out);
    this.#bytes += out.frame.length;
    if (this.#state === "idle") {
      this.#state = "turn";
      this.settings.outboxes.mark(this);
    }
    this.settings.outboxes.count(out.frame.length);
    this.settings.outboxes.check();
  }

  /** Hands everything to the TCP socket, whatever it holds: the last chance before the close frame. */
  protected flushWhole(): void {
    if (this.#bytes > 0 && this.open) this.#raw.write(this.#take(Number.POSITIVE_INFINITY));
    // With the socket's share: it ends soon, one way or another.
    this.discard();
  }

  #fits(out: Outgoing): boolean {
    // What came within this turn may not have to wait.
    if (this.#state === "turn") this.flush();
    const left = this.#raw.writableLength;
    const room = this.settings.outboxBytes - left;
    if (this.#bytes + out.frame.length <= room || this.#bytes + left === 0) return true;
    if (this.#bytes === 0 || !this.mayMakeRoomFor(out)) return false;
    const backlog = this.#backlog();
    const fits = backlog.makeRoom(out, room);
    this.settings.outboxes.count(backlog.bytes - this.#bytes);
    this.#bytes = backlog.bytes;
    if (backlog.dropped > 0) this.settings.outboxes.onDropped(this.app, "dropped", backlog.dropped);
    if (backlog.conflated > 0) this.settings.outboxes.onDropped(this.app, "conflated", backlog.conflated);
    backlog.dropped = 0;
    backlog.conflated = 0;
    return fits;
  }

  #backlog(): Backlog {
    if (!(this.#queue instanceof Backlog)) this.#queue = new Backlog(this.#queue ?? []);
    return this.#queue;
  }

  /** Removes what is to be written next, at most `maxBytes`, but at least one frame. */
  #take(maxBytes: number): Buffer {
    const chain = this.#chain;
    if (chain && chain.bytes <= maxBytes) {
      this.#chain = undefined;
      this.#taken(chain.bytes);
      return chain.join();
    }
    const outs = this.#takeQueued(maxBytes);
    const bytes = outs.reduce((sum, { frame }) => sum + frame.length, 0);
    this.#taken(bytes);
    if (this.#bytes === 0) this.#queue = undefined;
    return joinFrames(outs, bytes);
  }

  #takeQueued(maxBytes: number): readonly { readonly frame: Buffer }[] {
    this.#enqueue();
    const queue = this.#queue ?? [];
    if (queue instanceof Backlog) return queue.take(maxBytes);
    let count = 0;
    for (let bytes = 0; count < queue.length; count++) {
      bytes += (queue[count] as Outgoing).frame.length;
      if (bytes > maxBytes && count > 0) break;
    }
    return queue.splice(0, count);
  }

  /** What was to be written in this turn has to wait. */
  #enqueue(): void {
    if (!this.#chain) return;
    this.#queue = this.#chain.list();
    this.#chain = undefined;
  }

  #taken(bytes: number): void {
    this.#bytes -= bytes;
    this.settings.outboxes.count(-bytes);
  }

  #countMessages(): number {
    if (this.#queue instanceof Backlog) return this.#queue.messages;
    let messages = 0;
    for (const { entry } of this.#queue ?? this.#chain?.list() ?? []) if (entry) messages++;
    return messages;
  }

  #block(): void {
    if (this.#state === "blocked") return;
    this.#state = "blocked";
    this.#enqueue();
    blocked.set(this.#raw, this);
    this.#raw.on("drain", onDrain).on("close", onClose);
  }

  #unblock(): void {
    if (this.#state === "blocked") {
      blocked.delete(this.#raw);
      this.#raw.off("drain", onDrain).off("close", onClose);
    }
    this.#state = "idle";
  }

  #wake(): void {
    if (!this.open) return this.#giveUp();
    const { bufferedBytes } = this;
    const waiters = waiting.get(this) ?? [];
    const left = waiters.filter(({ bytes }) => bufferedBytes > bytes);
    if (left.length > 0) waiting.set(this, left);
    else waiting.delete(this);
    for (const { bytes, resolve } of waiters) if (bufferedBytes <= bytes) resolve(true);
    if (left.length > 0) this.#listenForRoom();
  }

  /** Makes sure that waiters are woken: while nothing waits here, only the TCP socket knows when it has written what it holds. */
  #listenForRoom(): void {
    if (this.#bytes > 0) return;
    this.#raw.write(NOTHING, (error) => {
      if (error) this.#giveUp();
      else if (waiting.has(this)) this.#wake();
    });
  }

  #giveUp(): void {
    const waiters = waiting.get(this) ?? [];
    waiting.delete(this);
    for (const { resolve } of waiters) resolve(false);
  }
}

function onDrain(this: Duplex): void {
  blocked.get(this)?.flush();
}

function onClose(this: Duplex): void {
  blocked.get(this)?.discard();
}
