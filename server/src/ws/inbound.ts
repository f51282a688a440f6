// What clients send: every frame of every socket comes through here, to its session.
import { type RawData, WebSocket } from "ws";
import type { Connection } from "../hub/connection.ts";
import type { Seat } from "../hub/hub.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics/metrics.ts";

/** What a connection's client may do and asks for, in whichever protocol. */
export interface Session {
  readonly connection: Connection;
  readonly seat: Seat;
  /** A frame has come; the connection is open. Never throws. */
  receive(text: string): void;
  /** A WebSocket ping has come. */
  pinged(): void;
  /** The backend has added the account to a room, or removed it. */
  membership(room: string, member: boolean): void;
  /** The rooms that the backend has added the account to, all of them. */
  memberOf(rooms: readonly string[]): void;
  /** The socket has gone. */
  end(): void;
}

/** A socket that knows its session, so that all sockets share one set of handlers. */
export class ClientSocket extends WebSocket {
  session: Session | undefined;
}

export interface Inbound {
  /** Listens to a socket that has been opened, until it has gone. */
  attach(client: ClientSocket, session: Session): void;
  /** The session of a connection that has not gone. */
  sessionOf(connection: Connection): Session | undefined;
}

export interface InboundOptions {
  metrics: Metrics;
  log: Log;
}

/** Close codes of clients that get a label of their own; others are `other`: a client chooses them. */
const CLIENT_CODES = new Set([1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1011]);

export function createInbound({ metrics, log }: InboundOptions): Inbound {
  const sessions = new Map<Connection, Session>();

  function onMessage(this: WebSocket, data: RawData): void {
    const { session } = this as ClientSocket;
    if (!session) return;
    session.connection.alive();
    if (session.connection.open) session.receive(String(data));
  }

  function onPing(this: WebSocket): void {
    const { session } = this as ClientSocket;
    if (!session) return;
    session.connection.alive();
    session.pinged();
  }

  function onPong(this: WebSocket): void {
    (this as ClientSocket).session?.connection.alive();
  }

  function onClose(this: WebSocket, code: number): void {
    const { session } = this as ClientSocket;
    if (!session) return;
    (this as ClientSocket).session = undefined;
    const { connection, seat } = session;
    sessions.delete(connection);
    session.end();
    connection.ended();
    seat.leave();
    const label = connection.closedWith ?? (CLIENT_CODES.has(code) ? code : "other");
    metrics.connectionsClosed.inc({ app: connection.app, code: String(label) });
  }

  /** A broken frame: ws closes with the code that fits (1002, 1007, 1009); `close` follows. */
  function onError(this: WebSocket, error: Error): void {
    log.debug({ event: "socket error", message: error.message });
  }

  return {
    attach(client, session) {
      client.session = session;
      sessions.set(session.connection, session);
      client.on("message", onMessage).on("ping", onPing).on("pong", onPong).on("close", onClose).on("error", onError);
    },
    sessionOf: (connection) => sessions.get(connection),
  };
}
