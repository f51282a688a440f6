// The end of a handshake: the 101 and the socket that comes of it, made by ws.
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type ServerOptions, WebSocketServer } from "ws";
import { ClientSocket } from "./inbound.ts";
import { selectProtocol } from "./subprotocol.ts";

/** Bounds that no application changes. The last three are newer than ws' types. */
const OPTIONS: ServerOptions & { maxFragments: number; maxBufferedChunks: number; closeTimeout: number } = {
  noServer: true,
  clientTracking: false,
  perMessageDeflate: false,
  // Never the first offer, which ws would choose: it may be a token.
  handleProtocols: selectProtocol,
  WebSocket: ClientSocket,
  maxFragments: 1_024,
  maxBufferedChunks: 4_096,
  // A peer that does not answer a close frame is cut after this.
  closeTimeout: 2_000,
};

/** Answers 101 and returns the socket; `undefined` when the client has gone meanwhile. */
export type Shake = (request: IncomingMessage, socket: Duplex, head: Buffer, maxFrameBytes: number) => ClientSocket | undefined;

/** ws fixes the frame limit per acceptor, so there is one for each limit in use. */
export function createShake(): Shake {
  const acceptors = new Map<number, WebSocketServer>();
  return (request, socket, head, maxPayload) => {
    let acceptor = acceptors.get(maxPayload);
    if (!acceptor) {
      acceptor = new WebSocketServer({ ...OPTIONS, maxPayload });
      acceptors.set(maxPayload, acceptor);
    }
    let client: ClientSocket | undefined;
    // Calls back in the same turn, or not at all.
    acceptor.handleUpgrade(request, socket, head, (opened) => {
      client = opened as ClientSocket;
    });
    return client;
  };
}
