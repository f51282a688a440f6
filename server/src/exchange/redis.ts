// The exchange on Redis: one channel per target, so that only nodes that hold it pay for it.
import { Deadlines } from "../deadline.ts";
import { ErrorCode, XlveinError } from "../errors.ts";
import type { Log } from "../log.ts";
import { decodeOnChannel, encodeBody, encodeOnChannel } from "../protocol/codec.ts";
import { type Envelope, versionFor, type WireVersion } from "../protocol/envelope.ts";
import { type Target, targetId } from "../protocol/target.ts";
import type { RedisLinks, Shard } from "../redis/links.ts";
import { channelName } from "../redis/names.ts";
import type { Deliver, Delivery, Exchange, ExchangeState, Resumed } from "./exchange.ts";
import { createClusterLines } from "./redis-cluster-lines.ts";
import { createEars, type Ears } from "./redis-ears.ts";
import { createSingleLine } from "./redis-lines.ts";

/** A publish is accepted within this or rejects, ms. */
const PUBLISH_MS = 1_000;
/** Characters that may be under way to Redis at once; a publish that would exceed it is rejected, unless it is the only one. */
const MAX_UNDER_WAY = 64 * 1_048_576;

export interface RedisExchangeOptions {
  readonly links: RedisLinks;
  /** Every channel begins with it. */
  readonly prefix: string;
  /** No two running nodes share it. */
  readonly nodeId: string;
  readonly log: Log;
  /** Called for everything that arrives and no node can have written; it is skipped. `reason` never quotes it. */
  readonly onPoison: (reason: string) => void;
  /** Between two end-to-end probes of each subscription, ms; 5,000 by default. A subscription that hears nothing is found within two. */
  readonly probeMs?: number;
  /** The version of envelopes that is written; 1 by default. Both are read. */
  readonly wireVersion?: WireVersion;
  /** How long `open` waits for a Redis that is away, ms; 2,000 by default. */
  readonly openMs?: number;
}

/** Passes the contract of all exchanges on one server, on several that share the targets, behind Sentinels and on a Cluster. */
export function createRedisExchange(options: RedisExchangeOptions): Exchange {
  const { links, prefix, nodeId, log, onPoison, probeMs = 5_000, openMs = 2_000, wireVersion = 1 } = options;
  let state: "new" | "open" | "closed" = "new";
  let deliver: Deliver = () => {};
  let resumed: Resumed = () => {};
  let underWay = 0;
  const deadlines = new Deadlines(PUBLISH_MS);
  let onChanged: () => void = () => {};
  /** Targets that are heard again on a shard whose commands are still away: nobody could look for what was missed. */
  const back = new Map<Shard, Target[]>();
  let stopListening: () => void = () => {};
  const channelOf = (target: Target) => channelName(prefix, target);

  const ears = new Map<Shard, Ears>();
  for (const shard of links.shards) {
    const create = shard.cluster ? createClusterLines : createSingleLine;
    const parts = {
      shard,
      nodeId,
      prefix,
      log,
      probeMs,
      channelOf,
      received,
      resumed: (targets: readonly Target[]) => resume(shard, targets),
      changed: () => onChanged(),
      unavailable,
    };
    ears.set(shard, createEars(parts, create));
  }
  const earsOf = (target: Target) => ears.get(links.shardOf(targetId(target))) as Ears;

  function received(target: Target, text: string): void {
    let decoded: ReturnType<typeof decodeOnChannel>;
    try {
      decoded = decodeOnChannel(text);
    } catch (error) {
      onPoison((error as Error).message);
      return;
    }
    deliver({ target, position: decoded.position }, decoded.envelope);
  }

  function resume(shard: Shard, targets: readonly Target[]): void {
    const all = [...(back.get(shard) ?? []), ...targets];
    if (shard.up) back.delete(shard);
    else back.set(shard, all);
    if (shard.up && all.length > 0) resumed(all);
  }

  async function send(deliveries: readonly Delivery[], kind: Envelope["kind"], body: string): Promise<void> {
    const shards = deliveries.map(({ target }) => links.shardOf(targetId(target)));
    // Of a Cluster that is not whole, most slots may still be served.
    const away = shards.find(({ up, cluster }) => !up && !cluster);
    if (away) throw unavailable(`${away.name} is away`);
    const sent = deliveries.map(({ target, position }, i) => {
      const shard = shards[i] as Shard;
      const { cluster, commands } = shard;
      const [channel, text] = [channelOf(target), encodeOnChannel(position, body, versionFor(wireVersion, target.kind, kind))];
      shard.cork();
      return cluster ? commands.spublish(channel, text) : commands.publish(channel, text);
    });
    await deadlines.within(Promise.all(sent), () => new Error(`no answer in ${PUBLISH_MS} ms`));
  }

  function readState(): ExchangeState {
    if (state !== "open") return { up: false, detail: "redis: closed" };
    for (const [shard, { up, detail }] of ears) {
      if (!shard.up) return { up: false, detail: `redis ${shard.name}: ${shard.detail}` };
      if (!up) return { up: false, detail: `redis ${shard.name}: subscription: ${detail}` };
    }
    return { up: true, detail: "redis" };
  }

  /** Resolves when all is up, or after `openMs`; rejects when a subscription is refused for good. */
  function firstAttempt(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = () => {
      const refusal = [...ears.values()].find((each) => each.refusal)?.refusal;
      if (refusal) reject(refusal);
      else if (readState().up || state === "closed") resolve();
    };
    const timer = setTimeout(resolve, openMs);
    onChanged = look;
    look();
    return promise.finally(() => {
      clearTimeout(timer);
      onChanged = () => {};
    });
  }

  async function close(): Promise<void> {
    const was = state;
    state = "closed";
    onChanged();
    stopListening();
    for (const each of ears.values()) each.close();
    if (was === "open") await links.close();
  }

  return {
    type: "redis",
    async open(onDelivery, onResumed) {
      if (state !== "new") throw new Error("the exchange was opened before");
      state = "open";
      deliver = onDelivery;
      resumed = onResumed;
      stopListening = links.onChange((shard) => {
        resume(shard, []);
        onChanged();
      });
      for (const each of ears.values()) each.open();
      const attempt = firstAttempt();
      attempt.catch(() => {});
      try {
        await links.open();
        await attempt;
      } catch (error) {
        await close();
        throw error;
      }
    },
    hold: (target) => earsOf(target).hold(target),
    release: (target) => earsOf(target).release(target),
    async publish(deliveries, envelope) {
      if (state !== "open") throw unavailable("it is closed");
      if (deliveries.length === 0) return;
      const body = encodeBody(envelope);
      const size = body.length * deliveries.length;
      if (underWay > 0 && underWay + size > MAX_UNDER_WAY) throw unavailable("too much is under way");
      underWay += size;
      try {
        await send(deliveries, envelope.kind, body);
      } catch (error) {
        throw error instanceof XlveinError ? error : unavailable((error as Error).message);
      } finally {
        underWay -= size;
      }
    },
    state: readState,
    close,
  };
}

/** The reason is the cause: clients are told no more than that it failed. An error of ioredis carries the command with its body, so only its words are kept. */
function unavailable(reason: string): XlveinError {
  return new XlveinError(ErrorCode.EXCHANGE_UNAVAILABLE, "The exchange is not available.", { cause: new Error(reason) });
}
