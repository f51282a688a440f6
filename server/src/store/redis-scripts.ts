// What runs on Redis: one script per step, each on the keys of one slot. Nothing newer than Redis 6.2.
import type { Cluster, Redis } from "ioredis";
import { ENVELOPE_VERSION } from "../protocol/envelope.ts";
import type { Shard } from "../redis/links.ts";
import type { History } from "./history.ts";

/*
 * Keys of a target, all in its slot, behind `PREFIX:{DIGEST}:`
 *   m         where the stream is: `EPOCH OFFSET MSG_ID` of the last entry
 *   e         the entries, a list of `OFFSET PREVIOUS`, a line feed and the body; the last is the one that m names
 *   d:MSG_ID  the place of a remembered message: `EPOCH OFFSET PREVIOUS`, as it stands in the head of what is published
 *   c         the channel
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

/** What does not change from call to call is part of the text. */
export interface ScriptSettings {
  /** Whether an append publishes. */
  publish: boolean;
  history: History;
  /** How long a stream that nobody uses is known, ms. */
  lifeMs: number;
}

/** KEYS m, e; ARGV[1] an epoch for a stream that is not there. */
const OPEN = `
local epoch, offset, msg_id = string.match(redis.call("GET", KEYS[1]) or "", "^(%S+) (%d+) (%S+)$")
local fresh = not epoch
if fresh then epoch, offset, msg_id = ARGV[1], "0", "-" end
`;

/** Entries that are not those before the next one: the metadata were evicted, say. */
const DROP_ENTRIES = `if redis.call("EXISTS", KEYS[2]) == 1 then redis.call("DEL", KEYS[2]) end`;

/** A little longer than the life, so that a stream that is used without being written is renewed now and then, not each time: renewals fill the append-only file. */
function expireMs({ lifeMs }: ScriptSettings): number {
  return lifeMs + Math.ceil(lifeMs / 32);
}

/** Trimming each time would cost Redis 2 to 4 µs of 20, so it waits until an eighth too many is there; readers see only what is to be kept. */
function keep({ messages, ms }: History): string {
  return `
if fresh then ${DROP_ENTRIES} end
if redis.call("RPUSH", KEYS[2], entry) > ${messages + (messages >> 3)} then redis.call("LTRIM", KEYS[2], ${-messages}, -1) end
redis.call("PEXPIRE", KEYS[2], ${ms})`;
}

function openOrCreate(settings: ScriptSettings): string {
  return `${OPEN}
local place = epoch .. " " .. offset .. " " .. msg_id
if fresh then
  redis.call("SET", KEYS[1], place, "PX", ${expireMs(settings)})
  ${DROP_ENTRIES}
end`;
}

/** KEYS m, e, d; ARGV[2] msg_id, [3] body, [4] ms to remember it, or 0. Answers 1 when it was there already, and its place. */
function append(settings: ScriptSettings, cluster: boolean): string {
  const { publish, history } = settings;
  const { messages, ms } = history;
  const keeps = messages > 0 && ms > 0;
  return `
if ARGV[4] ~= "0" then
  local first = redis.call("GET", KEYS[3])
  if first then return {1, first} end
end
${OPEN}
offset = string.format("%.0f", offset + 1)
local place = epoch .. " " .. offset .. " " .. msg_id
${keeps || publish ? `local entry = offset .. " " .. msg_id .. "\\n" .. ARGV[3]` : ""}
${keeps ? keep(history) : ""}
redis.call("SET", KEYS[1], epoch .. " " .. offset .. " " .. ARGV[2], "PX", ${expireMs(settings)})
${keeps ? "" : DROP_ENTRIES}
if ARGV[4] ~= "0" then redis.call("SET", KEYS[3], place, "PX", ARGV[4]) end
${publish ? `redis.call("${cluster ? "SPUBLISH" : "PUBLISH"}", string.sub(KEYS[1], 1, -2) .. "c", "${ENVELOPE_VERSION} " .. epoch .. " " .. entry)` : ""}
return {0, place}`;
}

/** KEYS m, e of each stream, on a Cluster of one. Answers a position each. */
function positions(settings: ScriptSettings): string {
  return `
local places = {}
for i = 1, #KEYS, 2 do
  local place = redis.call("GET", KEYS[i])
  if not place then
    place = ARGV[1] .. " 0 -"
    redis.call("SET", KEYS[i], place, "PX", ${expireMs(settings)})
    if redis.call("EXISTS", KEYS[i + 1]) == 1 then redis.call("DEL", KEYS[i + 1]) end
  elseif redis.call("PTTL", KEYS[i]) < ${settings.lifeMs} then
    redis.call("PEXPIRE", KEYS[i], ${expireMs(settings)})
  end
  places[#places + 1] = place
end
return places`;
}

/** ARGV[2] the reader's epoch, [3] its offset, [4] entries at most. Writes only when the stream is not there: it works while Redis takes no writes. */
function missed(settings: ScriptSettings): string {
  return `${openOrCreate(settings)}
local answer = {place}
if epoch == ARGV[2] and tonumber(ARGV[3]) < tonumber(offset) then
  local count = redis.call("LLEN", KEYS[2])
  local from = math.max(0, count - ${settings.history.messages}, count - (offset - ARGV[3]))
  for i, entry in ipairs(redis.call("LRANGE", KEYS[2], from, from + ARGV[4] - 1)) do answer[i + 1] = entry end
end
return answer`;
}

/** ARGV[2] the epoch that is to end. */
function renew(settings: ScriptSettings): string {
  return `${openOrCreate(settings)}
if epoch == ARGV[2] then
  place = ARGV[1] .. " " .. offset .. " " .. msg_id
  redis.call("SET", KEYS[1], place, "PX", ${expireMs(settings)})
end
return place`;
}

/** KEYS k; ARGV[1] the owner, [2] ms to remember it. Answers the first owner, or nothing when it is this one. */
const CLAIM = `
local first = redis.call("GET", KEYS[1])
if first then return first end
redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[2])
return false`;

type Run<Reply> = (...keysAndArguments: (string | number)[]) => Promise<Reply>;

export interface Scripts {
  readonly append: Run<[number, string]>;
  /** The number of keys comes first. */
  readonly positions: Run<string[]>;
  /** The position, then the entries after the reader's. */
  readonly missed: Run<[string, ...string[]]>;
  readonly renew: Run<string>;
  readonly claim: Run<string | null>;
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
      positions: command("positions", undefined, positions(settings)),
      missed: command("missed", 2, missed(settings)),
      renew: command("renew", 2, renew(settings)),
      claim: command("claim", 1, CLAIM),
    };
  }

  return (shard) => {
    const scripts = defined.get(shard.commands) ?? define(shard);
    defined.set(shard.commands, scripts);
    return scripts;
  };
}
