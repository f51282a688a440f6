// Classic clients: they connect, receive, and connect again somewhere else when they are cut. They recover nothing themselves.
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { connectUrl, type Frame, tokenFor } from "../../helpers/client.ts";

/** A frame that arrived. */
export interface Arrival {
  readonly account: string;
  readonly msgId: string;
  readonly publisher: number;
  readonly seq: number;
  /** On the clock of `performance.now()`. */
  readonly atMs: number;
}

/** The end of a connection. */
export interface Ending {
  readonly account: string;
  readonly code: number;
  readonly atMs: number;
}

/** A connection that was made. */
export interface Opening {
  readonly account: string;
  readonly url: string;
  readonly atMs: number;
}

export interface Receivers {
  readonly arrivals: readonly Arrival[];
  readonly openings: readonly Opening[];
  readonly endings: readonly Ending[];
  /** When something arrived last, by account. */
  readonly lastMs: ReadonlyMap<string, number>;
  /** Clients that are connected now. */
  readonly connected: number;
  /** The sockets, by account. */
  readonly sockets: ReadonlyMap<string, WebSocket>;
  close(): void;
}

const AGAIN_MS = 50;

/** One client per account, spread over the nodes; resolves when all are connected. */
export async function startReceivers(
  t: Pick<TestContext, "after">,
  urls: () => readonly string[],
  accounts: readonly string[],
  tokenOf: (account: string) => string = (account) => tokenFor(account),
): Promise<Receivers> {
  const arrivals: Arrival[] = [];
  const openings: Opening[] = [];
  const endings: Ending[] = [];
  const sockets = new Map<string, WebSocket>();
  const lastMs = new Map<string, number>();
  let closed = false;

  /** Resolves when the connection has ended; false when there was none. */
  function live(account: string, url: string, opened: () => void): Promise<boolean> {
    const socket = new WebSocket(connectUrl(url, { account, token: tokenOf(account) }));
    const { promise, resolve } = Promise.withResolvers<boolean>();
    let open = false;
    socket.on("open", () => {
      open = true;
      sockets.set(account, socket);
      openings.push({ account, url, atMs: performance.now() });
      opened();
    });
    socket.on("message", (data) => {
      const { msg_id: msgId, data: content } = JSON.parse(String(data)) as Frame;
      const atMs = performance.now();
      arrivals.push({ account, msgId, publisher: Number(content["publisher"]), seq: Number(content["seq"]), atMs });
      lastMs.set(account, atMs);
    });
    socket.on("error", () => {});
    socket.on("close", (code) => {
      if (open) endings.push({ account, code, atMs: performance.now() });
      if (sockets.get(account) === socket) sockets.delete(account);
      resolve(open);
    });
    return promise;
  }
  async function keep(account: string, nth: number, opened: () => void): Promise<void> {
    for (let tries = 0; !closed; tries++) {
      const all = urls();
      const url = all[(nth + tries) % Math.max(1, all.length)];
      if (url !== undefined) await live(account, url, opened);
      if (!closed) await sleep(AGAIN_MS * (0.5 + Math.random()));
    }
  }
  const first = accounts.map((account, nth) => new Promise<void>((opened) => void keep(account, nth, opened)));
  function close(): void {
    closed = true;
    for (const socket of sockets.values()) socket.terminate();
  }
  t.after(close);
  await Promise.all(first);
  return {
    arrivals,
    openings,
    endings,
    lastMs,
    get connected() {
      return sockets.size;
    },
    sockets,
    close,
  };
}
