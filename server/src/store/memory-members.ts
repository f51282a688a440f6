// Who was added to which room, in this process.
import { ErrorCode, XlveinError } from "../errors.ts";
import { flat } from "../flat.ts";
import { accountTarget, roomTarget, targetId } from "../protocol/target.ts";
import { MAX_ROOMS, type Members } from "./store.ts";
import { tooManyRooms } from "./too-many-rooms.ts";

export interface MemoryMembersOptions {
  /** Pairs of room and account at most, about 200 bytes each; beyond, adding rejects with STORE_UNAVAILABLE. */
  maxMemberships: number;
}

interface Room {
  accounts: Set<string>;
  /** The accounts in the order of their bytes; `undefined` when they have changed since. */
  inOrder: readonly string[] | undefined;
}

export interface MemoryMembers extends Members {
  clear(): void;
}

export function createMemoryMembers({ maxMemberships }: MemoryMembersOptions): MemoryMembers {
  const rooms = new Map<string, Room>();
  const roomsByAccount = new Map<string, Set<string>>();
  let memberships = 0;

  function add(app: string, room: string, account: string): "added" | "too many" {
    const [ofAccount, ofRoom] = [targetId(accountTarget(app, account)), targetId(roomTarget(app, room))];
    const own = roomsByAccount.get(ofAccount) ?? new Set();
    if (own.has(room)) return "added";
    if (own.size >= MAX_ROOMS) return "too many";
    if (memberships >= maxMemberships) throw fullStore(maxMemberships);
    const list = rooms.get(ofRoom) ?? { accounts: new Set(), inOrder: undefined };
    if (own.size === 0) roomsByAccount.set(flat(ofAccount), own);
    if (list.accounts.size === 0) rooms.set(flat(ofRoom), list);
    own.add(room);
    list.accounts.add(account);
    list.inOrder = undefined;
    memberships++;
    return "added";
  }

  function remove(app: string, room: string, account: string): void {
    const [ofAccount, ofRoom] = [targetId(accountTarget(app, account)), targetId(roomTarget(app, room))];
    const [own, list] = [roomsByAccount.get(ofAccount), rooms.get(ofRoom)];
    if (!own?.delete(room) || !list) return;
    list.accounts.delete(account);
    list.inOrder = undefined;
    memberships--;
    if (own.size === 0) roomsByAccount.delete(ofAccount);
    if (list.accounts.size === 0) rooms.delete(ofRoom);
  }

  /** The set is put in order as well: the next time, what has come since is behind a run that is sorted. */
  function sorted(room: Room): readonly string[] {
    if (room.inOrder === undefined) {
      room.inOrder = [...room.accounts].sort(compareBytes);
      room.accounts = new Set(room.inOrder);
    }
    return room.inOrder;
  }

  return {
    async addMembers(app, room, accounts) {
      const full = accounts.filter((account) => add(app, room, account) === "too many");
      if (full[0] !== undefined) throw tooManyRooms(full[0]);
    },
    async removeMembers(app, room, accounts) {
      for (const account of accounts) remove(app, room, account);
    },
    async members(app, room, after, limit) {
      const list = rooms.get(targetId(roomTarget(app, room)));
      if (!list) return [];
      const inOrder = sorted(list);
      const from = after === undefined ? 0 : firstAfter(inOrder, after);
      return inOrder.slice(from, from + limit);
    },
    areMembers: async (app, room, accounts) => accounts.map((account) => roomsByAccount.get(targetId(accountTarget(app, account)))?.has(room) ?? false),
    roomsOf: (app, accounts) => accounts.map((account) => [...(roomsByAccount.get(targetId(accountTarget(app, account))) ?? [])]),
    clear() {
      rooms.clear();
      roomsByAccount.clear();
      memberships = 0;
    },
  };
}

function fullStore(most: number): XlveinError {
  const message = `This node's memory holds ${most} members of rooms, and no more; store.type redis has no such limit.`;
  return new XlveinError(ErrorCode.STORE_UNAVAILABLE, message, { reason: "full" });
}

/** The position of the first account behind `after`; the length when there is none. */
function firstAfter(accounts: readonly string[], after: string): number {
  let [low, high] = [0, accounts.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareBytes(accounts[middle] as string, after) > 0) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** As their UTF-8 compares, without making it. That is the order of code points, in which surrogates, the halves of the highest, come last. */
function compareBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const [one, two] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (one !== two) return rank(one) - rank(two);
  }
  return a.length - b.length;
}

function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
