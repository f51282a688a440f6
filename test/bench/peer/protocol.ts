// What the generator needs to know of a server that it is aimed at.
import type { Stage } from "../harness/stage.ts";

export interface PeerProtocol {
  /** Connects a client; resolves when it would receive what is published. `received` is given every text that holds a message. */
  connect(n: number, received: (text: string) => void): Promise<void>;
  /** Publishes one message to all of them; resolves when the server has taken it, as far as it says so. */
  publish(data: object): Promise<void>;
}

export interface Target {
  readonly stage: Pick<Stage, "after">;
  /** With what the server wants to know in the place of user and password. */
  readonly url: URL;
  readonly event: string;
}

/** The room, channel or topic of the run. */
export const CHANNEL = "bench";

/** `http://host:port` of the address, without credentials and path. */
export function httpOf({ protocol, host }: URL): string {
  return `${/^(https|wss):/.test(protocol) ? "https" : "http"}://${host}`;
}

/** `ws://host:port` of the address. */
export function wsOf(url: URL): string {
  return httpOf(url).replace("http", "ws");
}

/** Sends a body; rejects unless it is accepted. */
export async function post(address: string, body: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  const response = await fetch(address, { method: "POST", body, headers: { "content-type": "application/json", ...headers } });
  const text = await response.text();
  if (!response.ok) throw new Error(`${new URL(address).pathname} was answered ${response.status}: ${text}`);
  return text;
}

/** User and password of the address; an error says what they are when one is missing. */
export function credentials({ username, password }: URL, needed: string): readonly [string, string] {
  if (username === "" || password === "") throw new Error(`--peer: the address needs ${needed}`);
  return [decodeURIComponent(username), decodeURIComponent(password)];
}
