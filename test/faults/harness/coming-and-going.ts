// What can be asked of a run in which clients lose their connection and come back, without recovery: what they were there for, and what the store has.
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { Load } from "./load.ts";
import type { Receivers } from "./receivers.ts";
import { openStored } from "./stored.ts";

/** What is pushed this long before a connection ends must have reached it. */
const UNDER_WAY_MS = 500;

/** Everything acknowledged is in its stream, once and in its publisher's order. */
export async function checkStore(t: TestContext, address: string, { acknowledged }: Load): Promise<void> {
  const stored = await openStored(t, address);
  const bySent = Map.groupBy(acknowledged, ({ account }) => account);
  for (const [account, sent] of bySent) {
    const ids = await stored.idsOf(account);
    assert.equal(new Set(ids).size, ids.length, "nothing is stored twice");
    const wanted = new Set(sent.map(({ msgId }) => msgId));
    assert.deepEqual(
      ids.filter((id) => wanted.has(id)),
      sent.toSorted((a, b) => a.seq - b.seq).map(({ msgId }) => msgId),
    );
  }
}

/** Messages that were pushed while their client was connected, and that it did not get. */
export function missedWhileConnected({ acknowledged }: Load, { arrivals, openings, endings }: Receivers): number {
  const arrived = new Set(arrivals.map(({ msgId }) => msgId));
  const [opened, ended] = [Map.groupBy(openings, ({ account }) => account), Map.groupBy(endings, ({ account }) => account)];
  return acknowledged.filter(({ account, msgId, sentMs, atMs }) => {
    const nth = opened.get(account)?.findLastIndex((opening) => opening.atMs < sentMs) ?? -1;
    if (nth === -1) return false;
    const endMs = ended.get(account)?.[nth]?.atMs ?? Number.POSITIVE_INFINITY;
    return atMs < endMs - UNDER_WAY_MS && !arrived.has(msgId);
  }).length;
}

/** How long each client was without a connection, ms. */
export function awayMs({ openings, endings }: Receivers): number[] {
  return endings.flatMap(({ account, atMs }) => {
    const back = openings.find((opening) => opening.account === account && opening.atMs > atMs);
    return back ? [back.atMs - atMs] : [];
  });
}
