// Who the backend has let into rooms: remembered by the store, told to the nodes that hold the account.
import type { Exchange } from "../exchange/exchange.ts";
import type { Connection } from "../hub/connection.ts";
import type { Hub } from "../hub/hub.ts";
import { membershipEnvelope } from "../protocol/envelope.ts";
import { accountTarget, type Target } from "../protocol/target.ts";
import type { RoomsOf, Store } from "../store/store.ts";
import { createReading } from "./reading.ts";

/** Accounts whose rooms are read in one request. */
const CHUNK = 500;

export interface Membership {
  /** Adds accounts to a room and tells their connections. Rejects as the store does, or with EXCHANGE_UNAVAILABLE; the same call again completes what was half done. */
  add(app: string, room: string, accounts: readonly string[]): Promise<void>;
  remove(app: string, room: string, accounts: readonly string[]): Promise<void>;
  /** Accounts that were added to the room, in the order of their UTF-8 bytes. */
  members(app: string, room: string, after: string | undefined, limit: number): Promise<readonly string[]>;
  /** The rooms that an account was added to; at once where the store answers so. Rejects with STORE_UNAVAILABLE. */
  roomsOf(app: string, account: string): readonly string[] | Promise<readonly string[]>;
  /** Reads again which rooms the accounts among these targets are in: changes may have been lost while the exchange was away. Never rejects. */
  compare(targets: readonly Target[]): Promise<void>;
  /** Takes what the exchange delivers: a connection's account has become a member of a room, or is none any more. */
  receive(connection: Connection, room: string, member: boolean): void;
}

export interface MembershipOptions {
  hub: Pick<Hub, "connections">;
  exchange: Pick<Exchange, "publish">;
  store: Pick<Store, "addMembers" | "removeMembers" | "members" | "areMembers" | "roomsOf">;
  /** Tells a connection all rooms that its account was added to. */
  onRooms: (connection: Connection, rooms: readonly string[]) => void;
  /** Tells a connection one change. */
  onChange: (connection: Connection, room: string, member: boolean) => void;
}

export function createMembership({ hub, exchange, store, onRooms, onChange }: MembershipOptions): Membership {
  const reading = createReading(store);

  /**
   * Tells a change, and what has been changed since by another call: of calls that meet on the same account, what is told last is what the store
   * says, in whichever order they get here.
   */
  async function tell(app: string, room: string, accounts: readonly string[], member: boolean): Promise<void> {
    let [untold, told] = [accounts, member];
    while (untold.length > 0) {
      const deliveries = untold.map((account) => ({ target: accountTarget(app, account), position: undefined }));
      await exchange.publish(deliveries, membershipEnvelope(room, told));
      const members = await store.areMembers(app, room, untold);
      untold = untold.filter((_, i) => members[i] !== told);
      told = !told;
    }
  }

  async function compareApp(app: string, accounts: readonly string[]): Promise<void> {
    for (let at = 0; at < accounts.length; at += CHUNK) {
      const chunk = accounts.slice(at, at + CHUNK);
      const rooms = await reading.roomsOf(app, chunk);
      for (const [i, account] of chunk.entries()) for (const connection of hub.connections(app, account)) onRooms(connection, rooms[i] ?? []);
    }
  }

  return {
    async add(app, room, accounts) {
      await store.addMembers(app, room, accounts);
      await tell(app, room, accounts, true);
    },
    async remove(app, room, accounts) {
      await store.removeMembers(app, room, accounts);
      await tell(app, room, accounts, false);
    },
    members: store.members,
    roomsOf(app, account) {
      const answer = reading.roomsOf(app, [account]);
      return answer instanceof Promise ? answer.then(ofFirst) : ofFirst(answer);
    },
    async compare(targets) {
      const byApp = Map.groupBy(
        targets.filter(({ kind }) => kind === "account"),
        ({ app }) => app,
      );
      for (const [app, accounts] of byApp) {
        // What cannot be read now is read after the next outage, or when the client connects again.
        await compareApp(
          app,
          accounts.map(({ name }) => name),
        ).catch(() => {});
      }
    },
    receive(connection, room, member) {
      reading.changed(connection.app, connection.account, room, member);
      onChange(connection, room, member);
    },
  };
}

function ofFirst([rooms = []]: RoomsOf): readonly string[] {
  return rooms;
}
