// A store under test, and what its tests share.
import assert from "node:assert/strict";
import type { HistoryRule } from "../../server/src/apps/app.ts";
import type { Message } from "../../server/src/protocol/message.ts";
import type { EntryPosition, Position } from "../../server/src/protocol/position.ts";
import type { Target } from "../../server/src/protocol/target.ts";
import type { HistoryOf } from "../../server/src/store/history.ts";
import type { Appended, Entry, Store } from "../../server/src/store/store.ts";

export interface StoreUnderTest {
  store: Store;
  /** Lets time pass for the store. */
  advance(ms: number): void | Promise<void>;
  /** How many things it holds: 0 when it is empty. */
  size?(): Promise<number>;
}

/** Registers a test that has an empty store to itself, whose streams have this history. */
export type Each = (title: string, run: (subject: StoreUnderTest) => Promise<void>, history?: HistoryRule | HistoryOf) => void;

export function message(msgId: string, data = "{}"): Message {
  return { msgId, event: 0, data, sendAt: 1 };
}

/** Appends messages one after the other; answers where they are. */
export async function appendAll(store: Store, target: Target, msgIds: readonly string[]): Promise<EntryPosition[]> {
  const positions: EntryPosition[] = [];
  for (const msgId of msgIds) positions.push(positionOf(await store.append(target, message(msgId), 0)));
  return positions;
}

export function positionOf({ position }: Appended): EntryPosition {
  assert.ok(position, "the store gave the message a place");
  return position;
}

export async function positionIn(store: Store, target: Target): Promise<Position> {
  const [position] = await store.positions([target]);
  assert.ok(position, "the store knows where the stream is");
  return position;
}

/** The ids of what was missed, when nothing is lacking. */
export async function missedIds(store: Store, target: Target, after: Position, limit = 1_000): Promise<string[]> {
  const missed = await store.missed(target, after, limit);
  assert.equal(missed.outcome, "complete");
  return idsOf(missed.outcome === "complete" ? missed.entries : []);
}

export function idsOf(entries: readonly Entry[]): string[] {
  return entries.map((entry) => entry.message.msgId);
}

export function ids(count: number, name = "m"): string[] {
  return Array.from({ length: count }, (_, i) => `${name}${i + 1}`);
}
