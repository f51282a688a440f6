// The store that all nodes share: streams and keys on Redis, each step one script on one slot.
import type { HistoryRule } from "../apps/app.ts";
import { ErrorCode } from "../errors.ts";
import type { Log } from "../log.ts";
import { encodeBody } from "../protocol/codec.ts";
import { messageEnvelope, versionFor, type WireVersion } from "../protocol/envelope.ts";
import type { Message } from "../protocol/message.ts";
import type { Position } from "../protocol/position.ts";
import { type Target, targetId } from "../protocol/target.ts";
import type { RedisLinks, Shard } from "../redis/links.ts";
import { slotKey } from "../redis/names.ts";
import { chunks } from "./chunks.ts";
import { createEpochs } from "./epochs.ts";
import { type HistoryOf, keptMessages, streamLifeMs } from "./history.ts";
import { createCalls } from "./redis-calls.ts";
import { parseLatest, parseMissed, parsePlace, parsePosition } from "./redis-entries.ts";
import { createRedisMembers } from "./redis-members.ts";
import { createScripts, ruleArgument } from "./redis-scripts.ts";
import type { Latest, Store } from "./store.ts";

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
  /** The version of envelopes that is published; 1 by default. */
  wireVersion?: WireVersion;
  historyOf: HistoryOf;
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
  wireVersion = 1,
  historyOf,
  log,
  now,
  streamLifeMs: fixedLifeMs,
  onPoison,
}: RedisStoreOptions): Store {
  const scripts = createScripts({ publish });
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

  const lifeOf = (target: Target) => fixedLifeMs ?? streamLifeMs(historyOf(target));

  /** Made once for each rule: most streams share one. */
  const ruleTexts = new WeakMap<HistoryRule, string>();
  function ruleOf(target: Target): string {
    const rule = historyOf(target);
    let text = ruleTexts.get(rule);
    if (text === undefined) {
      text = ruleArgument(keptMessages(rule), rule.ms, fixedLifeMs ?? streamLifeMs(rule));
      ruleTexts.set(rule, text);
    }
    return text;
  }

  /** A script takes one life, a Cluster the keys of one slot at a time. */
  async function readPositions(shard: Shard, targets: readonly Target[], found: Map<Target, Position>): Promise<void> {
    const byLife = Map.groupBy(targets, lifeOf);
    const readPart = async (lifeMs: number, part: readonly Target[]) => {
      const keys = part.map(keysOf).flatMap(({ metadata, entries }) => [metadata, entries]);
      const places = await call(shard, (run) => run.positions(keys.length, ...keys, newEpoch(), ruleOf(part[0] as Target), lifeMs));
      for (const [i, target] of part.entries()) found.set(target, parsePosition(places[i] as string));
    };
    await Promise.all([...byLife].flatMap(([lifeMs, all]) => chunks(all, shard.cluster ? 1 : PER_SCRIPT).map((part) => readPart(lifeMs, part))));
  }

  /** `before` is an offset, or `Infinity`. */
  async function readLatest(target: Target, before: number, limit: number): Promise<Latest> {
    const { shard, metadata, entries } = keysOf(target);
    const end = before === Number.POSITIVE_INFINITY ? "" : before;
    return parseLatest(await call(shard, (run) => run.latest(metadata, entries, newEpoch(), ruleOf(target), end, limit)), before, poisoned);
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
      const version = versionFor(wireVersion, target.kind);
      const [known, place] = await call(shard, (run) =>
        run.append(metadata, entries, `${slot}d:${msgId}`, newEpoch(), ruleOf(target), msgId, encode(message), rememberMs, version),
      );
      return { msgId, position: parsePlace(place), duplicate: known === 1, published: publish };
    },
    async positions(targets) {
      const found = new Map<Target, Position>();
      const readAll = async (shard: Shard, part: readonly Target[]) => {
        for (const chunk of chunks(part, CHUNK)) await readPositions(shard, chunk, found);
      };
      const parts = Map.groupBy(targets, (target) => links.shardOf(targetId(target)));
      await Promise.all([...parts].map(([shard, part]) => readAll(shard, part)));
      return targets.map((target) => found.get(target));
    },
    async missed(target, after, limit) {
      const { shard, metadata, entries } = keysOf(target);
      const reply = await call(shard, (run) => run.missed(metadata, entries, newEpoch(), ruleOf(target), after.epoch, after.offset, limit));
      return parseMissed(reply, after, poisoned);
    },
    async latest(target, before = Number.POSITIVE_INFINITY, limit) {
      let latest = await readLatest(target, before, limit);
      let end = Math.min(before, latest.position.offset + 1);
      // Nothing of the page could be read: a page before it, or its reader would not know where to go on.
      while (latest.entries.length === 0 && latest.more && limit > 0) {
        end -= limit;
        latest = await readLatest(target, end, limit);
      }
      return latest;
    },
    async renew(target, epoch) {
      const { shard, metadata, entries } = keysOf(target);
      return parsePosition(await call(shard, (run) => run.renew(metadata, entries, newEpoch(), ruleOf(target), epoch)));
    },
    ...createRedisMembers({ links, prefix, call }),
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
