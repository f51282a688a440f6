// Which web pages may connect: against cross-site WebSocket hijacking.
import type { App } from "../apps/app.ts";

/**
 * Whether a handshake with this `Origin` header may go on: the exact scheme, host and port must be listed.
 * An application without a list allows every origin; a client without an origin is no browser and passes.
 */
export function originAllowed({ allowedOrigins }: App, origin: string | undefined): boolean {
  return origin === undefined || allowedOrigins.size === 0 || allowedOrigins.has(origin);
}
