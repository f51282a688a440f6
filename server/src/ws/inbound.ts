// What clients do: every frame of every socket comes through here, to its session.
import type { Connection } from "../hub/connection.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { ClientSocket, type Session, type SocketListener } from "./client-socket.ts";

export interface Inbound {
  /** Listens to a socket that has been opened, until it has gone. */
  attach(client: ClientSocket, session: Session): void;
  /** The session of a connection that has not gone. */
  sessionOf(connection: Connection): Session | undefined;
}

export interface InboundOptions {
  metrics: Pick<Metrics, "connectionsClosed">;
  log: Log;
}

/** Close codes of clients that get a label of their own; others are `other`: a client chooses them. */
const CLIENT_CODES = new Set([1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1011]);

export function createInbound({ metrics, log }: InboundOptions): Inbound {
  const listener: SocketListener = {
    onText(session, text) {
      session.connection.alive();
      if (session.connection.open) session.receive(text);
    },
    onPing(session) {
      session.connection.alive();
      session.pinged();
    },
    onPong: ({ connection }) => connection.alive(),
    onFault: (fault) => log.debug({ event: "socket error", message: fault }),
    onClose(client, code) {
      const { session } = client;
      if (!session) return;
      client.session = undefined;
      const { connection, seat } = session;
      session.end();
      connection.ended();
      seat.leave();
      const label = connection.closedWith ?? (CLIENT_CODES.has(code) ? code : "other");
      metrics.connectionsClosed.inc({ app: connection.app, code: String(label) });
    },
  };

  return {
    attach: (client, session) => client.listen(listener, session),
    sessionOf: ({ peer }) => (peer instanceof ClientSocket ? peer.session : undefined),
  };
}
