// A line: one subscriber connection to one server, what it listens to, and whether it truly hears.
import type { Redis } from "ioredis";
import type { Log } from "../log.ts";
import { cork } from "../redis/cork.ts";
import { RedisRefusal, refusalOf } from "../redis/refusal.ts";
import { destroy, watch } from "../redis/watchdog.ts";
import type { Entry, Roster, Verb } from "./redis-entry.ts";
import { createProbe } from "./redis-probe.ts";
import { createRoster } from "./redis-roster.ts";

export interface LineOptions {
  /** Makes the connection, not yet connecting. */
  readonly connect: () => Redis;
  /** SSUBSCRIBE instead of SUBSCRIBE. */
  readonly sharded: boolean;
  /** For logs: `host:port`. */
  readonly name: string;
  readonly log: Log;
  readonly probeMs: number;
  readonly publish: (channel: string, text: string) => Promise<number>;
  readonly received: (line: Line, channel: string, text: string) => void;
  readonly resumed: (entries: readonly Entry[]) => void;
  readonly dropped: (entry: Entry) => void;
  /** Channels that this server does not own (any more), or some that it does not name: they must be told to another. */
  readonly misplaced: (line: Line, entries: readonly Entry[]) => void;
  /** The connection is lost. */
  readonly lost: () => void;
  /** The state of the line may have changed. */
  readonly changed: () => void;
}

export interface Line {
  readonly roster: Roster;
  /** All that is wanted is subscribed, and a probe has arrived. */
  readonly up: boolean;
  readonly detail: string;
  /** Set when the server refuses us for good. */
  readonly refusal: RedisRefusal | undefined;
  /** The entry whose channel carries the probe. */
  probeEntry: Entry | undefined;
  probeArrived(token: string): void;
  /** Starts to connect; keeps trying. */
  open(): void;
  /** Cuts the connection and subscribes to everything again on another. */
  restart(reason: string): void;
  close(): void;
}

/** Pause before a connection that ended by itself is made again, ms. */
const RETRY_MS = 200;

export function createLine(options: LineOptions): Line {
  const { sharded, name, log, lost, changed } = options;
  const redis = options.connect();
  let state: "away" | "syncing" | "listening" | "closed" = "away";
  let detail = "not reached yet";
  let refusal: RedisRefusal | undefined;
  let retry: NodeJS.Timeout | undefined;

  const roster = createRoster({ sharded, failed, resumed: options.resumed, synced, dropped: options.dropped });
  const probe = createProbe({
    everyMs: options.probeMs,
    publish: (token) => (line.probeEntry ? options.publish(line.probeEntry.channel, token) : Promise.reject(new Error("no channel"))),
    heard() {
      detail = "";
      log.info({ event: "redis subscription up", shard: name, channels: roster.entries.size });
      changed();
    },
    silent: () => restart("what is published does not arrive"),
  });
  const stopWatching = watch(redis, { dead: leave });

  function tell(verb: Verb, channels: string[]): Promise<unknown> {
    cork(redis);
    if (sharded) return verb === "join" ? redis.ssubscribe(...channels) : redis.sunsubscribe(...channels);
    return verb === "join" ? redis.subscribe(...channels) : redis.unsubscribe(...channels);
  }
  function synced(): void {
    state = "listening";
    refusal = undefined;
    probe.start();
    changed();
  }
  function failed(error: Error, verb: Verb, entries: readonly Entry[]): void {
    if (/^(MOVED|CLUSTERDOWN|ASK|TRYAGAIN) /.test(error.message)) {
      if (verb === "join") options.misplaced(line, entries);
      return;
    }
    refusal = refusalOf(error) && new RedisRefusal(`Redis ${name}: the user may not subscribe to ${entries[0]?.channel} (${error.message.split(" ", 1)[0]})`);
    restart(refusal?.message ?? error.message);
  }
  function restart(reason: string): void {
    leave(reason);
    destroy(redis);
  }
  /** What counts for our users happens at once, even where the socket takes its time to close. */
  function leave(reason: string): void {
    if (state === "closed") return;
    const was = state;
    state = "away";
    if (was === "away") return;
    detail = reason;
    probe.stop();
    roster.stop();
    log.warn({ event: "redis subscription lost", shard: name, reason });
    lost();
    changed();
  }
  redis.on("ready", () => {
    if (state === "closed") return;
    state = "syncing";
    detail = "subscribing";
    roster.start(tell);
  });
  redis.on("close", () => {
    leave("the connection is closed");
    // An attempt that failed: the server may have been replaced by another.
    if (state === "away") lost();
  });
  redis.on("error", (error: Error) => {
    if (state === "away") detail = error.message;
  });
  redis.on("end", () => {
    if (state !== "closed") retry = setTimeout(connect, RETRY_MS);
  });
  redis.on("moved", () => options.misplaced(line, []));
  redis.on(sharded ? "smessage" : "message", (channel: string, text: string) => options.received(line, channel, text));
  function connect(): void {
    redis.connect().catch(() => {});
  }

  const line: Line = {
    roster,
    get up() {
      return state === "listening" && probe.hears;
    },
    get detail() {
      return detail;
    },
    get refusal() {
      return refusal;
    },
    probeEntry: undefined,
    probeArrived: probe.arrived,
    open: connect,
    restart,
    close() {
      if (state === "closed") return;
      state = "closed";
      detail = "closed";
      clearTimeout(retry);
      stopWatching();
      probe.stop();
      roster.stop();
      redis.disconnect();
    },
  };
  return line;
}
