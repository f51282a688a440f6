// The TCP connections of the public listener: how many may wait without having proved anything, and ending them all.
import type { Server } from "node:http";
import type { Duplex } from "node:stream";
import type { Metrics } from "../metrics/metrics.ts";

export interface Sockets {
  /** The connection no longer counts as unauthenticated. */
  authenticated(socket: Duplex): void;
  /** The connection has become a WebSocket in its place, which ends it from now on. */
  release(socket: Duplex): void;
  /** Ends every connection but those released. */
  destroy(): void;
}

/** Drops connections on arrival while `max` others are unauthenticated; the header and request time-outs end those in time. */
export function watchSockets(server: Server, max: number, metrics: Pick<Metrics, "readAtScrape" | "unauthenticatedSockets">): Sockets {
  const open = new Set<Duplex>();
  const unauthenticated = new Set<Duplex>();
  metrics.readAtScrape("xlvein_unauthenticated_sockets", () => metrics.unauthenticatedSockets.set(unauthenticated.size));

  /** One function for all: a closure for each would be kept as long as its connection. */
  function onClose(this: Duplex): void {
    open.delete(this);
    unauthenticated.delete(this);
  }

  server.on("setSecureContext" in server ? "secureConnection" : "connection", (socket: Duplex) => {
    if (unauthenticated.size >= max) {
      socket.destroy();
      return;
    }
    open.add(socket);
    unauthenticated.add(socket);
    socket.on("close", onClose);
  });
  return {
    authenticated(socket) {
      unauthenticated.delete(socket);
    },
    release(socket) {
      socket.off("close", onClose);
      onClose.call(socket);
    },
    destroy() {
      for (const socket of open) socket.destroy();
    },
  };
}
