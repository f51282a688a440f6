// The WebSocket of a client, made by ws. It reads frames and closes; messages go out past it, through the connection's outbox.
import type { Duplex } from "node:stream";
import { WebSocket } from "ws";
import type { Connection } from "../hub/connection.ts";
import type { Seat } from "../hub/hub.ts";
import { OPEN, type Peer } from "../hub/peer.ts";
import { destroyInTurn } from "./mass-leave.ts";

/** What a connection's client may do and asks for, in whichever protocol. */
export interface Session {
  readonly connection: Connection;
  readonly seat: Seat;
  /** A frame has come; the connection is open. Never throws. */
  receive(text: string): void;
  /** A WebSocket ping has come. */
  pinged(): void;
  /** The backend has added the account to a room, or removed it. */
  membership(room: string, member: boolean): void;
  /** The rooms that the backend has added the account to, all of them. */
  memberOf(rooms: readonly string[]): void;
  /** The socket has gone. */
  end(): void;
}

/** Who is told what clients do. None of these may throw. */
export interface SocketListener {
  onText(session: Session, text: string): void;
  onPing(session: Session): void;
  onPong(session: Session): void;
  /** A frame that is not allowed; ws closes with the code that fits (1002, 1007, 1009). */
  onFault(fault: string): void;
  /** The socket has gone. `code` is what the client has closed it with, 1005 for none, 1006 when it did not. */
  onClose(client: ClientSocket, code: number): void;
}

/** While the TCP socket holds more than this, pings are not answered: who sends many reads the answers. The last one counts (RFC 6455 section 5.5.3). */
const PONG_BYTES = 16_384;

/** A socket that knows its session. What ws emits goes straight to the one listener of all sockets: a list of listeners for each would be kept as long as its connection. */
export class ClientSocket extends WebSocket implements Peer {
  /** What the client may do; `undefined` for one that is turned away, or has gone. */
  session: Session | undefined;
  #listener: SocketListener | undefined;

  /** Whether messages to it may be compressed. */
  get deflate(): boolean {
    return this.extensions !== "";
  }

  /** Tells what this socket's client does from now on. */
  listen(listener: SocketListener, session: Session): void {
    this.#listener = listener;
    this.session = session;
  }

  override emit(event: string | symbol, ...values: unknown[]): boolean {
    if (event === "ping") this.#answer(values[0] as Buffer);
    if (this.#listener) this.#tell(this.#listener, event, values[0]);
    return this.#listener !== undefined;
  }

  #tell(listener: SocketListener, event: string | symbol, value: unknown): void {
    const { session } = this;
    if (event === "close") listener.onClose(this, value as number);
    else if (event === "error") listener.onFault((value as Error).message);
    else if (session === undefined) return;
    else if (event === "message") listener.onText(session, String(value));
    else if (event === "ping") listener.onPing(session);
    else if (event === "pong") listener.onPong(session);
  }

  /** In place of ws, which would keep a closure for each socket to do it. */
  #answer(payload: Buffer): void {
    if (this.readyState === OPEN && this.bufferedAmount <= PONG_BYTES) this.pong(payload);
  }
}

/** In place of ws's own listener: who has ended without a closing handshake gets nothing more. */
export function onRawEnd(this: Duplex): void {
  if (this.writableLength === 0) destroyInTurn(this);
  else this.end();
}
