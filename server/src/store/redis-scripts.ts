// What runs on Redis: one script per step, each on the keys of one slot. Nothing newer than Redis 6.2.
import type { Cluster, Redis } from "ioredis";
import type { Shard } from "../redis/links.ts";

/*
 * Keys of a target, all in its slot, behind `PREFIX:{DIGEST}:`
 *   m         where the stream is: `EPOCH OFFSET MSG_ID` of the last entry
 *   e         the entries, a list of `OFFSET PREVIOUS`, a line feed and the body; the last is the one that m names
 *   d:MSG_ID  the place of a remembered message: `EPOCH OFFSET PREVIOUS`, as it stands in the head of what is published
 *   c         the channel
 *   r         of an account: the rooms that it was added to, a set without end of life
 *   a         of a room: the accounts that were added to it, a sorted set of score 0, which is the order of bytes, without end of life
 * and of a caller's key, in a slot of its own:
 *   k         `MSG_ID BODY_HASH` of its owner
 * A msg_id that is not there reads `-`.
 *
 * Redis undoes nothing of a script that fails. It refuses writes (READONLY, MISCONF, OOM) by what was true when the script
 * began, and OOM only until the script has written. So every script reads first, what it writes first is refused if anything
 * is, and nothing after that can fail on keys that only these scripts write: all of it happens, or nothing.
 *
 * A list, because a Redis stream costs 4 KB from its first entry on, and most targets have few. Entries of a list are found by
 * counting from the last, so an append that keeps none leaves none behind; each tells its offset, which is what is believed.
 */

/** What does not change from call to call is part of the text; the rules of history do, and are arguments, so that the text is one. */
export interface ScriptSettings {
  /** Whether an append publishes. */
  publish: boolean;
}

/**
 * The rule of a stream as its scripts take it, in one argument because each costs: the entries it keeps, or 0, the ms it keeps them, and the ms
 * that the stream is known from now on. That is a little more than its life, so that a stream that is used without being written is renewed
 * now and then, not each time: renewals fill the append-only file.
 */
export function ruleArgument(messages: number, ms: number, lifeMs: number): string {
  return `${messages} ${Math.ceil(ms)} ${lifeMs + Math.ceil(lifeMs / 32)}`;
}

/** The rule is ARGV[2] of every script on streams; [1] is an epoch for a stream that is not there. KEYS m, e. */
const RULE = `local messages, ms, expire = string.match(ARGV[2], "(%d+) (%d+) (%d+)")`;

const OPEN = `
${RULE}
local epoch, offset, msg_id = string.match(redis.call("GET", KEYS[1]) or "", "^(%S+) (%d+) (%S+)$")
local fresh = not epoch
if fresh then epoch, offset, msg_id = ARGV[1], "0", "-" end
`;

/** Entries that are not those before the next one: the metadata were evicted, say. */
const DROP_ENTRIES = `if redis.call("EXISTS", KEYS[2]) == 1 then redis.call("DEL", KEYS[2]) end`;

const OPEN_OR_CREATE = `${OPEN}
local place = epoch .. " " .. offset .. " " .. msg_id
if fresh then
  redis.call("SET", KEYS[1], place, "PX", expire)
  ${DROP_ENTRIES}
end`;

/**
 * KEYS m, e, d; ARGV[3] msg_id, [4] body, [5] ms to remember it, or 0, [6] the version to publish it in. Answers 1 when it was there already, and
 * its place. Trimming each time would cost Redis 2 to 4 µs of 20, so it waits until an eighth too many is there; readers see only what is to be kept.
 */
