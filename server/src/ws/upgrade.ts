// The handshake, as a list of steps: each returns, or throws the error that the client is refused with.
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { App } from "../apps/app.ts";
import type { AppRegistry } from "../apps/registry.ts";
import { type ConnectGrant, verifyConnectToken, verifyForUnknownApp } from "../auth/connect-token.ts";
import { originAllowed } from "../auth/origin.ts";
import type { NoteSecretUse } from "../auth/secret-use.ts";
import { createVerifiedTokens } from "../auth/verified-tokens.ts";
import type { NodeLimits } from "../config/config.ts";
import { ErrorCode, XlveinError } from "../errors.ts";
import { CloseCode } from "../generated/codes.ts";
import type { Hub, Seat } from "../hub/hub.ts";
import type { Log } from "../log.ts";
import { type Metrics, OTHER_APP } from "../metrics/metrics.ts";
import { V2 } from "../protocol/frames.ts";
import { createShake } from "./handshake.ts";
import { closeCodeOf, refuse, turnAway } from "./refuse.ts";
import { type ConnectRequest, type Handshake, readConnectRequest, readHandshake } from "./request.ts";
import type { Found, Sessions } from "./sessions.ts";

export interface UpgradeOptions {
  apps: AppRegistry;
  hub: Pick<Hub, "admit">;
  sessions: Pick<Sessions, "open">;
  limits: NodeLimits;
  metrics: Metrics;
  log: Log;
  noteSecretUse: NoteSecretUse;
  now: () => number;
  draining: () => boolean;
  /** Called once the token has been verified: the TCP connection no longer counts as unauthenticated. */
  onAuthenticated: (socket: Duplex) => void;
  /** Called once the TCP connection is the WebSocket of a connection that has its seat: the hub can end it. */
  onOpened: (socket: Duplex) => void;
}

export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

const ignore = () => {};

/** Handles the `upgrade` event of the HTTP server. */
export function createUpgrade(options: UpgradeOptions): Upgrade {
  const { apps, hub, sessions, limits, metrics, log, now } = options;
  const shake = createShake();
  const verified = createVerifiedTokens(apps);

  /** The refused handshake's app label: only keys that exist become one. */
  function label(handshake: Handshake | undefined): string {
    const appKey = handshake?.query.get("app_id");
    return appKey && apps.get(appKey) ? appKey : OTHER_APP;
  }

  function accept(request: IncomingMessage, socket: Duplex, head: Buffer, found: Found, seat: Seat): void {
    const maxFrameBytes = Math.min(limits.frameBytes, found.app.limits.maxMessageBytes);
    const client = shake(request, socket, head, { maxFrameBytes, deflate: found.app.deflate });
    // From here on ws listens.
    socket.off("error", ignore);
    if (!client) return seat.leave();
    sessions.open(client, socket, found, seat);
    options.onOpened(socket);
  }

  function refuseWith(error: unknown, request: IncomingMessage, socket: Duplex, head: Buffer, handshake: Handshake | undefined): void {
    const told = error instanceof XlveinError ? error : new XlveinError(ErrorCode.INTERNAL, "internal error", { reason: "internal" });
    if (told !== error) log.error({ event: "connect failed", err: error });
    metrics.connectRejected.inc({ app: label(handshake), reason: told.reason ?? "bad_request" });
    log.debug({ event: "connect refused", app: label(handshake), code: told.code, reason: told.reason });
    answer(request, socket, head, handshake, told);
  }

  function checkDraining(): void {
    if (options.draining()) throw new XlveinError(ErrorCode.OVERLOADED, "the server is draining", { reason: "draining" });
  }

  /** What the client is let in with, if there is room. */
  function find(handshake: Handshake, socket: Duplex): Found {
    checkVersion(handshake);
    const asked = readConnectRequest(handshake);
    const app = findApp(asked);
    checkOrigin(app, handshake);
    const grant = checkToken(app, asked);
    options.onAuthenticated(socket);
    return { protocol: handshake.protocol, asked, app, grant };
  }

  function checkVersion({ protocol }: Handshake): void {
    if (protocol === "newer") throw new XlveinError(ErrorCode.BAD_REQUEST, `this server speaks ${V2}`, { reason: "protocol_unsupported" });
  }

  function findApp({ appKey, token }: ConnectRequest): App {
    const app = apps.get(appKey);
    if (!app) return verifyForUnknownApp(token, { nowMs: now(), maxBytes: limits.tokenBytes });
    if (!app.enabled) throw new XlveinError(ErrorCode.APP_DISABLED, "the application is disabled", { reason: "app_disabled" });
    return app;
  }

  function checkOrigin(app: App, { origin }: Handshake): void {
    if (!originAllowed(app, origin)) throw new XlveinError(ErrorCode.NOT_AUTHORISED, "the origin is not in allowed_origins", { reason: "bad_origin" });
  }

  function checkToken(app: App, { token }: ConnectRequest): ConnectGrant {
    const grant = verifyConnectToken(app, token, { nowMs: now(), maxBytes: limits.tokenBytes, verified });
    options.noteSecretUse(app.key, grant.secretId);
    return grant;
  }

  /** Browsers show scripts no status, so that a v2 client is told by a close code; it is in no one's list, and counts as what it has proved. */
  function answer(request: IncomingMessage, socket: Duplex, head: Buffer, handshake: Handshake | undefined, error: XlveinError): void {
    if (handshake === undefined || handshake.protocol === "classic") return refuse(socket, error);
    const client = shake(request, socket, head, { maxFrameBytes: limits.frameBytes, deflate: false });
    if (client) turnAway(client, handshake.protocol === "newer" ? CloseCode.PROTOCOL_UNSUPPORTED : closeCodeOf(error), error.message);
  }

  /** Without a promise where there is nothing to wait for: many come at once when a node has gone. */
  function handle(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> | undefined {
    let handshake: Handshake | undefined;
    let found: Found;
    let admitted: Seat | Promise<Seat>;
    try {
      checkDraining();
      handshake = readHandshake(request);
      found = find(handshake, socket);
      admitted = hub.admit(found.app, found.grant.account);
    } catch (error) {
      refuseWith(error, request, socket, head, handshake);
      return undefined;
    }
    if (!(admitted instanceof Promise)) {
      accept(request, socket, head, found, admitted);
      return undefined;
    }
    return admitted.then(
      (seat) => accept(request, socket, head, found, seat),
      (error: unknown) => refuseWith(error, request, socket, head, handshake),
    );
  }

  return (request, socket, head) => {
    const failed = (error: unknown) => {
      log.error({ event: "connect failed", err: error });
      socket.destroy();
    };
    // The HTTP server no longer listens to this socket's errors.
    socket.on("error", ignore);
    try {
      handle(request, socket, head)?.catch(failed);
    } catch (error) {
      failed(error);
    }
  };
}
