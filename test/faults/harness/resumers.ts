// Clients of the browser SDK: they come back by themselves and recover what they missed, without a line of their user's.
import type { TestContext } from "node:test";
import { type Client, type ClientOptions, createClient } from "../../../sdk-browser/src/index.ts";
import { tokenFor } from "../../helpers/client.ts";
import { SECRET } from "../../helpers/server.ts";
import type { Acknowledged } from "./load.ts";
import type { Arrival } from "./receivers.ts";

/** A change of a client's state. */
export interface StateChange {
  readonly account: string;
  readonly state: Client["state"];
  /** Why, where it is not what the application asked for. */
  readonly reason: string;
  readonly atMs: number;
}

export interface Resumers {
  /** What the application saw: after the SDK has put in order and dropped what it had. */
  readonly arrivals: readonly Arrival[];
  readonly changes: readonly StateChange[];
  /** What could not be recovered. */
  readonly gaps: readonly { readonly account: string; readonly reason: string }[];
  readonly clients: ReadonlyMap<string, Client>;
  /** Clients that are connected now. */
  readonly connected: number;
  close(): Promise<void>;
}

export interface ResumersOptions {
  /** Where the nth client finds the server. */
  readonly url: (nth: number) => string;
  readonly accounts: readonly string[];
  /** The room of each account; arrivals are then told by room and account. */
  readonly roomOf?: (account: string, nth: number) => string;
  readonly tokenOf?: (account: string) => string;
  /** The WebSocket class of the clients; the global one by default. */
  readonly WebSocket?: ClientOptions["WebSocket"];
}

/** Resolves when all are connected, and in their rooms. */
export async function startResumers(t: Pick<TestContext, "after">, { url, accounts, roomOf, tokenOf, WebSocket }: ResumersOptions): Promise<Resumers> {
  const arrivals: Arrival[] = [];
  const changes: StateChange[] = [];
  const gaps: { account: string; reason: string }[] = [];
  const clients = new Map<string, Client>();
  const token = tokenOf ?? ((account: string) => tokenFor(account, SECRET, { rooms: ["*"] }));

  async function start(account: string, nth: number): Promise<void> {
    const client = createClient({ url: url(nth), appKey: "test", token: token(account), WebSocket });
    clients.set(account, client);
    const room = roomOf?.(account, nth);
    client.on("state", ({ state, reason }) => changes.push({ account, state, reason: reason?.message ?? "", atMs: performance.now() }));
    client.on("gap", ({ reason }) => gaps.push({ account, reason }));
    client.on("message", ({ msgId, data }) => {
      const [publisher, seq] = [Number(data["publisher"]), Number(data["seq"])];
      arrivals.push({ account: room === undefined ? account : `${room} ${account}`, msgId, publisher, seq, atMs: performance.now() });
    });
    await client.connect();
    if (room !== undefined) await client.room(room).subscribe();
  }
  async function close(): Promise<void> {
    await Promise.all([...clients.values()].map((client) => client.close()));
  }
  t.after(close);
  await Promise.all(accounts.map(start));
  return {
    arrivals,
    changes,
    gaps,
    clients,
    get connected() {
      return [...clients.values()].filter(({ state }) => state === "connected").length;
    },
    close,
  };
}

/** What each member of each room should have got. */
export function sentToMembers(
  acknowledged: readonly Acknowledged[],
  membersOf: (room: string) => readonly string[],
): Pick<Acknowledged, "account" | "publisher" | "seq">[] {
  return acknowledged.flatMap(({ account: room, publisher, seq }) => membersOf(room).map((member) => ({ account: `${room} ${member}`, publisher, seq })));
}
