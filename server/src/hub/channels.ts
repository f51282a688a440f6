// What this node holds: a channel for each account, room and application that one of its connections is in.
import type { SlowPolicy } from "../apps/app.ts";
import type { Message } from "../protocol/message.ts";
import type { EntryPosition } from "../protocol/position.ts";
import type { Target } from "../protocol/target.ts";
import type { Connection } from "./connection.ts";
import type { Stream } from "./outgoing.ts";

/** Takes the messages of a stream in place of a connection that is not ready for them. Must not throw. */
export type Tap = (message: Message, position: EntryPosition | undefined) => void;

const NONE: ReadonlyMap<Connection, Tap> = new Map();
const NOBODY: readonly Connection[] = [];

/** It is its own target: another object would be kept for every account. */
export class Channel implements Stream, Target {
  readonly app: string;
  readonly kind: Target["kind"];
  readonly name: string;
  /** Settled when the exchange has confirmed that messages reach this node, or has not; `undefined` once it has. */
  held: Promise<void> | undefined;
  /** Connections that get messages as they come: of most accounts there is one, which needs no set. */
  #live: Connection | Set<Connection> | undefined;
  /** Reasons to hold it: seats of an account or application, subscriptions of a room. */
  users = 0;
  #taps: Map<Connection, Tap> | undefined;
  readonly #slowOf: (target: Target) => SlowPolicy;

  constructor({ app, kind, name }: Target, slowOf: (target: Target) => SlowPolicy) {
    this.app = app;
    this.kind = kind;
    this.name = name;
    this.#slowOf = slowOf;
  }

  get target(): Target {
    return this;
  }

  get slow(): SlowPolicy {
    return this.#slowOf(this);
  }

  /** The exchange has been asked to hold it, and may have to confirm that. */
  holdUntil(held: Promise<void> | undefined): void {
    this.held = held;
    held?.then(
      () => {
        this.held = undefined;
      },
      () => {},
    );
  }

  /** Connections that are catching up. */
  get taps(): ReadonlyMap<Connection, Tap> {
    return this.#taps ?? NONE;
  }

  /** Connections that get messages as they come. */
  get live(): Iterable<Connection> {
    if (this.#live === undefined) return NOBODY;
    return this.#live instanceof Set ? this.#live : [this.#live];
  }

  get anyLive(): boolean {
    return this.#live !== undefined;
  }

  has(connection: Connection): boolean {
    return this.#isLive(connection) || this.taps.has(connection);
  }

  /** From now on the connection gets messages as they come. */
  enliven(connection: Connection): void {
    if (this.#live instanceof Set) this.#live.add(connection);
    else if (this.#live === undefined) this.#live = connection;
    else this.#live = new Set([this.#live, connection]);
  }

  tap(connection: Connection, tap: Tap): void {
    this.#unlive(connection);
    this.#taps ??= new Map();
    this.#taps.set(connection, tap);
  }

  release(connection: Connection): void {
    this.#unlive(connection);
    this.untap(connection);
  }

  #isLive(connection: Connection): boolean {
    return this.#live instanceof Set ? this.#live.has(connection) : this.#live === connection;
  }

  #unlive(connection: Connection): void {
    if (this.#live === connection) this.#live = undefined;
    else if (this.#live instanceof Set && this.#live.delete(connection) && this.#live.size === 0) this.#live = undefined;
  }

  untap(connection: Connection): void {
    if (this.#taps?.delete(connection) && this.#taps.size === 0) this.#taps = undefined;
  }
}

interface AppChannels {
  readonly account: Map<string, Channel>;
  readonly room: Map<string, Channel>;
  readonly app: Map<string, Channel>;
}

export interface Channels {
  find(target: Target): Channel | undefined;
  /** One more user; holds the target for the first. */
  enter(target: Target): Channel;
  /** One user fewer; releases the target after the last. */
  leave(channel: Channel): void;
  /** Accounts and rooms hold connections, each connection exactly one account. */
  accounts(): Iterable<Channel>;
  all(): Iterable<Channel>;
}

export interface ChannelsOptions {
  /** `undefined`: it is held already. */
  hold: (target: Target) => Promise<void> | undefined;
  release: (target: Target) => void;
  slowOf: (target: Target) => SlowPolicy;
}

export function createChannels({ hold, release, slowOf }: ChannelsOptions): Channels {
  const apps = new Map<string, AppChannels>();
  const entrance = (app: string): AppChannels => {
    let channels = apps.get(app);
    if (!channels) {
      channels = { account: new Map(), room: new Map(), app: new Map() };
      apps.set(app, channels);
    }
    return channels;
  };

  return {
    find: ({ app, kind, name }) => apps.get(app)?.[kind].get(name),
    enter(target) {
      const byName = entrance(target.app)[target.kind];
      let channel = byName.get(target.name);
      if (!channel) {
        channel = new Channel(target, slowOf);
        // Whoever keeps the target keeps the channel, not an object beside it.
        channel.holdUntil(hold(channel));
        byName.set(target.name, channel);
      }
      channel.users++;
      return channel;
    },
    leave(channel) {
      if (--channel.users > 0) return;
      const { app, kind, name } = channel;
      const channels = apps.get(app);
      channels?.[kind].delete(name);
      if (channels && channels.account.size + channels.room.size + channels.app.size === 0) apps.delete(app);
      release(channel);
    },
    *accounts() {
      for (const { account } of apps.values()) yield* account.values();
    },
    *all() {
      for (const { account, room, app } of apps.values()) {
        yield* account.values();
        yield* room.values();
        yield* app.values();
      }
    },
  };
}
