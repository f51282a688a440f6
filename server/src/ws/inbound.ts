// What clients send: every frame of every classic socket comes through here.
import { type RawData, WebSocket } from "ws";
import type { App } from "../apps/app.ts";
import { CloseCode } from "../generated/codes.ts";
import type { Connection } from "../hub/connection.ts";
import type { Seat } from "../hub/hub.ts";
import { createTokenBucket, type TokenBucket } from "../limits/token-bucket.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { decodeClassicSend } from "../protocol/classic.ts";
import { Event } from "../protocol/message.ts";
import { accountTarget } from "../protocol/target.ts";
import type { Publish } from "../publish/publish.ts";

interface Session {
  readonly connection: Connection;
  readonly seat: Seat;
  readonly bucket: TokenBucket | undefined;
}

/** A socket that knows its session, so that all sockets share one set of handlers. */
export class ClientSocket extends WebSocket {
  session: Session | undefined;
}

export interface Inbound {
  /** Listens to a socket that has been opened, until it has gone. */
  attach(client: ClientSocket, app: App, connection: Connection, seat: Seat): void;
}

export interface InboundOptions {
  publish: Publish;
  metrics: Metrics;
  log: Log;
  jsonDepth: number;
  now: () => number;
}

/** Close codes of clients that get a label of their own; others are `other`: a client chooses them. */
const CLIENT_CODES = new Set([1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1011]);

export function createInbound({ publish, metrics, log, jsonDepth, now }: InboundOptions): Inbound {
  function drop(app: string, reason: string): void {
    metrics.messagesDropped.inc({ app, reason });
  }

  /** Takes one from the connection's rate; over it, closes. */
  function withinRate({ connection, bucket }: Session): boolean {
    if (bucket === undefined || bucket.take()) return true;
    drop(connection.app, "rate_limited");
    connection.close(CloseCode.POLICY_VIOLATION, "too many messages");
    return false;
  }

  function onMessage(this: WebSocket, data: RawData): void {
    const { session } = this as ClientSocket;
    if (!session) return;
    const { connection } = session;
    connection.alive();
    if (!connection.open || !withinRate(session)) return;
    const send = decodeClassicSend(String(data), jsonDepth);
    if (typeof send === "string") return drop(connection.app, send);
    publish(connection.app, [accountTarget(connection.app, send.to)], { from: connection.account, event: Event.CHAT, data: send.data }).catch(
      (error: unknown) => {
        drop(connection.app, "exchange");
        log.warn({ event: "client message lost", app: connection.app, err: error });
      },
    );
  }

  function onPing(this: WebSocket): void {
    const { session } = this as ClientSocket;
    if (!session) return;
    session.connection.alive();
    withinRate(session);
  }

  function onPong(this: WebSocket): void {
    (this as ClientSocket).session?.connection.alive();
  }

  function onClose(this: WebSocket, code: number): void {
    const { session } = this as ClientSocket;
    if (!session) return;
    const { connection, seat } = session;
    (this as ClientSocket).session = undefined;
    seat.leave();
    const label = connection.closedWith ?? (CLIENT_CODES.has(code) ? code : "other");
    metrics.connectionsClosed.inc({ app: connection.app, code: String(label) });
  }

  /** A broken frame: ws closes with the code that fits (1002, 1007, 1009); `close` follows. */
  function onError(this: WebSocket, error: Error): void {
    log.debug({ event: "socket error", message: error.message });
  }

  return {
    attach(client, app, connection, seat) {
      const rate = app.limits.messagesPerSecondPerConnection;
      client.session = { connection, seat, bucket: Number.isFinite(rate) ? createTokenBucket(rate, rate, now) : undefined };
      client.on("message", onMessage).on("ping", onPing).on("pong", onPong).on("close", onClose).on("error", onError);
    },
  };
}
