// The sessions of a node: one for each connection, of the protocol that its client has chosen.
import type { Duplex } from "node:stream";
import type { App } from "../apps/app.ts";
import type { ConnectGrant } from "../auth/connect-token.ts";
import { flat } from "../flat.ts";
import { CloseCode } from "../generated/codes.ts";
import { Connection, type ConnectionSettings } from "../hub/connection.ts";
import type { Seat } from "../hub/hub.ts";
import { newMsgId } from "../protocol/message.ts";
import { ClassicSession } from "./classic-session.ts";
import type { ClientSocket } from "./client-socket.ts";
import type { SessionOptions } from "./context.ts";
import { createInbound } from "./inbound.ts";
import type { ConnectRequest, Handshake } from "./request.ts";
import { FullSession } from "./session.ts";

/** What a handshake asks for, and may have. */
export interface Found {
  readonly protocol: Handshake["protocol"];
  readonly asked: ConnectRequest;
  readonly app: App;
  readonly grant: ConnectGrant;
}

export interface Sessions {
  /** Starts the session of a socket that has just been opened; it takes the seat. Never throws. */
  open(client: ClientSocket, raw: Duplex, found: Found, seat: Seat): void;
  /** The connection's account has become a member of a room, or is none any more. */
  onMembership(connection: Connection, room: string, member: boolean): void;
  /** All rooms that the connection's account is a member of, read anew. */
  onRooms(connection: Connection, rooms: readonly string[]): void;
}

export interface SessionsOptions extends Omit<SessionOptions, "wheel" | "pingMs"> {
  settings: ConnectionSettings;
}

export function createSessions({ settings, ...rest }: SessionsOptions): Sessions {
  const options: SessionOptions = { ...rest, wheel: settings.wheel, pingMs: settings.pingIntervalMs };
  const inbound = createInbound(options);

  function connectionOf(client: ClientSocket, raw: Duplex, { protocol, asked, app, grant }: Found): Connection {
    const binds = protocol === "v2" || app.closeOnExpiry;
    const identity = {
      id: newMsgId(),
      app: app.key,
      account: grant.account,
      // As a piece of the request it would keep all of that, token included, as long as the connection.
      deviceId: asked.deviceId === undefined ? undefined : flat(asked.deviceId),
      protocol: protocol === "v2" ? protocol : "classic",
      deflates: client.deflate,
      expiresAtMs: binds ? grant.expiresAtMs : undefined,
    } as const;
    return new Connection(client, raw, identity, settings);
  }

  return {
    open(client, raw, found, seat) {
      const { asked, app, grant } = found;
      const connection = connectionOf(client, raw, found);
      seat.take(connection);
      options.metrics.connectionsOpened.inc({ app: app.key });
      // Removed or disabled while the handshake waited for the exchange.
      if (!options.apps.get(app.key)?.enabled) connection.close(CloseCode.APP_DISABLED, "application removed or disabled");
      if (connection.protocol === "classic") {
        const session = new ClassicSession(options, app, connection, seat, grant);
        inbound.attach(client, session);
        session.start();
      } else {
        const session = new FullSession(options, client, app, connection, seat, grant);
        inbound.attach(client, session);
        void session.start(app, grant.expiresAtMs, { account: asked.accountPosition, app: asked.appPosition });
      }
    },
    onMembership: (connection, room, member) => inbound.sessionOf(connection)?.membership(room, member),
    onRooms: (connection, rooms) => inbound.sessionOf(connection)?.memberOf(rooms),
  };
}
