// What every store promises about the history of each stream, and reading it back from its end.
import assert from "node:assert/strict";
import type { HistoryRule } from "../../server/src/apps/app.ts";
import { accountTarget, appTarget, roomTarget, type Target } from "../../server/src/protocol/target.ts";
import type { HistoryOf } from "../../server/src/store/history.ts";
import type { Latest, Store } from "../../server/src/store/store.ts";
import { appendAll, type Each, ids, idsOf, message, missedIds, positionIn, positionOf } from "./subject.ts";

const HOUR_MS = 3_600_000;
const account = accountTarget("a", "one");
const room = roomTarget("a", "one");
const everybody = appTarget("a");

/** The ids that `latest` answers. */
async function latestIds(store: Store, target: Target, before: number | undefined, limit: number): Promise<[string[], boolean]> {
  const { entries, more } = await store.latest(target, before, limit);
  return [idsOf(entries), more];
}

/** Each kind of target under a rule of its own. */
function byKind(rules: Record<Target["kind"], HistoryRule>): HistoryOf {
  return ({ kind }) => rules[kind];
}

export function historyContract(each: Each): void {
  rulesContract(each);
  latestContract(each);
}

function rulesContract(each: Each): void {
  each("an account, a room of its name and their application have a stream each, and repeat nothing that is remembered", async ({ store }) => {
    const targets = [account, room, everybody, appTarget("b")];
    for (const target of targets) {
      const [first, again] = [await store.append(target, message("m1"), 60_000), await store.append(target, message("m1"), 60_000)];
      assert.deepEqual([first.duplicate, first.position?.offset, again.duplicate, again.position], [false, 1, true, first.position]);
    }
    const positions = await store.positions(targets);
    for (const [i, target] of targets.entries()) {
      assert.deepEqual([positions[i]?.offset, positions[i]?.msgId], [1, "m1"]);
      assert.deepEqual(await latestIds(store, target, undefined, 10), [["m1"], false]);
    }
  });

  each(
    "every stream keeps as many entries as its own rule says",
    async ({ store }) => {
      for (const [target, kept] of [
        [account, ids(5)],
        [room, ["m4", "m5"]],
        [everybody, []],
      ] as const) {
        const start = await positionIn(store, target);
        await appendAll(store, target, ids(5));
        assert.deepEqual(await latestIds(store, target, undefined, 10), [kept, false]);
        const missed = await store.missed(target, start, 10);
        assert.ok(missed.outcome !== "epoch_changed");
        assert.deepEqual([missed.outcome, idsOf(missed.entries)], [kept.length === 5 ? "complete" : "too_old", kept]);
      }
    },
    byKind({ account: { messages: 100, ms: 60_000 }, room: { messages: 2, ms: 60_000 }, app: { messages: 0, ms: 60_000 } }),
  );

  each(
    "every stream keeps them for as long as its own rule says, whichever was written first",
    async ({ store, advance }) => {
      for (const target of [room, account, everybody]) await appendAll(store, target, ["m1", "m2"]);
      await advance(61_000);
      // Another stream that is written frees what has expired.
      await appendAll(store, roomTarget("a", "other"), ["m1"]);
      assert.deepEqual(await latestIds(store, account, undefined, 10), [[], false]);
      assert.deepEqual(await latestIds(store, everybody, undefined, 10), [[], false]);
      assert.deepEqual(await latestIds(store, room, undefined, 10), [["m1", "m2"], false]);
      await advance(60 * 60_000);
      assert.deepEqual(await latestIds(store, room, undefined, 10), [[], false]);
      assert.equal((await positionIn(store, room)).offset, 2);
    },
    byKind({ account: { messages: 100, ms: 60_000 }, room: { messages: 100, ms: 3_600_000 }, app: { messages: 100, ms: 0 } }),
  );

  each(
    "every stream is known for a day, or twice as long as its own rule keeps entries",
    async ({ store, advance }) => {
      const targets = [account, room, everybody];
      const first = await store.positions(targets);
      await advance(25 * HOUR_MS);
      const second = await store.positions(targets);
      assert.deepEqual(
        second.map((position, i) => position?.epoch === first[i]?.epoch),
        [false, true, false],
        "and asking for them all together renews each by its own rule",
      );
      await advance(39 * HOUR_MS);
      assert.equal((await positionIn(store, room)).epoch, first[1]?.epoch);
      await appendAll(store, room, ["m1"]);
      await advance(39 * HOUR_MS);
      assert.deepEqual(await positionIn(store, room), { epoch: first[1]?.epoch, offset: 1, msgId: "m1" });
      await advance(43 * HOUR_MS);
      assert.notEqual((await positionIn(store, room)).epoch, first[1]?.epoch);
    },
    byKind({ account: { messages: 100, ms: 60_000 }, room: { messages: 100, ms: 20 * HOUR_MS }, app: { messages: 100, ms: 60_000 } }),
  );

  let rule: HistoryRule = { messages: 100, ms: 600_000 };
  each(
    "a rule that changes holds from the next append on: a stream is cut, loses everything, keeps more again",
    async ({ store, advance }) => {
      const start = await positionIn(store, room);
      await appendAll(store, room, ids(40));
      rule = { messages: 3, ms: 600_000 };
      await appendAll(store, room, ["m41"]);
      assert.deepEqual(await latestIds(store, room, undefined, 100), [["m39", "m40", "m41"], false]);
      rule = { messages: 10, ms: 60_000 };
      await appendAll(store, room, ["m42"]);
      assert.deepEqual(await latestIds(store, room, undefined, 100), [["m39", "m40", "m41", "m42"], false], "what was cut does not come back");
      await advance(61_000);
      assert.deepEqual(await latestIds(store, room, undefined, 100), [[], false], "nor is anything kept as long as before");
      await appendAll(store, room, ["m43"]);
      rule = { messages: 0, ms: 60_000 };
      await appendAll(store, room, ["m44"]);
      rule = { messages: 10, ms: 60_000 };
      assert.deepEqual(await latestIds(store, room, undefined, 100), [[], false]);
      const [last] = await appendAll(store, room, ["m45"]);
      assert.deepEqual(last, { epoch: start.epoch, offset: 45, previous: "m44" }, "offsets go on through all of it");
      assert.deepEqual(await missedIds(store, room, { ...start, offset: 44, msgId: "m44" }), ["m45"]);
    },
    () => rule,
  );
}

