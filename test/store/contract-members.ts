// What every store promises about the members of rooms.
import assert from "node:assert/strict";
import { ErrorCode, XlveinError } from "../../server/src/errors.ts";
import { accountTarget, roomTarget } from "../../server/src/protocol/target.ts";
import { MAX_ROOMS, type Store } from "../../server/src/store/store.ts";
import { appendAll, type Each, ids, positionIn } from "./subject.ts";

/** One account's rooms, in the order of their names. */
async function roomsOf(store: Store, account: string, app = "a"): Promise<string[]> {
  const [rooms] = await store.roomsOf(app, [account]);
  assert.ok(rooms);
  return rooms.toSorted();
}

/** All members, read in pages. */
async function everyMember(store: Store, room: string, limit: number): Promise<string[]> {
  const members: string[] = [];
  for (;;) {
    const page = await store.members("a", room, members.at(-1), limit);
    assert.ok(page.length <= limit);
    members.push(...page);
    if (page.length < limit) return members;
  }
}

/** Adds an account to so many rooms. */
async function fill(store: Store, account: string, rooms: number): Promise<void> {
  for (let at = 0; at < rooms; at += 100) await Promise.all(ids(Math.min(100, rooms - at), `${at}-`).map((room) => store.addMembers("a", room, [account])));
}

