// The link that fills in the page.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readFragment } from "../../server/console/fragment.ts";

test("two accounts make two panes", () => {
  assert.deepEqual(readFragment("#app=test&a=user_1&ta=t.1.x&b=user_2&tb=t.2.x&secret=s"), {
    appKey: "test",
    secret: "s",
    panes: [
      { account: "user_1", token: "t.1.x" },
      { account: "user_2", token: "t.2.x" },
    ],
  });
});

test("one account makes one pane, under either name", () => {
  const expected = { appKey: "test", secret: "", panes: [{ account: "user_1", token: "t" }] };
  assert.deepEqual(readFragment("#app=test&account=user_1&token=t"), expected);
  assert.deepEqual(readFragment("#app=test&a=user_1&ta=t"), expected);
  assert.deepEqual(readFragment("#app=test&b=user_1&tb=t"), expected);
});

test("an empty fragment makes two empty panes", () => {
  const empty = { account: "", token: "" };
  for (const hash of ["", "#", "#unknown=1&"]) assert.deepEqual(readFragment(hash), { appKey: "", secret: "", panes: [empty, empty] }, hash);
});

test("values are percent-encoded; a plus, an equals sign and a broken escape stay what they are", () => {
  const { appKey, secret, panes } = readFragment(`#app=${encodeURIComponent("a&b=c#d")}&a=${encodeURIComponent("用户 1")}&secret=x+y==%zz`);
  assert.deepEqual([appKey, panes[0]?.account, secret], ["a&b=c#d", "用户 1", "x+y==%zz"]);
});
