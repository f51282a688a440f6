// What the sessions of a node share, and what the ops of one see of it.
import type { App, Right } from "../apps/app.ts";
import type { AppRegistry } from "../apps/registry.ts";
import type { NoteSecretUse } from "../auth/secret-use.ts";
import type { NodeLimits } from "../config/config.ts";
import type { Connection } from "../hub/connection.ts";
import type { Wheel } from "../hub/wheel.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Publish } from "../publish/publish.ts";
import type { Streams } from "../recover/streams.ts";
import type { Access } from "./access.ts";

/** Shared by all sessions of a node. */
export interface SessionOptions {
  apps: AppRegistry;
  publish: Publish;
  streams: Streams;
  /** The rooms that the backend has added an account to; at once where the store answers so. Rejects with STORE_UNAVAILABLE. */
  roomsOf: (app: string, account: string) => readonly string[] | Promise<readonly string[]>;
  limits: NodeLimits;
  wheel: Wheel;
  /** Between the signs of life that a v2 client gets, milliseconds. */
  pingMs: number;
  /** Whether the store keeps what a client misses. */
  recoverable: boolean;
  /** Of the program. */
  version: string;
  metrics: Metrics;
  log: Log;
  noteSecretUse: NoteSecretUse;
  now: () => number;
}

/** A v2 session, as its ops see it. */
export interface OpContext {
  readonly options: SessionOptions;
  readonly connection: Connection;
  readonly access: Access;
  /** What its client may do. */
  rights: ReadonlySet<Right>;
  /** The rooms that it is in. */
  readonly rooms: ReadonlySet<string>;
  /** Its application as it is now. Throws APP_DISABLED when it is gone. */
  readonly app: App;
  /** Writes a frame behind all that waits; nothing when the connection is closing. */
  send(text: string): void;
  enter(room: string): void;
  /** Leaves a room, and forgets the token for it; nothing when it is not in it. */
  leave(room: string): void;
}
