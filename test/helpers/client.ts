// Clients as a backend and a raw WebSocket user would write them; they know the protocol, not the server.
import { once } from "node:events";
import type { TestContext } from "node:test";
import jwt from "jsonwebtoken";
import { WebSocket } from "ws";
import { SECRET } from "./server.ts";

export interface Frame {
  from?: string;
  to: string;
  event: number;
  data: Record<string, unknown>;
  msg_id: string;
  send_at: number;
  conversation_id?: string;
}

export interface ConnectOptions {
  app?: string;
  account?: string;
  secret?: string;
  /** Instead of one made for the account. */
  token?: string;
  query?: Record<string, string>;
  headers?: Record<string, string>;
}

export interface Client {
  readonly socket: WebSocket;
  /** The texts received and not yet taken by `next`. */
  readonly texts: string[];
  /** The next frame; waits for it. Rejects when the socket closes instead. */
  next(): Promise<Frame>;
  nextText(): Promise<string>;
  send(frame: unknown): void;
  readonly closed: Promise<{ code: number; reason: string }>;
}

/** A connect token, for an hour. */
export function tokenFor(account: string, secret = SECRET, claims: object = {}): string {
  return jwt.sign({ sub: account, ...claims }, secret, { expiresIn: 3600 });
}

/** An API token, for a minute. */
export function apiToken(app = "test", secret = SECRET): string {
  return jwt.sign({ jti: crypto.randomUUID() }, secret, { issuer: app, audience: "xlvein-api", expiresIn: 60 });
}

/** The `ws://…/ws/connect?…` of an account. */
export function connectUrl(
  url: string,
  { app = "test", account = "user_1", secret, token = tokenFor(account, secret), query = {} }: ConnectOptions = {},
): string {
  return `${url.replace("http", "ws")}/ws/connect?${new URLSearchParams({ app_id: app, token, ...query })}`;
}

/** Connects; resolves when the server has answered 101. */
export async function connect(t: Pick<TestContext, "after">, url: string, options: ConnectOptions = {}): Promise<Client> {
  const socket = new WebSocket(connectUrl(url, options), { headers: options.headers ?? {} });
  t.after(() => socket.terminate());
  const texts: string[] = [];
  socket.on("message", (data) => {
    texts.push(String(data));
    socket.emit("taken");
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.once("close", (code, reason) => {
      resolve({ code, reason: String(reason) });
      socket.emit("taken");
    });
  });
  await once(socket, "open");
  async function nextText(): Promise<string> {
    while (texts.length === 0) {
      if (socket.readyState === WebSocket.CLOSED) throw new Error("the socket closed before another frame came");
      await once(socket, "taken");
    }
    return texts.shift() as string;
  }
  return {
    socket,
    texts,
    nextText,
    next: async () => JSON.parse(await nextText()) as Frame,
    send: (frame) => socket.send(typeof frame === "string" ? frame : JSON.stringify(frame)),
    closed,
  };
}

export interface Refusal {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: { error: number; message: string };
}

/** Connects and expects to be refused. Rejects when the server accepts. */
export async function refused(url: string, headers: Record<string, string> = {}): Promise<Refusal> {
  const socket = new WebSocket(url, { headers });
  return new Promise((resolve, reject) => {
    socket.once("open", () => {
      socket.terminate();
      reject(new Error("the server accepted the handshake"));
    });
    socket.once("error", reject);
    socket.once("unexpected-response", async (_request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: JSON.parse(Buffer.concat(chunks).toString()) as Refusal["body"] });
    });
  });
}

/** Pushes through `POST /api/v1/messages`. */
export function push(url: string, accounts: string[], data: unknown, extra: object = {}, token = apiToken()): Promise<Response> {
  return fetch(`${url}/api/v1/messages`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify({ accounts, data, ...extra }),
  });
}

/** Pushes through the classic path without authentication, as JSON; answers the body. */
export async function pushOpen(url: string, account: string, data: object, fields: object = {}): Promise<{ error: number; message: string; data: object }> {
  const response = await fetch(`${url}/api/v1/im/push`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ app_key: "test", send_to: account, message: JSON.stringify(data), nonce: crypto.randomUUID(), ...fields }),
  });
  return (await response.json()) as { error: number; message: string; data: object };
}