export function membersContract(each: Each): void {
  each("members that were added are listed, and know their rooms; adding and removing again does no harm", async ({ store }) => {
    for (let i = 0; i < 2; i++) {
      await store.addMembers("a", "r1", ["one", "two", "one"]);
      await store.addMembers("a", "r2", ["one"]);
    }
    assert.deepEqual(await store.members("a", "r1", undefined, 10), ["one", "two"]);
    assert.deepEqual(await store.members("a", "r2", undefined, 10), ["one"]);
    const rooms = await store.roomsOf("a", ["two", "nobody", "one", "two"]);
    assert.deepEqual(
      rooms.map((each) => each.toSorted()),
      [["r1"], [], ["r1", "r2"], ["r1"]],
    );
    assert.deepEqual(await store.areMembers("a", "r1", ["two", "nobody", "one", "two"]), [true, false, true, true]);
    assert.deepEqual(await store.areMembers("a", "r2", ["two", "one"]), [false, true]);
    for (let i = 0; i < 2; i++) await store.removeMembers("a", "r1", ["one", "nobody"]);
    assert.deepEqual(await store.members("a", "r1", undefined, 10), ["two"]);
    assert.deepEqual(await roomsOf(store, "one"), ["r2"]);
    await store.addMembers("a", "r1", ["one"]);
    assert.deepEqual(await store.members("a", "r1", undefined, 10), ["one", "two"]);
  });

  each("nobody is asked for, added or removed: nothing happens", async ({ store, size }) => {
    await store.addMembers("a", "r", []);
    await store.removeMembers("a", "r", []);
    assert.deepEqual(await store.roomsOf("a", []), []);
    assert.deepEqual(await store.areMembers("a", "r", []), []);
    assert.deepEqual(await store.members("a", "r", undefined, 10), []);
    if (size) assert.equal(await size(), 0);
  });

  each("members come in the order of their UTF-8 bytes, page by page, also behind one that is no member", async ({ store }) => {
    const accounts = ["~", "a", "Z", "aa", "a b", "é", "\uFFFD", "\uE000", "😀", "🀄", "用户", "a\n", "0", "10", "9", "(", "[a", "+", "-"];
    const inOrder = accounts.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    assert.notDeepEqual(inOrder, accounts.toSorted(), "the order of UTF-16 is another");
    await store.addMembers("a", "r", accounts);
    assert.deepEqual(await store.members("a", "r", undefined, 100), inOrder);
    for (const limit of [1, 2, 5, 19]) assert.deepEqual(await everyMember(store, "r", limit), inOrder);
    assert.deepEqual(
      await store.members("a", "r", "aZ", 100),
      inOrder.filter((each) => Buffer.compare(Buffer.from(each), Buffer.from("aZ")) > 0),
    );
    assert.deepEqual(await store.members("a", "r", "", 2), inOrder.slice(0, 2));
    assert.deepEqual(await store.members("a", "r", inOrder.at(-1), 10), []);
    await store.removeMembers("a", "r", [inOrder[3] as string]);
    await store.addMembers("a", "r", ["b"]);
    assert.deepEqual(
      await everyMember(store, "r", 4),
      [...inOrder.filter((_, i) => i !== 3), "b"].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
    );
  });

  each("1,200 members are added, asked for and removed at once", async ({ store, size }) => {
    const accounts = ids(1_200, "account");
    await store.addMembers("a", "r", accounts);
    assert.deepEqual((await everyMember(store, "r", 500)).toSorted(), accounts.toSorted());
    assert.deepEqual(await store.roomsOf("a", ["nobody", ...accounts]), [[], ...accounts.map(() => ["r"])]);
    await store.removeMembers("a", "r", accounts);
    assert.deepEqual(await store.members("a", "r", undefined, 10), []);
    if (size) assert.equal(await size(), 0, "nothing is left of them");
  });

  each("an account is in so many rooms and no more: it is named, and the others are added", async ({ store }) => {
    await fill(store, "full", MAX_ROOMS);
    assert.equal((await roomsOf(store, "full")).length, MAX_ROOMS);
    await assert.rejects(store.addMembers("a", "one more", ["before", "full", "behind"]), (error) => {
      assert.ok(error instanceof XlveinError);
      assert.deepEqual([error.code, error.message.includes("account full "), error.retryable], [ErrorCode.TOO_MANY_ROOMS, true, false]);
      return true;
    });
    assert.deepEqual(await store.members("a", "one more", undefined, 10), ["before", "behind"]);
    assert.equal((await roomsOf(store, "full")).length, MAX_ROOMS);
    await store.addMembers("a", "0-1", ["full"]);
    await store.addMembers("b", "one more", ["full"]);
    await store.removeMembers("a", "0-1", ["full"]);
    await store.addMembers("a", "one more", ["full"]);
    assert.deepEqual(await store.members("a", "one more", undefined, 10), ["before", "behind", "full"]);
  });

  each("of many rooms at the same time an account is added to as many as it may be in", async ({ store }) => {
    await fill(store, "full", MAX_ROOMS - 5);
    const outcomes = await Promise.allSettled(ids(20, "last").map((room) => store.addMembers("a", room, ["full"])));
    assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 5);
    assert.equal((await roomsOf(store, "full")).length, MAX_ROOMS);
    for (const [i, { status }] of outcomes.entries())
      assert.deepEqual(await store.members("a", `last${i + 1}`, undefined, 10), status === "fulfilled" ? ["full"] : []);
  });

  each("members are remembered without end, whatever is forgotten beside them", async ({ store, advance }) => {
    await store.addMembers("a", "r", ["one"]);
    await appendAll(store, roomTarget("a", "r"), ["m1"]);
    await appendAll(store, accountTarget("a", "one"), ["m1"]);
    await advance(400 * 24 * 3_600_000);
    assert.deepEqual([await store.members("a", "r", undefined, 10), await roomsOf(store, "one")], [["one"], ["r"]]);
    assert.equal((await positionIn(store, roomTarget("a", "r"))).offset, 0);
  });

  each("long, odd and hostile names of applications, rooms and accounts never meet", async ({ store }) => {
    const names = ["a", "a:b", "*", "#", "", " ", "\n", "{a}", "}:r", "__proto__", "用户_2", "😀", "7:accounta", "4:rooma", "-", "+", "(a"];
    const apps = ["a", "a7:account", "1:a", "a:", "__proto__"];
    const rooms = [...names, "r".repeat(256)];
    const accounts = [...names, "x".repeat(4_096)];
    // Each account is in the room of its own number.
    const pairs = apps.flatMap((app) => rooms.map((room, i) => [app, room, accounts[i] as string] as const));
    await Promise.all(pairs.map(([app, room, account]) => store.addMembers(app, room, [account])));
    for (const [app, room, account] of pairs) {
      assert.deepEqual(await store.members(app, room, undefined, 10), [account]);
      assert.deepEqual(await roomsOf(store, account, app), [room]);
    }
    for (const [app, room, account] of pairs) {
      await store.removeMembers(app, room, [account]);
      assert.deepEqual(await roomsOf(store, account, app), []);
    }
  });
}
