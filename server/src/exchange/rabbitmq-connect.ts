// One connection to RabbitMQ: opened with bounds, watched for silence, ended for certain.
import type { Duplex } from "node:stream";
import type { SecureContextOptions } from "node:tls";
import { type ChannelModel, connect, credentials, type SocketOptions } from "amqplib";

/** A host that has not finished the handshake by then is left for the next, milliseconds. */
const CONNECT_TIMEOUT_MS = 3_000;

/** A peer that is asked to end a connection has this long to agree, milliseconds. */
const CLOSE_TIMEOUT_MS = 500;

/** The largest frame that is accepted from a broker, bytes; a larger one ends the connection. */
const MAX_FRAME_BYTES = 1_048_576;

export interface ConnectOptions {
  /** `amqp://` or `amqps://`, percent-encoded, with credentials. */
  readonly url: string;
  /** How the connection is called in the broker's list. */
  readonly name: string;
  /** Silence of twice this long ends the connection, seconds; at least 1. */
  readonly heartbeatSeconds: number;
  /** For `amqps://`: `ca` instead of the system's authorities, `cert` and `key` to prove ourselves. */
  readonly tls?: Pick<SecureContextOptions, "ca" | "cert" | "key"> | undefined;
}

export async function openConnection({ url, name, heartbeatSeconds, tls }: ConnectOptions): Promise<ChannelModel> {
  const address = new URL(url);
  const { username, password } = address;
  // The heartbeat is read from the URL only; elsewhere it is ignored without a word.
  address.searchParams.set("heartbeat", String(heartbeatSeconds));
  address.searchParams.set("maxFrameSize", String(MAX_FRAME_BYTES));
  const options: SocketOptions = { ...tls, noDelay: true, timeout: CONNECT_TIMEOUT_MS, clientProperties: { connection_name: `xlvein ${name}` } };
  // The library would read percent-encoded credentials as Latin-1.
  if (username !== "" || password !== "") options.credentials = credentials.plain(decodeURIComponent(username), decodeURIComponent(password));
  const connection = await connect(address.href, options);
  // Errors after its end have nobody else to go to.
  connection.on("error", () => {});
  return connection;
}

/**
 * Calls `lost` once when the connection fails, closes or falls silent. Returns a function that stops.
 * The library's own watch may take three heartbeats; this one takes two, a quarter at most more.
 */
export function watchConnection(connection: ChannelModel, heartbeatSeconds: number, lost: (reason: Error) => void): () => void {
  const socket = socketOf(connection);
  let seen = socket.bytesRead;
  let silentTicks = 0;
  const timer = setInterval(() => {
    // Counted in ticks, so that a stalled event loop does not look like a silent peer.
    silentTicks = socket.bytesRead === seen ? silentTicks + 1 : 0;
    seen = socket.bytesRead;
    if (silentTicks >= 8) lost(new Error(`nothing heard for ${heartbeatSeconds * 2} s`));
  }, heartbeatSeconds * 250);
  timer.unref();
  connection.on("error", lost);
  connection.on("close", (error) => lost(error ?? new Error("closed")));
  return () => clearInterval(timer);
}

/** Ends a connection, in agreement with the broker where it answers. Never rejects. */
export async function endConnection(connection: ChannelModel): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
  });
  await Promise.race([connection.close().catch(() => {}), patience]);
  clearTimeout(timer);
  // The library only ends its side, which a peer that is gone never answers.
  const socket = socketOf(connection);
  socket.destroy(new Error("ended"));
}

/** The library's types leave the socket out. */
function socketOf(connection: ChannelModel): Duplex & { readonly bytesRead: number } {
  return (connection.connection as unknown as { stream: Duplex & { readonly bytesRead: number } }).stream;
}
