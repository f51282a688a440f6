// The handshake, as a list of steps: each returns, or throws the error that the client is refused with.
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { App } from "../apps/app.ts";
import type { AppRegistry } from "../apps/registry.ts";
import { type ConnectGrant, verifyConnectToken, verifyForUnknownApp } from "../auth/connect-token.ts";
import { originAllowed } from "../auth/origin.ts";
import type { NoteSecretUse } from "../auth/secret-use.ts";
import type { NodeLimits } from "../config/config.ts";
import { ErrorCode, XlveinError } from "../errors.ts";
import { Connection, type ConnectionSettings } from "../hub/connection.ts";
import type { Hub, Seat } from "../hub/hub.ts";
import type { Log } from "../log.ts";
import { type Metrics, OTHER_APP } from "../metrics/metrics.ts";
import { newMsgId } from "../protocol/message.ts";
import { createShake } from "./handshake.ts";
import type { ClientSocket, Inbound } from "./inbound.ts";
import { refuse } from "./refuse.ts";
import { type ConnectRequest, readConnectRequest } from "./request.ts";

export interface UpgradeOptions {
  apps: AppRegistry;
  hub: Hub;
  inbound: Inbound;
  settings: ConnectionSettings;
  limits: NodeLimits;
  metrics: Metrics;
  log: Log;
  noteSecretUse: NoteSecretUse;
  now: () => number;
  draining: () => boolean;
  /** Called once the token has been verified: the TCP connection no longer counts as unauthenticated. */
  onAuthenticated: (socket: Duplex) => void;
}

export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

const ignore = () => {};

/** Handles the `upgrade` event of the HTTP server. */
export function createUpgrade(options: UpgradeOptions): Upgrade {
  const { apps, hub, inbound, settings, limits, metrics, log, now } = options;
  const shake = createShake();

  /** The refused handshake's app label: only keys that exist become one. */
  const label = (request: ConnectRequest | undefined) => (request && apps.get(request.appKey) ? request.appKey : OTHER_APP);

  async function accept(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    let asked: ConnectRequest | undefined;
    try {
      if (options.draining()) throw new XlveinError(ErrorCode.OVERLOADED, "the server is draining", { reason: "draining" });
      asked = readConnectRequest(request);
      const app = findApp(asked);
      checkOrigin(app, asked);
      const grant = checkToken(app, asked);
      options.onAuthenticated(socket);
      const seat = await hub.admit(app, grant.account);
      const client = shake(request, socket, head, Math.min(limits.frameBytes, app.limits.maxMessageBytes));
      if (client) start(client, app, asked, grant, seat);
      else seat.leave();
    } catch (error) {
      if (!(error instanceof XlveinError)) throw error;
      metrics.connectRejected.inc({ app: label(asked), reason: error.reason ?? "bad_request" });
      log.debug({ event: "connect refused", app: label(asked), code: error.code, reason: error.reason });
      refuse(socket, error);
    }
  }

  function findApp({ appKey, token }: ConnectRequest): App {
    const app = apps.get(appKey);
    if (!app) return verifyForUnknownApp(token, { nowMs: now(), maxBytes: limits.tokenBytes });
    if (!app.enabled) throw new XlveinError(ErrorCode.APP_DISABLED, "the application is disabled", { reason: "app_disabled" });
    return app;
  }

  function checkOrigin(app: App, { origin }: ConnectRequest): void {
    if (!originAllowed(app, origin)) throw new XlveinError(ErrorCode.NOT_AUTHORISED, "the origin is not in allowed_origins", { reason: "bad_origin" });
  }

  function checkToken(app: App, { token }: ConnectRequest): ConnectGrant {
    const grant = verifyConnectToken(app, token, { nowMs: now(), maxBytes: limits.tokenBytes });
    options.noteSecretUse(app.key, grant.secretId);
    return grant;
  }

  function start(client: ClientSocket, app: App, { deviceId }: ConnectRequest, grant: ConnectGrant, seat: Seat): void {
    const expiresAtMs = app.closeOnExpiry ? grant.expiresAtMs : undefined;
    const connection = new Connection(client, { id: newMsgId(), app: app.key, account: grant.account, deviceId, expiresAtMs }, settings);
    seat.take(connection);
    inbound.attach(client, app, connection, seat);
    metrics.connectionsOpened.inc({ app: app.key });
  }

  return (request, socket, head) => {
    // From here on the HTTP server no longer listens to this socket's errors; ws does once it has it.
    socket.on("error", ignore);
    accept(request, socket, head).catch((error: unknown) => {
      log.error({ event: "connect failed", err: error });
      refuse(socket, new XlveinError(ErrorCode.INTERNAL, "internal error"));
    });
  };
}
