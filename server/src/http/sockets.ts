// The TCP connections of the public listener: how many may wait without having proved anything, and ending them all.
import type { Server } from "node:http";
import type { Duplex } from "node:stream";
import type { Gauge } from "prom-client";

export interface Sockets {
  /** The connection no longer counts as unauthenticated. */
  authenticated(socket: Duplex): void;
  /** Ends every connection, upgraded ones too. */
  destroy(): void;
}

/** Drops connections on arrival while `max` others are unauthenticated; the header and request time-outs end those in time. */
export function watchSockets(server: Server, max: number, gauge: Gauge): Sockets {
  const open = new Set<Duplex>();
  const unauthenticated = new Set<Duplex>();
  server.on("setSecureContext" in server ? "secureConnection" : "connection", (socket: Duplex) => {
    if (unauthenticated.size >= max) {
      socket.destroy();
      return;
    }
    open.add(socket);
    unauthenticated.add(socket);
    gauge.set(unauthenticated.size);
    socket.once("close", () => {
      open.delete(socket);
      unauthenticated.delete(socket);
      gauge.set(unauthenticated.size);
    });
  });
  return {
    authenticated(socket) {
      if (unauthenticated.delete(socket)) gauge.set(unauthenticated.size);
    },
    destroy() {
      for (const socket of open) socket.destroy();
    },
  };
}
