// What a node hears of one shard: its targets, who waits for them, and the lines that carry them.
import type { Log } from "../log.ts";
import type { Target } from "../protocol/target.ts";
import type { Shard } from "../redis/links.ts";
import type { RedisRefusal } from "../redis/refusal.ts";
import { slotOf } from "../redis/slot.ts";
import { createEntry, type Entry, settle } from "./redis-entry.ts";
import type { Line, LineOptions } from "./redis-line.ts";

/** How long a hold waits while its line is away or Redis confirms nothing, ms. Among very many it waits as long as they go on. */
export const HOLD_MS = 1_000;

export interface EarsOptions {
  readonly shard: Shard;
  readonly nodeId: string;
  readonly prefix: string;
  readonly log: Log;
  readonly probeMs: number;
  readonly channelOf: (target: Target) => string;
  /** An envelope as text, for a target that is held. */
  readonly received: (target: Target, text: string) => void;
  readonly resumed: (targets: readonly Target[]) => void;
  readonly changed: () => void;
  /** A hold's rejection. */
  readonly unavailable: (reason: string) => Error;
}

/** How the lines of a shard are kept: one, or one per master of a Cluster. */
export interface Lines {
  readonly up: boolean;
  readonly detail: string;
  readonly refusal: RedisRefusal | undefined;
  /** The line for a slot, or a place to wait for one. */
  rosterOf(slot: number): Entry["roster"];
  open(): void;
  close(): void;
}

/** What the kind of lines needs from us. */
export type LineParts = Pick<LineOptions, "log" | "probeMs" | "publish" | "received" | "resumed" | "dropped" | "changed"> & {
  readonly shard: Shard;
  /** The channel of the probe, or of the nth choice where it must be in a slot. */
  readonly probeChannel: (nth: number) => string;
  /** Gives a line its probe, or another. */
  readonly setProbe: (line: Line, channel: string | undefined) => void;
};

export interface Ears extends Pick<Lines, "up" | "detail" | "refusal" | "open" | "close"> {
  hold(target: Target): Promise<void>;
  release(target: Target): void;
}

export function createEars(options: EarsOptions, createLines: (parts: LineParts) => Lines): Ears {
  const { shard, nodeId, prefix, log, probeMs, channelOf, changed, unavailable } = options;
  const entries = new Map<string, Entry>();
  const waiting = new Set<Entry>();
  let sweeper: NodeJS.Timeout | undefined;
  let closed = false;

  function publish(channel: string, text: string): Promise<number> {
    return shard.cluster ? (shard.commands.spublish(channel, text) as Promise<number>) : shard.commands.publish(channel, text);
  }
  function received(line: Line, channel: string, text: string): void {
    const entry = entries.get(channel);
    // After a channel has gone to another line, this one may still hear it.
    if (!entry?.wanted || entry.roster !== line.roster) return;
    if (entry.target) options.received(entry.target, text);
    else line.probeArrived(text);
  }
  function setProbe(line: Line, channel: string | undefined): void {
    if (line.probeEntry?.channel === channel) return;
    const old = line.probeEntry;
    line.probeEntry = channel === undefined ? undefined : createEntry(line.roster, channel, shard.cluster ? slotOf(channel) : 0, undefined);
    if (old) remove(old);
    if (!line.probeEntry) return;
    entries.set(line.probeEntry.channel, line.probeEntry);
    line.roster.add(line.probeEntry);
  }
  function remove(entry: Entry): void {
    entry.wanted = false;
    entry.held = entry.gap = false;
    settle(entry, "released");
    waiting.delete(entry);
    entry.roster.touch(entry);
  }
  /** Rejects holds that have waited long enough; after a pause of our own, what has arrived meanwhile is read first. */
  function sweepSoon(): void {
    sweeper ??= setTimeout(() => setImmediate(sweep), HOLD_MS / 4);
  }
  function sweep(): void {
    sweeper = undefined;
    if (closed) return;
    const before = performance.now() - HOLD_MS;
    for (const entry of waiting) {
      if (entry.waiters.length === 0) waiting.delete(entry);
      else if ((entry.waiters[0]?.since ?? 0) > before) continue;
      else if (!entry.roster.live) giveUp(entry, "the subscription is away");
      else if (entry.roster.progressAt <= before) giveUp(entry, "the subscription is not confirmed");
    }
    if (waiting.size > 0) sweepSoon();
  }
  function giveUp(entry: Entry, reason: string): void {
    waiting.delete(entry);
    settle(entry, reason);
    if (!entry.held) remove(entry);
  }

  const lines = createLines({
    shard,
    log,
    probeMs,
    publish,
    received,
    setProbe,
    probeChannel: (nth) => (shard.cluster ? `${prefix}:{probe-${nth}}:node:${nodeId}` : `${prefix}:node:${nodeId}`),
    resumed: (list) => options.resumed(list.flatMap(({ target }) => target ?? [])),
    dropped(entry) {
      if (entries.get(entry.channel) === entry) entries.delete(entry.channel);
    },
    changed,
  });

  function entryOf(target: Target): Entry {
    const channel = channelOf(target);
    const known = entries.get(channel);
    if (known) return known;
    const slot = shard.cluster ? slotOf(channel) : 0;
    const roster = lines.rosterOf(slot);
    const entry = createEntry(roster, channel, slot, target);
    entries.set(channel, entry);
    roster.add(entry);
    return entry;
  }

  return {
    get up() {
      return lines.up;
    },
    get detail() {
      return lines.detail;
    },
    get refusal() {
      return lines.refusal;
    },
    open: lines.open,
    async hold(target) {
      if (closed) throw unavailable("it is closed");
      const entry = entryOf(target);
      entry.wanted = true;
      if (entry.wire === "in") {
        entry.held = true;
        return;
      }
      entry.roster.touch(entry);
      await new Promise<void>((resolve, reject) => {
        entry.waiters.push({ since: performance.now(), resolve, reject: (reason) => reject(unavailable(reason)) });
        waiting.add(entry);
        sweepSoon();
      });
    },
    release(target) {
      const entry = entries.get(channelOf(target));
      if (entry?.wanted && entry.target) remove(entry);
    },
    close() {
      if (closed) return;
      closed = true;
      clearTimeout(sweeper);
      lines.close();
      for (const entry of waiting) settle(entry, "it is closed");
      waiting.clear();
      entries.clear();
    },
  };
}
