// Who calls: the bearer token of an API request, checked before its body is read.
import type { Socket } from "node:net";
import type { FastifyRequest } from "fastify";
import type { App } from "../apps/app.ts";
import type { AppRegistry } from "../apps/registry.ts";
import { verifyApiToken } from "../auth/api-token.ts";
import type { NoteSecretUse } from "../auth/secret-use.ts";
import type { VerifiedTokens } from "../auth/verified-tokens.ts";
import type { PushRequest } from "./push-request.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** The application whose token the request carries; set once it has been verified. */
    caller: App | undefined;
  }
}

export interface CallerOptions {
  apps: AppRegistry;
  noteSecretUse: NoteSecretUse;
  /** Longest token, bytes. */
  tokenBytes: number;
  verified: VerifiedTokens;
  now: () => number;
  onAuthenticated: (socket: Socket) => void;
}

/** Lets only callers with a valid token through: throws what others are answered with. */
export function createAuthenticate({ apps, noteSecretUse, tokenBytes, verified, now, onAuthenticated }: CallerOptions): (request: PushRequest) => void {
  return (request) => {
    const { app, secretId } = verifyApiToken(apps, request.headers.authorization, { nowMs: now(), maxBytes: tokenBytes, verified });
    noteSecretUse(app.key, secretId);
    onAuthenticated(request.raw.socket);
    request.caller = app;
    request.pushApp = app.key;
  };
}

/** The caller's application, behind the hook. */
export function callerOf(request: Pick<FastifyRequest, "caller">): App {
  if (!request.caller) throw new Error("the route lacks its authentication");
  return request.caller;
}
