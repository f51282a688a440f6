// Who was added to which room, on Redis: a set of rooms for each account, a sorted set of accounts for each room, each in its own slot.
import { accountTarget, roomTarget, targetId } from "../protocol/target.ts";
import type { RedisLinks } from "../redis/links.ts";
import { slotKey } from "../redis/names.ts";
import { chunks } from "./chunks.ts";
import type { Call } from "./redis-calls.ts";
import type { Scripts } from "./redis-scripts.ts";
import { MAX_ROOMS, type Members } from "./store.ts";
import { tooManyRooms } from "./too-many-rooms.ts";

/** Accounts in one pipelined step; the next begins when it is answered. */
const STEP = 500;
/** Of them, by one script: some 50 µs in which Redis does nothing else. */
const PER_SCRIPT = 25;
/** The same where each may have MAX_ROOMS rooms to tell: 1 ms each, if it comes to that. */
const ROOMS_PER_SCRIPT = 10;

export interface RedisMembersOptions {
  links: RedisLinks;
  prefix: string;
  call: Call;
}

export function createRedisMembers({ links, prefix, call }: RedisMembersOptions): Members {
  /** What a script on the accounts' own sets answers for each of them, in their order. A Cluster takes one key at a time. */
  async function askEach<T>(
    app: string,
    accounts: readonly string[],
    ask: (run: Scripts, keys: readonly string[]) => Promise<T[]>,
    perScript = PER_SCRIPT,
  ): Promise<T[]> {
    const ids = accounts.map((account) => targetId(accountTarget(app, account)));
    const answers = new Map<string, T>();
    const askPart = async (part: readonly string[]) => {
      const keys = part.map((id) => slotKey(prefix, id, "r"));
      const found = await call(links.shardOf(part[0] as string), (run) => ask(run, keys));
      for (const [i, id] of part.entries()) answers.set(id, found[i] as T);
    };
    const parts = Map.groupBy(ids, (id) => links.shardOf(id));
    await Promise.all([...parts].flatMap(([{ cluster }, part]) => chunks(part, cluster ? 1 : perScript).map(askPart)));
    return ids.map((id) => answers.get(id) as T);
  }

  async function changeList(how: "list" | "unlist", app: string, room: string, accounts: readonly string[]): Promise<void> {
    const id = targetId(roomTarget(app, room));
    const changes = chunks(accounts, PER_SCRIPT).map((part) => call(links.shardOf(id), (run) => run[how](slotKey(prefix, id, "a"), ...part)));
    await Promise.all(changes);
  }

  async function areMembers(app: string, room: string, accounts: readonly string[]): Promise<boolean[]> {
    const entered = await askEach(app, accounts, (run, keys) => run.entered(keys.length, ...keys, room));
    return entered.map((each) => each === 1);
  }

  /**
   * Makes the room's list say of these accounts what their own sets say. Those may have changed since: whoever writes the list looks at them once more after it,
   * so that of calls that meet, none leaves behind what is over.
   */
  async function agree(app: string, room: string, accounts: readonly string[], member: boolean): Promise<void> {
    let [differing, listed] = [accounts, member];
    while (differing.length > 0) {
      await changeList(listed ? "list" : "unlist", app, room, differing);
      const entered = await areMembers(app, room, differing);
      differing = differing.filter((_, i) => entered[i] !== listed);
      listed = !listed;
    }
  }

  return {
    async addMembers(app, room, accounts) {
      const full: string[] = [];
      for (const step of chunks(accounts, STEP)) {
        const entered = await askEach(app, step, (run, keys) => run.enter(keys.length, ...keys, room, MAX_ROOMS));
        const isIn = (_account: string, i: number) => entered[i] === 1;
        full.push(...step.filter((account, i) => !isIn(account, i)));
        await agree(app, room, step.filter(isIn), true);
      }
      if (full[0] !== undefined) throw tooManyRooms(full[0]);
    },
    async removeMembers(app, room, accounts) {
      for (const step of chunks(accounts, STEP)) {
        await askEach(app, step, (run, keys) => run.leave(keys.length, ...keys, room));
        await agree(app, room, step, false);
      }
    },
    async members(app, room, after, limit) {
      const id = targetId(roomTarget(app, room));
      return call(links.shardOf(id), (run) => run.members(slotKey(prefix, id, "a"), after === undefined ? "-" : `(${after}`, limit));
    },
    areMembers,
    async roomsOf(app, accounts) {
      const rooms: string[][] = [];
      for (const step of chunks(accounts, STEP)) rooms.push(...(await askEach(app, step, (run, keys) => run.rooms(keys.length, ...keys), ROOMS_PER_SCRIPT)));
      return rooms;
    },
  };
}
