// What every store promises; run against each implementation.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Message } from "../../server/src/protocol/message.ts";
import type { Position } from "../../server/src/protocol/position.ts";
import { accountTarget, appTarget, roomTarget, type Target } from "../../server/src/protocol/target.ts";
import { DEFAULT_HISTORY, type HistoryOf } from "../../server/src/store/history.ts";
import type { CallerKey } from "../../server/src/store/store.ts";
import { historyContract } from "./contract-history.ts";
import { membersContract } from "./contract-members.ts";
import { appendAll, type Each, ids, idsOf, message, missedIds, positionIn, positionOf, type StoreUnderTest } from "./subject.ts";

const HOUR_MS = 3_600_000;

function key(value: string, bodyHash = "hash", app = "a"): CallerKey {
  return { app, key: value, bodyHash, ttlMs: 60_000 };
}

/** Registers the tests of a store that remembers and keeps streams. `create` starts an empty one. */
export function storeContract(name: string, create: (historyOf: HistoryOf) => Promise<StoreUnderTest> | StoreUnderTest): void {
  const each: Each = (title, run, history = DEFAULT_HISTORY) =>
    test(`${name}: ${title}`, async () => {
      const subject = await create(typeof history === "function" ? history : () => history);
      try {
        await subject.store.open();
        await run(subject);
      } finally {
        await subject.store.close();
      }
    });
  const target = accountTarget("a", "one");

  keysContract(each);
  historyContract(each);
  membersContract(each);

  each("a stream's offsets begin at 1, follow each other, and each entry names the one before", async ({ store }) => {
    const [first, second, third] = await appendAll(store, target, ids(3));
    assert.ok(first && second && third);
    assert.deepEqual([first.offset, first.previous, second.offset, second.previous, third.offset, third.previous], [1, "", 2, "m1", 3, "m2"]);
    assert.equal(new Set([first.epoch, second.epoch, third.epoch]).size, 1);
    assert.match(first.epoch, /^[\x21-\x7e]+$/);
    assert.deepEqual(await positionIn(store, target), { epoch: first.epoch, offset: 3, msgId: "m3" });
  });

  each("every target has a stream of its own", async ({ store }) => {
    const other = accountTarget("a", "two");
    await appendAll(store, target, ids(3));
    const [first] = await appendAll(store, other, ["other"]);
    assert.deepEqual([first?.offset, first?.previous], [1, ""]);
    assert.deepEqual(await missedIds(store, other, { ...(await positionIn(store, other)), offset: 0, msgId: "" }), ["other"]);
  });

  each("50 appends at the same time leave no hole, and each names the one before", async ({ store }) => {
    const start = await positionIn(store, target);
    const appended = await Promise.all(ids(50).map((msgId) => store.append(target, message(msgId), 0)));
    const inOrder = appended.toSorted((a, b) => positionOf(a).offset - positionOf(b).offset);
    for (const [i, each] of inOrder.entries()) assert.deepEqual(each.position, { epoch: start.epoch, offset: i + 1, previous: inOrder[i - 1]?.msgId ?? "" });
    assert.deepEqual(
      await missedIds(store, target, start),
      inOrder.map(({ msgId }) => msgId),
    );
  });

  each("a message remembered is appended to each target once; again, it answers its first place", async ({ store }) => {
    const two = accountTarget("a", "two");
    const first = await store.append(target, message("m1"), 60_000);
    await appendAll(store, target, ["m2", "m3"]);
    const again = await store.append(target, message("m1"), 60_000);
    assert.deepEqual([first.duplicate, again.duplicate], [false, true]);
    assert.deepEqual(again.position, first.position);
    assert.equal((await positionIn(store, target)).offset, 3, "nothing was appended");
    const elsewhere = await store.append(two, message("m1"), 60_000);
    assert.deepEqual([elsewhere.duplicate, elsewhere.position?.offset], [false, 1], "a target that a first attempt did not reach gets it");
  });

  each("one of many appends of the same remembered message is the first, the others answer its place", async ({ store }) => {
    const appended = await Promise.all(Array.from({ length: 50 }, () => store.append(target, message("m"), 60_000)));
    assert.equal(appended.filter(({ duplicate }) => !duplicate).length, 1);
    for (const each of appended) assert.deepEqual(each.position, appended[0]?.position);
    assert.equal((await positionIn(store, target)).offset, 1);
  });

  each("a message is remembered as long as it was asked for", async ({ store, advance }) => {
    await store.append(target, message("m1"), 60_000);
    await advance(59_000);
    assert.equal((await store.append(target, message("m1"), 60_000)).duplicate, true);
    await advance(2_000);
    const late = await store.append(target, message("m1"), 60_000);
    assert.deepEqual([late.duplicate, late.position?.offset], [false, 2]);
  });

  each("what was missed comes complete, in order, and with the place of each", async ({ store }) => {
    const places = await appendAll(store, target, ids(5));
    const after = { epoch: places[0]?.epoch ?? "", offset: 2, msgId: "m2" };
    assert.deepEqual(await store.missed(target, after, 10), {
      outcome: "complete",
      entries: ids(5)
        .slice(2)
        .map((msgId, i) => ({ message: message(msgId), position: places[i + 2] })),
    });
    assert.deepEqual(await missedIds(store, target, after, 2), ["m3", "m4"], "page by page");
    assert.deepEqual(await missedIds(store, target, { ...after, offset: 5, msgId: "m5" }), []);
    assert.deepEqual(await missedIds(store, target, { ...after, offset: 0, msgId: "" }), ids(5), "from the beginning");
  });

  each(
    "a reader that is behind what is kept is told, and gets the oldest that are left",
    async ({ store }) => {
      const start = await positionIn(store, target);
      const places = await appendAll(store, target, ids(5));
      const missed = await store.missed(target, start, 2);
      assert.equal(missed.outcome, "too_old");
      assert.ok(missed.outcome === "too_old");
      assert.deepEqual(idsOf(missed.entries), ["m3", "m4"]);
      assert.deepEqual(
        missed.entries.map(({ position }) => position),
        places.slice(2, 4),
      );
      assert.deepEqual(await missedIds(store, target, { ...start, offset: 2, msgId: "m2" }), ["m3", "m4", "m5"], "the one before the oldest is known");
    },
    { messages: 3, ms: 60_000 },
  );

  each(
    "entries are kept for a while after the last of them; then the position is all that is known",
    async ({ store, advance }) => {
      const start = await positionIn(store, target);
      await appendAll(store, target, ["m1", "m2"]);
      await advance(59_000);
      assert.deepEqual(await missedIds(store, target, start), ["m1", "m2"]);
      await appendAll(store, target, ["m3"]);
      await advance(59_000);
      assert.deepEqual(await missedIds(store, target, { ...start, offset: 2, msgId: "m2" }), ["m3"]);
      await advance(2_000);
      assert.deepEqual(await store.missed(target, { ...start, offset: 2, msgId: "m2" }, 10), { outcome: "too_old", entries: [] });
      assert.deepEqual(await missedIds(store, target, { ...start, offset: 3, msgId: "m3" }), [], "nothing was missed");
      const [next] = await appendAll(store, target, ["m4"]);
      assert.deepEqual(next, { epoch: start.epoch, offset: 4, previous: "m3" });
      assert.deepEqual(await missedIds(store, target, { ...start, offset: 3, msgId: "m3" }), ["m4"]);
    },
    { messages: 100, ms: 60_000 },
  );

  each(
    "without history the places are there and nothing can be read",
    async ({ store }) => {
      const start = await positionIn(store, target);
      const [, second] = await appendAll(store, target, ["m1", "m2"]);
      assert.deepEqual(second, { epoch: start.epoch, offset: 2, previous: "m1" });
      assert.deepEqual(await store.missed(target, start, 10), { outcome: "too_old", entries: [] });
      assert.deepEqual(await missedIds(store, target, { ...start, offset: 2, msgId: "m2" }), []);
    },
    { messages: 0, ms: 60_000 },
  );

  each("a reader of another epoch, ahead of the stream, or with another message at its offset is told where the stream is", async ({ store }) => {
    await appendAll(store, target, ids(3));
    const current = await positionIn(store, target);
    const strangers: Position[] = [
      { ...current, epoch: "another" },
      { ...current, epoch: "another", offset: 0, msgId: "" },
      { ...current, offset: 4, msgId: "m4" },
      { ...current, msgId: "other" },
      { ...current, offset: 2, msgId: "other" },
      { ...current, offset: 0, msgId: "other" },
    ];
    for (const after of strangers) assert.deepEqual(await store.missed(target, after, 10), { outcome: "epoch_changed", current }, JSON.stringify(after));
  });

  each("asking where unknown streams are creates them, once", async ({ store }) => {
    const targets = ids(1_200, "account").map((account) => accountTarget("a", account));
    const first = await store.positions(targets);
    for (const position of first) assert.deepEqual([position?.offset, position?.msgId], [0, ""]);
    assert.deepEqual(await store.positions(targets), first);
    const [again, mixed] = await store.positions([targets[7] as Target, target]);
    assert.deepEqual(again, first[7]);
    assert.equal(mixed?.offset, 0);
    const [place] = await appendAll(store, targets[7] as Target, ["m1"]);
    assert.deepEqual(place, { epoch: again?.epoch, offset: 1, previous: "" }, "the stream goes on in the epoch that was answered");
    assert.deepEqual(await store.positions([]), []);
  });

  each("asking an unknown stream for what was missed begins it", async ({ store }) => {
    const missed = await store.missed(target, { epoch: "gone", offset: 7, msgId: "m7" }, 10);
    assert.ok(missed.outcome === "epoch_changed");
    assert.deepEqual(missed.current, await positionIn(store, target));
  });

  each("a new epoch is set once: who comes second is told the first one's", async ({ store }) => {
    await appendAll(store, target, ids(3));
    const before = await positionIn(store, target);
    const [one, two] = await Promise.all([store.renew(target, before.epoch), store.renew(target, before.epoch)]);
    assert.deepEqual(one, two);
    assert.notEqual(one.epoch, before.epoch);
    assert.deepEqual([one.offset, one.msgId], [3, "m3"], "the stream keeps its offset");
    assert.deepEqual(await store.renew(target, before.epoch), one);
    assert.deepEqual(await store.missed(target, { ...before, offset: 1, msgId: "m1" }, 10), { outcome: "epoch_changed", current: one });
    assert.deepEqual(await missedIds(store, target, { ...one, offset: 1, msgId: "m1" }), ["m2", "m3"], "and its entries");
    const [next] = await appendAll(store, target, ["m4"]);
    assert.deepEqual(next, { epoch: one.epoch, offset: 4, previous: "m3" });
  });

  each("a stream that nobody uses is forgotten after a day: what comes then is another epoch", async ({ store, advance }) => {
    const [first] = await appendAll(store, target, ["m1"]);
    await advance(23 * HOUR_MS);
    assert.equal((await appendAll(store, target, ["m2"]))[0]?.epoch, first?.epoch);
    await advance(25 * HOUR_MS);
    const [late] = await appendAll(store, target, ["m3"]);
    assert.deepEqual([late?.offset, late?.previous], [1, ""]);
    assert.notEqual(late?.epoch, first?.epoch);
  });

  each("asking where a stream is renews its life", async ({ store, advance }) => {
    const { epoch } = await positionIn(store, target);
    for (let day = 0; day < 3; day++) {
      await advance(23 * HOUR_MS);
      assert.equal((await positionIn(store, target)).epoch, epoch);
    }
    await advance(25 * HOUR_MS);
    assert.notEqual((await positionIn(store, target)).epoch, epoch);
  });

  each("a system that nobody uses returns to empty", async ({ store, advance, size }) => {
    await store.claim(key("k"), "m1");
    await Promise.all(ids(20, "account").map((account) => store.append(accountTarget("a", account), message("m1"), 60_000)));
    await advance(25 * HOUR_MS);
    if (size) assert.equal(await size(), 0);
    assert.equal((await store.claim(key("k"), "m2")).outcome, "fresh");
  });

  each("messages come back byte for byte", async ({ store }) => {
    const start = await positionIn(store, target);
    const data = [
      '{"a":12345678901234567890,"b":1.0, "c" :"\\u0000\\ud800"}',
      '{"é":"用户😀\u2028\\n"}',
      `{"x":"${"y".repeat(200_000)}"}`,
      '{\n\t"a":\r\n{} }',
      '{"":""}',
    ];
    const messages: Message[] = data.map((text, i) => ({
      msgId: `m${i}`,
      from: "sénder 😀\n",
      key: "kéy 😀",
      exclude: "0199d3f0-7a3e-7cc4-b1ab-6f0c5d2a9e11",
      trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      event: i % 2 === 0 ? 1 : 2,
      data: text,
      sendAt: 1_700_000_000_000 + i,
    }));
    for (const each of messages) await store.append(target, each, 0);
    await store.append(target, message("push"), 0);
    const missed = await store.missed(target, start, 10);
    assert.ok(missed.outcome === "complete");
    assert.deepEqual(
      missed.entries.map((entry) => entry.message),
      [...messages, message("push")],
    );
  });

  each("long, odd and hostile names never share a stream, within an application or across", async ({ store }) => {
    const names = ["a", "a:b", "*", "#", "a.*", "", " ", "\n", "{a}", "}:s", "__proto__", "用户_2", "😀", "x".repeat(4_096), "7:accounta"];
    const apps = ["a", "a7:account", "1:a", "*", "a:", "{a}", "__proto__"];
    const targets = apps.flatMap((app) => [...names.flatMap((name) => [accountTarget(app, name), roomTarget(app, name)]), appTarget(app)]);
    for (const [i, each] of targets.entries()) assert.equal((await store.append(each, message(`m${i}`), 60_000)).position?.offset, 1);
    for (const [i, each] of targets.entries()) {
      const position = await positionIn(store, each);
      assert.deepEqual([position.offset, position.msgId], [1, `m${i}`]);
      assert.deepEqual(await missedIds(store, each, { ...position, offset: 0, msgId: "" }), [`m${i}`]);
    }
  });

  each("it is up while open, and closing twice is fine", async ({ store }) => {
    assert.equal(store.state().up, true);
    await store.close();
    await store.close();
  });
}

