// The store that all nodes share: streams and keys on Redis, each step one script on one slot.
import { ErrorCode } from "../errors.ts";
import type { Log } from "../log.ts";
import { encodeBody } from "../protocol/codec.ts";
import { messageEnvelope } from "../protocol/envelope.ts";
import type { Message } from "../protocol/message.ts";
import type { Position } from "../protocol/position.ts";
import { type Target, targetId } from "../protocol/target.ts";
import type { RedisLinks, Shard } from "../redis/links.ts";
import { slotKey } from "../redis/names.ts";
import { createEpochs } from "./epochs.ts";
import { type History, streamLifeMs } from "./history.ts";
import { createCalls } from "./redis-calls.ts";
import { parseMissed, parsePlace, parsePosition } from "./redis-entries.ts";
import { createScripts } from "./redis-scripts.ts";
import type { Store } from "./store.ts";

/** Positions asked of a shard at a time: some milliseconds of its work. */
const CHUNK = 500;
/** Of them, by one script: a fraction of a millisecond in which Redis does nothing else. */
const PER_SCRIPT = 100;

export interface RedisStoreOptions {
  links: RedisLinks;
  /** Keys begin with it: it separates installations on one Redis. */
  prefix: string;
  /** Publish each message in the step that appends it: where the exchange is the same Redis. */
  publish: boolean;
  history: History;
  log: Log;
  /** For the pace of log lines; times to live are judged by Redis. */
  now: () => number;
  /** How long a stream that nobody uses is known, milliseconds; max(24 h, 2 × history) by default. */
  streamLifeMs?: number;
  /** Called for each entry that no known version has written. */
  onPoison?: () => void;
}

/** A message that was not acknowledged may be stored all the same; a retry with `rememberMs` finds it. */
export function createRedisStore({
  links,
  prefix,
  publish,
  history,
  log,
  now,
  streamLifeMs: lifeMs = streamLifeMs(history),
  onPoison,
}: RedisStoreOptions): Store {
  const scripts = createScripts({ publish, history, lifeMs });
  const call = createCalls({ code: publish ? ErrorCode.EXCHANGE_UNAVAILABLE : ErrorCode.STORE_UNAVAILABLE, log, now, scripts });
  const newEpoch = createEpochs();
  const encode = createEncoder();
  let opened: Promise<void> | undefined;
  let closed: Promise<void> | undefined;
  for (const shard of links.shards) scripts(shard);

  function keysOf(target: Target) {
    const id = targetId(target);
    const slot = slotKey(prefix, id, "");
    return { shard: links.shardOf(id), slot, metadata: `${slot}m`, entries: `${slot}e` };
  }

  /** A Cluster takes the keys of one slot at a time. */
  async function positionsOn(shard: Shard, targets: readonly Target[]): Promise<Position[]> {
    const size = shard.cluster ? 1 : PER_SCRIPT;
    const scripts = Array.from({ length: Math.ceil(targets.length / size) }, (_, i) => targets.slice(i * size, (i + 1) * size));
    const found = scripts.map((part) => {
      const keys = part.map(keysOf).flatMap(({ metadata, entries }) => [metadata, entries]);
      return call(shard, (run) => run.positions(keys.length, ...keys, newEpoch()));
    });
    return (await Promise.all(found)).flat().map(parsePosition);
  }

  function poisoned(): void {
    onPoison?.();
    log.warn({ event: "poison", message: "an entry of the store cannot be read and is skipped" });
  }

  return {
    type: "redis",
    open: () => (opened ??= links.open()),
    async claim({ app, key, bodyHash, ttlMs }, msgId) {
      const id = `${app.length}:${app}${key}`;
      const first = await call(links.shardOf(id), (run) => run.claim(slotKey(prefix, id, "k"), `${msgId} ${bodyHash}`, ttlMs));
      if (first === null) return { outcome: "fresh", msgId };
      const end = first.indexOf(" ");
      return { outcome: first.slice(end + 1) === bodyHash ? "same" : "other_body", msgId: first.slice(0, end) };
    },
    async append(target, message, rememberMs) {
      const { msgId } = message;
      const { shard, slot, metadata, entries } = keysOf(target);
      const [known, place] = await call(shard, (run) => run.append(metadata, entries, `${slot}d:${msgId}`, newEpoch(), msgId, encode(message), rememberMs));
      return { msgId, position: parsePlace(place), duplicate: known === 1, published: publish };
    },
    async positions(targets) {
      const found = new Map<Target, Position>();
      const readAll = async (shard: Shard, part: readonly Target[]) => {
        for (let at = 0; at < part.length; at += CHUNK) {
          const chunk = part.slice(at, at + CHUNK);
          for (const [i, position] of (await positionsOn(shard, chunk)).entries()) found.set(chunk[i] as Target, position);
        }
      };
      const parts = Map.groupBy(targets, (target) => links.shardOf(targetId(target)));
      await Promise.all([...parts].map(([shard, part]) => readAll(shard, part)));
      return targets.map((target) => found.get(target));
    },
    async missed(target, after, limit) {
      const { shard, metadata, entries } = keysOf(target);
      const reply = await call(shard, (run) => run.missed(metadata, entries, newEpoch(), after.epoch, after.offset, limit));
      return parseMissed(reply, after, poisoned);
    },
    async renew(target, epoch) {
      const { shard, metadata, entries } = keysOf(target);
      return parsePosition(await call(shard, (run) => run.renew(metadata, entries, newEpoch(), epoch)));
    },
    state() {
      const away = links.shards.filter((shard) => !shard.up).map(({ name, detail }) => `${name}: ${detail}`);
      return { up: away.length === 0, detail: ["redis", ...away].join("; ") };
    },
    async close() {
      // The links count who opened them.
      if (opened) closed ??= links.close();
      await closed;
    },
  };
}

/** A message on its way to many targets is encoded once. */
function createEncoder(): (message: Message) => string {
  let last: Message | undefined;
  let body = "";
  return (message) => {
    if (message !== last) [last, body] = [message, encodeBody(messageEnvelope(message))];
    return body;
  };
}