function append({ publish }: ScriptSettings, cluster: boolean): string {
  return `
if ARGV[5] ~= "0" then
  local first = redis.call("GET", KEYS[3])
  if first then return {1, first} end
end
${OPEN}
offset = string.format("%.0f", offset + 1)
local place = epoch .. " " .. offset .. " " .. msg_id
local keeps = messages ~= "0"
local entry = ${publish ? "" : "keeps and "}offset .. " " .. msg_id .. "\\n" .. ARGV[4]
if keeps then
  if fresh then ${DROP_ENTRIES} end
  if redis.call("RPUSH", KEYS[2], entry) > messages * 1.125 then redis.call("LTRIM", KEYS[2], "-" .. messages, "-1") end
  redis.call("PEXPIRE", KEYS[2], ms)
end
redis.call("SET", KEYS[1], epoch .. " " .. offset .. " " .. ARGV[3], "PX", expire)
if not keeps then ${DROP_ENTRIES} end
if ARGV[5] ~= "0" then redis.call("SET", KEYS[3], place, "PX", ARGV[5]) end
${publish ? `redis.call("${cluster ? "SPUBLISH" : "PUBLISH"}", string.sub(KEYS[1], 1, -2) .. "c", ARGV[6] .. " " .. epoch .. " " .. entry)` : ""}
return {0, place}`;
}

/** KEYS m, e of each stream, on a Cluster of one; ARGV[3] the life that is left to be renewed, ms. Answers a position each. */
const POSITIONS = `
${RULE}
local life = tonumber(ARGV[3])
local places = {}
for i = 1, #KEYS, 2 do
  local place = redis.call("GET", KEYS[i])
  if not place then
    place = ARGV[1] .. " 0 -"
    redis.call("SET", KEYS[i], place, "PX", expire)
    if redis.call("EXISTS", KEYS[i + 1]) == 1 then redis.call("DEL", KEYS[i + 1]) end
  elseif redis.call("PTTL", KEYS[i]) < life then
    redis.call("PEXPIRE", KEYS[i], expire)
  end
  places[#places + 1] = place
end
return places`;

/** ARGV[3] the reader's epoch, [4] its offset, [5] entries at most. Writes only when the stream is not there: it works while Redis takes no writes. */
const MISSED = `${OPEN_OR_CREATE}
local answer = {place}
if epoch == ARGV[3] and tonumber(ARGV[4]) < tonumber(offset) then
  local count = redis.call("LLEN", KEYS[2])
  local from = math.max(0, count - messages, count - (offset - ARGV[4]))
  for i, entry in ipairs(redis.call("LRANGE", KEYS[2], from, from + ARGV[5] - 1)) do answer[i + 1] = entry end
end
return answer`;

/**
 * ARGV[3] the offset before which to read, or "", [4] entries at most. Answers the position, 1 when older entries are kept, and the entries.
 * Where some are missing behind the last one, counting from the end leads too far back: it goes forward again. Writes as `missed` does.
 */
const LATEST = `${OPEN_OR_CREATE}
local count = redis.call("LLEN", KEYS[2])
local oldest = math.max(0, count - messages)
local last = count - 1
local before = tonumber(ARGV[3])
if before and before <= tonumber(offset) then
  last = math.max(oldest - 1, last - (offset - before + 1))
  while last + 1 < count do
    local entry = redis.call("LRANGE", KEYS[2], last + 1, last + 1)[1]
    local following = tonumber(string.match(entry, "^%d+"))
    if not following or following >= before then break end
    last = last + 1
  end
end
local from = math.max(oldest, last - ARGV[4] + 1)
local answer = {place, from > oldest and 1 or 0}
if from <= last then
  for i, entry in ipairs(redis.call("LRANGE", KEYS[2], from, last)) do answer[i + 2] = entry end
end
return answer`;

/** ARGV[3] the epoch that is to end. */
const RENEW = `${OPEN_OR_CREATE}
if epoch == ARGV[3] then
  place = ARGV[1] .. " " .. offset .. " " .. msg_id
  redis.call("SET", KEYS[1], place, "PX", expire)
end
return place`;

/** KEYS r of each account, on a Cluster of one; ARGV[1] the room, [2] rooms at most. Answers for each whether it is in the room now. */
const ENTER = `
local entered = {}
for i = 1, #KEYS do
  local free = redis.call("SCARD", KEYS[i]) < tonumber(ARGV[2])
  if free then redis.call("SADD", KEYS[i], ARGV[1]) end
  entered[i] = free and 1 or redis.call("SISMEMBER", KEYS[i], ARGV[1])
end
return entered`;

