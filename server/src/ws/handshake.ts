// The end of a handshake: the 101 and the socket that comes of it, made by ws.
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type ServerOptions, WebSocketServer } from "ws";
import { ClientSocket, onRawEnd } from "./client-socket.ts";
import { selectProtocol } from "./subprotocol.ts";

/** Bounds that no application changes. The last three are newer than ws' types. */
const OPTIONS: ServerOptions & { maxFragments: number; maxBufferedChunks: number; closeTimeout: number } = {
  noServer: true,
  clientTracking: false,
  // Never the first offer, which ws would choose: it may be a token.
  handleProtocols: (offered) => selectProtocol([...offered]) ?? false,
  WebSocket: ClientSocket,
  autoPong: false,
  maxFragments: 1_024,
  maxBufferedChunks: 4_096,
  // A peer that does not answer a close frame is cut after this.
  closeTimeout: 2_000,
};

/** Each message for itself and with the largest window, so that one compressed message fits all sockets (RFC 7692 section 7.1). */
const DEFLATE = { serverNoContextTakeover: true, clientNoContextTakeover: true, serverMaxWindowBits: false } as unknown as ServerOptions["perMessageDeflate"];

/** A client that asks for a smaller window is not compressed for; ws would refuse it. */
const WINDOW = /server_max_window_bits/i;

export interface Terms {
  /** Largest message that the client may send, inflated. */
  readonly maxFrameBytes: number;
  /** Whether messages may be compressed, if the client offers it. */
  readonly deflate: boolean;
}

/** Answers 101 and returns the socket; `undefined` when the client has gone meanwhile. */
export type Shake = (request: IncomingMessage, raw: Duplex, head: Buffer, terms: Terms) => ClientSocket | undefined;

/** ws fixes its limits per acceptor, so there is one for all sockets of the same terms. */
export function createShake(): Shake {
  const acceptors = new Map<string, WebSocketServer>();
  /** ws's listener to the end of a TCP socket: one function for all. */
  let endOfWs: (() => void) | undefined;

  function acceptorFor(maxPayload: number, deflate: boolean): WebSocketServer {
    const id = `${maxPayload} ${deflate}`;
    const acceptor = acceptors.get(id) ?? new WebSocketServer({ ...OPTIONS, maxPayload, perMessageDeflate: deflate && DEFLATE });
    acceptors.set(id, acceptor);
    return acceptor;
  }

  return (request, raw, head, { maxFrameBytes, deflate }) => {
    const before = endOfWs === undefined ? raw.listeners("end") : [];
    const acceptor = acceptorFor(maxFrameBytes, deflate && !WINDOW.test(request.headers["sec-websocket-extensions"] ?? ""));
    let client: ClientSocket | undefined;
    // Calls back in the same turn, or not at all.
    acceptor.handleUpgrade(request, raw, head, (opened) => {
      client = opened as ClientSocket;
      endOfWs ??= raw.listeners("end").find((listener) => !before.includes(listener)) as () => void;
      raw.off("end", endOfWs).on("end", onRawEnd);
    });
    return client;
  };
}