/** The promises about callers' keys. */
function keysContract(each: Each): void {
  each("a key belongs to the first message that claims it", async ({ store }) => {
    assert.deepEqual(await store.claim(key("k"), "m1"), { outcome: "fresh", msgId: "m1" });
    assert.deepEqual(await store.claim(key("k"), "m2"), { outcome: "same", msgId: "m1" });
    assert.deepEqual(await store.claim(key("k", "other"), "m3"), { outcome: "other_body", msgId: "m1" });
  });

  each("one of many claims at the same time is fresh, the others get its message", async ({ store }) => {
    const claims = await Promise.all(Array.from({ length: 50 }, (_, i) => store.claim(key("k"), `m${i}`)));
    assert.equal(claims.filter(({ outcome }) => outcome === "fresh").length, 1);
    assert.equal(new Set(claims.map(({ msgId }) => msgId)).size, 1);
  });

  each("a key is forgotten when its time is over", async ({ store, advance }) => {
    await store.claim(key("k"), "m1");
    await advance(59_000);
    assert.equal((await store.claim(key("k"), "m2")).outcome, "same");
    await advance(2_000);
    assert.deepEqual(await store.claim(key("k"), "m3"), { outcome: "fresh", msgId: "m3" });
  });

  each("the same key of two applications, and hostile spellings, are different keys", async ({ store }) => {
    const pairs = [
      ["a", "b:c"],
      ["a:b", "c"],
      ["", "a"],
      ["a", ""],
      ["1:a", "b"],
      ["a", "1:b"],
      ["__proto__", "constructor"],
      ["a*", "#"],
      ["😀", "x".repeat(4_096)],
    ];
    for (const [i, [app, value]] of pairs.entries())
      assert.deepEqual(await store.claim(key(value as string, "h", app), `m${i}`), { outcome: "fresh", msgId: `m${i}` });
  });
}