function latestContract(each: Each): void {
  each("the newest entries come oldest first, with their places and the stream's, and say whether older ones are kept", async ({ store }) => {
    const places = await appendAll(store, room, ids(5));
    const latest: Latest = await store.latest(room, undefined, 2);
    assert.deepEqual(latest, {
      position: { epoch: places[0]?.epoch, offset: 5, msgId: "m5" },
      entries: [3, 4].map((i) => ({ message: message(`m${i + 1}`), position: places[i] })),
      more: true,
    });
    assert.deepEqual(await latestIds(store, room, undefined, 5), [ids(5), false]);
    assert.deepEqual(await latestIds(store, room, undefined, 1_000), [ids(5), false]);
  });

  each("entries before an offset are read page by page to the beginning", async ({ store }) => {
    await appendAll(store, room, ids(7));
    const pages: string[][] = [];
    for (let before: number | undefined, more = true; more; ) {
      const page = await store.latest(room, before, 3);
      assert.equal(page.position.offset, 7);
      pages.push(idsOf(page.entries));
      before = page.entries[0]?.position.offset;
      more = page.more;
    }
    assert.deepEqual(pages, [["m5", "m6", "m7"], ["m2", "m3", "m4"], ["m1"]]);
    assert.deepEqual(await latestIds(store, room, 7, 2), [["m5", "m6"], true]);
    assert.deepEqual(await latestIds(store, room, 8, 2), [["m6", "m7"], true]);
    assert.deepEqual(await latestIds(store, room, Number.MAX_SAFE_INTEGER, 2), [["m6", "m7"], true], "an offset that is still to come");
    assert.deepEqual(await latestIds(store, room, 2, 5), [["m1"], false]);
    assert.deepEqual(await latestIds(store, room, 1, 5), [[], false]);
  });

  each(
    "what the rule does not keep is not shown and is not more",
    async ({ store }) => {
      await appendAll(store, room, ids(17));
      assert.deepEqual(await latestIds(store, room, undefined, 100), [ids(17).slice(1), false]);
      assert.deepEqual(await latestIds(store, room, 4, 2), [["m2", "m3"], false]);
      assert.deepEqual(await latestIds(store, room, 3, 2), [["m2"], false]);
      assert.deepEqual(await latestIds(store, room, 2, 2), [[], false]);
    },
    { messages: 16, ms: 60_000 },
  );

  each("asking an unknown stream for its end begins it", async ({ store }) => {
    const { position, entries, more } = await store.latest(room, undefined, 10);
    assert.deepEqual([position.offset, position.msgId, entries, more], [0, "", [], false]);
    assert.deepEqual((await store.latest(room, 5, 10)).position, position);
    assert.deepEqual(await positionIn(store, room), position);
    const [first] = await appendAll(store, room, ["m1"]);
    assert.deepEqual(first, { epoch: position.epoch, offset: 1, previous: "" });
  });

  each("what has expired is not shown; where the stream is, is", async ({ store, advance }) => {
    await appendAll(store, room, ["m1", "m2"]);
    await advance(301_000);
    const { position, entries, more } = await store.latest(room, undefined, 10);
    assert.deepEqual([position.offset, position.msgId, entries, more], [2, "m2", [], false]);
    assert.deepEqual(await latestIds(store, room, 2, 10), [[], false]);
    await appendAll(store, room, ["m3"]);
    assert.deepEqual(await latestIds(store, room, undefined, 10), [["m3"], false]);
  });

  each("after a new epoch the entries are there under it", async ({ store }) => {
    await appendAll(store, room, ["m1", "m2"]);
    const { epoch } = await store.renew(room, (await positionIn(store, room)).epoch);
    const { position, entries } = await store.latest(room, undefined, 10);
    assert.deepEqual([position.epoch, entries.map((entry) => entry.position.epoch)], [epoch, [epoch, epoch]]);
  });

  each("a page that is read while others append has no hole and ends where the stream is", async ({ store }) => {
    const appends = Promise.all(ids(60).map((msgId) => store.append(room, message(msgId), 0)));
    for (let i = 0; i < 20; i++) {
      const { position, entries } = await store.latest(room, undefined, 10);
      const offsets = entries.map((entry) => entry.position.offset);
      assert.deepEqual(
        offsets,
        offsets.map((_, at) => position.offset - offsets.length + 1 + at),
      );
      if (position.offset > 0) assert.equal(entries.at(-1)?.message.msgId, position.msgId);
    }
    assert.equal(Math.max(...(await appends).map((appended) => positionOf(appended).offset)), 60);
  });
}
