// What holds for one stream of an application: the rule of its room, the application's own word, or nothing.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseApplications } from "../../server/src/apps/parse.ts";
import { historyOf, publishersOf, roomRule, slowOf } from "../../server/src/apps/rules.ts";
import { accountTarget, appTarget, roomTarget } from "../../server/src/protocol/target.ts";

function appWith(fields: object) {
  const { set } = parseApplications([{ app_key: "shop", app_secret: "0123456789abcdef0123456789abcdef", ...fields }], { source: "test", now: 0 });
  return set.apps.get("shop") ?? assert.fail("no application");
}

const app = appWith({
  history: { messages: 7, seconds: 70 },
  slow: "drop_oldest",
  rooms: [
    { prefix: "chat:", history: { messages: 0 }, slow: "conflate" },
    { prefix: "chat:vip:", publish: "nobody" },
    { prefix: "free", publish: "anyone", slow: "close" },
  ],
});

test("the longest prefix that fits counts, and it alone", () => {
  assert.equal(roomRule(app, "chat:1")?.prefix, "chat:");
  assert.equal(roomRule(app, "chat:vip:1")?.prefix, "chat:vip:");
  assert.equal(roomRule(app, "chat:vip")?.prefix, "chat:");
  assert.equal(roomRule(app, "Chat:1"), undefined);
  assert.deepEqual(historyOf(app, roomTarget("shop", "chat:1")), { messages: 0, ms: 0 });
  assert.deepEqual(historyOf(app, roomTarget("shop", "chat:vip:1")), { messages: 7, ms: 70_000 }, "not that of the shorter prefix");
  assert.equal(slowOf(app, roomTarget("shop", "chat:1")), "conflate");
  assert.equal(slowOf(app, roomTarget("shop", "chat:vip:1")), "drop_oldest");
  assert.equal(slowOf(app, roomTarget("shop", "free")), "close");
});

test("rules for rooms say nothing about accounts and the whole application of the same name", () => {
  for (const target of [accountTarget("shop", "chat:1"), appTarget("shop")]) {
    assert.deepEqual(historyOf(app, target), { messages: 7, ms: 70_000 });
    assert.equal(slowOf(app, target), "drop_oldest");
  }
});

test("who may publish is said by the room's rule, else its members may", () => {
  assert.deepEqual(
    ["chat:1", "chat:vip:1", "freedom", "other"].map((room) => publishersOf(app, room)),
    ["members", "nobody", "anyone", "members"],
  );
});

test("an empty prefix is the rule of every room that has no other", () => {
  const all = appWith({
    rooms: [
      { prefix: "", publish: "nobody" },
      { prefix: "a", publish: "anyone" },
    ],
  });
  assert.deepEqual([publishersOf(all, "b"), publishersOf(all, "ab")], ["nobody", "anyone"]);
});

test("an application that says nothing, or is gone, leaves the history to the store and closes slow readers", () => {
  for (const silent of [appWith({}), undefined]) {
    assert.equal(historyOf(silent, roomTarget("shop", "chat:1")), undefined);
    assert.equal(historyOf(silent, accountTarget("shop", "user_1")), undefined);
    assert.equal(slowOf(silent, roomTarget("shop", "chat:1")), "close");
    assert.equal(publishersOf(silent, "chat:1"), "members");
  }
});
