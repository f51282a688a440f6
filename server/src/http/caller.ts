// Who calls: the bearer token of an API request, checked before its body is read.
import type { Socket } from "node:net";
import type { FastifyRequest, onRequestHookHandler } from "fastify";
import type { App } from "../apps/app.ts";
import type { AppRegistry } from "../apps/registry.ts";
import { verifyApiToken } from "../auth/api-token.ts";
import type { NoteSecretUse } from "../auth/secret-use.ts";

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
  now: () => number;
  onAuthenticated: (socket: Socket) => void;
}

/** The hook that lets only callers with a valid token through. */
export function createAuthenticate({ apps, noteSecretUse, tokenBytes, now, onAuthenticated }: CallerOptions): onRequestHookHandler {
  return (request, _reply, done) => {
    const { app, secretId } = verifyApiToken(apps, request.headers.authorization, { nowMs: now(), maxBytes: tokenBytes });
    noteSecretUse(app.key, secretId);
    onAuthenticated(request.raw.socket);
    request.caller = app;
    request.pushApp = app.key;
    done();
  };
}

/** The caller's application, behind the hook. */
export function callerOf(request: FastifyRequest): App {
  if (!request.caller) throw new Error("the route lacks its authentication");
  return request.caller;
}
