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

  return {
    async addMembers(app, room, accounts) {
      const full: string[] = [];
      for (const step of chunks(accounts, STEP)) {
        const entered = await askEach(app, step, (run, keys) => run.enter(keys.length, ...keys, room, MAX_ROOMS));
        const isIn = (_account: string, i: number) => entered[i] === 1;
        full.push(...step.filter((account, i) => !isIn(account, i)));
        await changeList("list", app, room, step.filter(isIn));
      }
      if (full[0] !== undefined) throw tooManyRooms(full[0]);
    },
    async removeMembers(app, room, accounts) {
      for (const step of chunks(accounts, STEP)) {
        await askEach(app, step, (run, keys) => run.leave(keys.length, ...keys, room));
        await changeList("unlist", app, room, step);
      }
    },
    async members(app, room, after, limit) {
      const id = targetId(roomTarget(app, room));
      return call(links.shardOf(id), (run) => run.members(slotKey(prefix, id, "a"), after === undefined ? "-" : `(${after}`, limit));
    },
    async roomsOf(app, accounts) {
      const rooms: string[][] = [];
      for (const step of chunks(accounts, STEP)) rooms.push(...(await askEach(app, step, (run, keys) => run.rooms(keys.length, ...keys), ROOMS_PER_SCRIPT)));
      return rooms;
    },
  };
}
