// Reading which rooms accounts are in while that may change: what is told meanwhile is newer than what the store has answered.
import { accountTarget, targetId } from "../protocol/target.ts";
import type { RoomsOf, Store } from "../store/store.ts";

export interface Reading {
  /** The rooms that each account was added to, as of now; at once where the store answers so. Rejects with STORE_UNAVAILABLE. */
  roomsOf(app: string, accounts: readonly string[]): RoomsOf | Promise<RoomsOf>;
  /** This node was told of a change. */
  changed(app: string, account: string, room: string, member: boolean): void;
}

/** What has changed for each account, by room; the last change of a room counts. */
type Changes = Map<string, Map<string, boolean>>;

export function createReading(store: Pick<Store, "roomsOf">): Reading {
  const underWay = new Set<Changes>();

  async function withLaterChanges(app: string, accounts: readonly string[], answer: Promise<RoomsOf>): Promise<RoomsOf> {
    const changes: Changes = new Map();
    underWay.add(changes);
    try {
      const read = await answer;
      return accounts.map((account, i) => withChanges(read[i] ?? [], changes.get(targetId(accountTarget(app, account)))));
    } finally {
      underWay.delete(changes);
    }
  }

  return {
    roomsOf(app, accounts) {
      const answer = store.roomsOf(app, accounts);
      return answer instanceof Promise ? withLaterChanges(app, accounts, answer) : answer;
    },
    changed(app, account, room, member) {
      if (underWay.size === 0) return;
      const id = targetId(accountTarget(app, account));
      for (const changes of underWay) {
        const own = changes.get(id) ?? new Map<string, boolean>();
        changes.set(id, own.set(room, member));
      }
    },
  };
}

function withChanges(read: readonly string[], changes: ReadonlyMap<string, boolean> | undefined): readonly string[] {
  if (!changes) return read;
  const rooms = new Set(read);
  for (const [room, member] of changes) {
    if (member) rooms.add(room);
    else rooms.delete(room);
  }
  return [...rooms];
}
