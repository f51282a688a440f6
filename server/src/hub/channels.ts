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

export class Channel implements Stream {
  readonly target: Target;
  /** Settled when the exchange has confirmed that messages reach this node, or has not. */
  readonly held: Promise<void>;
  /** Connections that get messages as they come. */
  readonly live = new Set<Connection>();
  /** Reasons to hold it: seats of an account or application, subscriptions of a room. */
  users = 0;
  #taps: Map<Connection, Tap> | undefined;
  readonly #slowOf: (target: Target) => SlowPolicy;

  constructor(target: Target, held: Promise<void>, slowOf: (target: Target) => SlowPolicy) {
    this.target = target;
    this.held = held;
    this.#slowOf = slowOf;
  }

  get slow(): SlowPolicy {
    return this.#slowOf(this.target);
  }

  /** Connections that are catching up. */
  get taps(): ReadonlyMap<Connection, Tap> {
    return this.#taps ?? NONE;
  }

  has(connection: Connection): boolean {
    return this.live.has(connection) || this.taps.has(connection);
  }

  tap(connection: Connection, tap: Tap): void {
    this.live.delete(connection);
    this.#taps ??= new Map();
    this.#taps.set(connection, tap);
  }

  release(connection: Connection): void {
    this.live.delete(connection);
    this.untap(connection);
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
}

export interface ChannelsOptions {
  hold: (target: Target) => Promise<void>;
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
        channel = new Channel(target, hold(target), slowOf);
        byName.set(target.name, channel);
      }
      channel.users++;
      return channel;
    },
    leave(channel) {
      if (--channel.users > 0) return;
      const { target } = channel;
      const channels = apps.get(target.app);
      channels?.[target.kind].delete(target.name);
      if (channels && channels.account.size + channels.room.size + channels.app.size === 0) apps.delete(target.app);
      release(target);
    },
    *accounts() {
      for (const { account } of apps.values()) yield* account.values();
    },
  };
}