/** KEYS r of each account, on a Cluster of one; ARGV[1] the room. Answers for each whether it was in the room. */
const LEAVE = `
local left = {}
for i = 1, #KEYS do left[i] = redis.call("SREM", KEYS[i], ARGV[1]) end
return left`;

/** KEYS r of each account, on a Cluster of one; ARGV[1] the room. Answers for each whether it is in the room. */
const ENTERED = `
local entered = {}
for i = 1, #KEYS do entered[i] = redis.call("SISMEMBER", KEYS[i], ARGV[1]) end
return entered`;

/** KEYS r of each account, on a Cluster of one. Answers a list of rooms each. */
const ROOMS = `
local rooms = {}
for i = 1, #KEYS do rooms[i] = redis.call("SMEMBERS", KEYS[i]) end
return rooms`;

/** KEYS a; ARGV the accounts. */
const LIST = `for i = 1, #ARGV do redis.call("ZADD", KEYS[1], "0", ARGV[i]) end`;
const UNLIST = `for i = 1, #ARGV do redis.call("ZREM", KEYS[1], ARGV[i]) end`;

/** KEYS a; ARGV[1] where to begin, as ZRANGE spells it, [2] accounts at most. */
const MEMBERS = `return redis.call("ZRANGE", KEYS[1], ARGV[1], "+", "BYLEX", "LIMIT", "0", ARGV[2])`;

/** KEYS k; ARGV[1] the owner, [2] ms to remember it. Answers the first owner, or nothing when it is this one. */
const CLAIM = `
local first = redis.call("GET", KEYS[1])
if first then return first end
redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[2])
return false`;

type Run<Reply> = (...keysAndArguments: (string | number)[]) => Promise<Reply>;

export interface Scripts {
  readonly append: Run<[number, string]>;
  /** The number of keys comes first, here and in `enter`, `leave`, `entered` and `rooms`. */
  readonly positions: Run<string[]>;
  /** The position, then the entries after the reader's. */
  readonly missed: Run<[string, ...string[]]>;
  readonly latest: Run<[string, number, ...string[]]>;
  readonly renew: Run<string>;
  readonly claim: Run<string | null>;
  readonly enter: Run<number[]>;
  readonly leave: Run<number[]>;
  readonly entered: Run<number[]>;
  readonly rooms: Run<string[][]>;
  readonly list: Run<null>;
  readonly unlist: Run<null>;
  readonly members: Run<string[]>;
}

let made = 0;

/** Makes the scripts of a store: commands of a shard's connection, sent by digest, and whole when the server does not know them (any more). */
export function createScripts(settings: ScriptSettings): (shard: Shard) => Scripts {
  // Two stores with different settings may share a connection.
  const maker = ++made;
  const defined = new WeakMap<Redis | Cluster, Scripts>();

  function define({ commands, cluster }: Shard): Scripts {
    // Where the number of keys is not fixed it is the first argument; ioredis would look for the slot there if it pipelined on a Cluster.
    const command = <Reply>(name: string, numberOfKeys: number | undefined, lua: string): Run<Reply> => {
      const own = `xlvein_${name}_${maker}`;
      commands.defineCommand(own, numberOfKeys === undefined ? { lua } : { numberOfKeys, lua });
      return (...args) => (commands as unknown as Record<string, Run<Reply>>)[own]?.(...args) as Promise<Reply>;
    };
    return {
      append: command("append", 3, append(settings, cluster)),
      positions: command("positions", undefined, POSITIONS),
      missed: command("missed", 2, MISSED),
      latest: command("latest", 2, LATEST),
      renew: command("renew", 2, RENEW),
      claim: command("claim", 1, CLAIM),
      enter: command("enter", undefined, ENTER),
      leave: command("leave", undefined, LEAVE),
      entered: command("entered", undefined, ENTERED),
      rooms: command("rooms", undefined, ROOMS),
      list: command("list", 1, LIST),
      unlist: command("unlist", 1, UNLIST),
      members: command("members", 1, MEMBERS),
    };
  }

  return (shard) => {
    const scripts = defined.get(shard.commands) ?? define(shard);
    defined.set(shard.commands, scripts);
    return scripts;
  };
}
