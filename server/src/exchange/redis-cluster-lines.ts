// The lines of a Redis Cluster: one per master, each with the channels of the slots that its master owns now.
import type { Cluster } from "ioredis";
import { SLOTS, slotOf } from "../redis/slot.ts";
import type { LineParts, Lines } from "./redis-ears.ts";
import type { Entry, Roster } from "./redis-entry.ts";
import { createLine, type Line } from "./redis-line.ts";
import { createRoster } from "./redis-roster.ts";

/** Between two looks at who owns what while something is out of place, ms. */
const LOOK_MS = 100;
/** A line whose server has taken a channel from it, while nobody says that a slot has moved, subscribes anew after this, ms. */
const SUSPECT_MS = 3_000;
/** Names tried for a probe's channel until one lies in a slot of the master; a master of one slot needs some 16,000. */
const PROBE_NAMES = 200_000;

export function createClusterLines({ shard, setProbe, probeChannel, ...parts }: LineParts): Lines {
  const cluster = shard.commands as Cluster;
  const lines = new Map<string, Line>();
  /** Targets whose slot nobody owns wait here, as on a line that is away. */
  const limbo = createRoster({ sharded: true, failed() {}, resumed() {}, synced() {}, dropped: parts.dropped });
  /** Told to a server that did not want them. */
  const strays = new Set<Entry>();
  /** Lines that have lost a channel, and since when. */
  const suspects = new Map<Line, number>();
  let owners: readonly (string | undefined)[] = [];
  let look: NodeJS.Timeout | undefined;
  let state: "idle" | "open" | "closed" = "idle";

  const rosterOf = (slot: number): Roster => lines.get(owners[slot] ?? "")?.roster ?? limbo;

  function lookSoon(): void {
    if (state !== "open") return;
    look ??= setTimeout(() => {
      look = undefined;
      if (cluster.status === "ready") cluster.refreshSlotsCache(() => {});
      if (strays.size > 0 || suspects.size > 0) lookSoon();
    }, LOOK_MS);
  }
  function createNodeLine(key: string): Line {
    const node = { host: key.slice(0, key.lastIndexOf(":")), port: Number(key.slice(key.lastIndexOf(":") + 1)) };
    const line = createLine({
      ...parts,
      connect: () => shard.subscriber(node),
      sharded: true,
      name: key,
      lost: lookSoon,
      misplaced(which, entries) {
        for (const entry of entries) strays.add(entry);
        if (entries.length === 0 && !suspects.has(which)) suspects.set(which, performance.now());
        lookSoon();
      },
    });
    lines.set(key, line);
    return line;
  }
  /** Puts every entry where its slot is owned now. */
  function arrange(): void {
    if (state !== "open") return;
    const before = owners;
    owners = Array.from({ length: SLOTS }, (_, slot) => cluster.slots[slot]?.[0]);
    const moved = owners.some((owner, slot) => owner !== before[slot]);
    if (moved || limbo.entries.size > 0) {
      for (const key of new Set(owners)) if (key !== undefined && !lines.has(key)) createNodeLine(key).open();
      moveEntries();
      moveProbes();
      for (const [line] of suspects) if (before.some((owner, slot) => lines.get(owner ?? "") === line && owners[slot] !== owner)) suspects.delete(line);
    }
    for (const entry of [...strays]) {
      strays.delete(entry);
      if (!move(entry)) entry.roster.touch(entry);
    }
    for (const [line, since] of suspects) {
      if (performance.now() - since < SUSPECT_MS) continue;
      suspects.delete(line);
      line.restart("the server has ended a subscription");
    }
    parts.changed();
  }
  function moveEntries(): void {
    for (const from of [limbo, ...[...lines.values()].map(({ roster }) => roster)]) for (const entry of [...from.entries]) move(entry);
  }
  /** Probes stay with their line; what is not wanted is forgotten where it is. */
  function move(entry: Entry): boolean {
    const to = rosterOf(entry.slot);
    if (to === entry.roster || entry.target === undefined || !entry.wanted) return false;
    entry.roster.remove(entry);
    entry.gap = entry.held;
    to.add(entry);
    return true;
  }
  function moveProbes(): void {
    const firstSlots = new Map<string, string>();
    const masters = new Set(owners);
    masters.delete(undefined);
    for (let nth = 0; nth < PROBE_NAMES && firstSlots.size < masters.size; nth++) {
      const channel = probeChannel(nth);
      const owner = owners[slotOf(channel)];
      if (owner !== undefined && !firstSlots.has(owner)) firstSlots.set(owner, channel);
    }
    for (const [key, line] of lines) {
      setProbe(line, firstSlots.get(key));
      if (masters.has(key)) continue;
      suspects.delete(line);
      lines.delete(key);
      line.close();
    }
  }

  return {
    get up() {
      if (state !== "open" || lines.size === 0 || strays.size > 0 || limbo.entries.size > 0) return false;
      return [...lines.values()].every(({ up }) => up);
    },
    get detail() {
      if (lines.size === 0) return "the Cluster has not been reached yet";
      for (const [key, line] of lines) if (!line.up) return `${key}: ${line.detail}`;
      return "";
    },
    get refusal() {
      return [...lines.values()].find(({ refusal }) => refusal)?.refusal;
    },
    rosterOf,
    open() {
      state = "open";
      cluster.on("refresh", arrange);
      if (cluster.slots.length > 0) arrange();
    },
    close() {
      state = "closed";
      clearTimeout(look);
      cluster.off("refresh", arrange);
      for (const line of lines.values()) line.close();
      limbo.stop();
    },
  };
}
