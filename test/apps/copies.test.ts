// Which of two copies of one set counts: the one that is watched, or the one that is mounted.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Copy, createCopies } from "../../server/src/apps/copies.ts";

/** `a`, or `a@7` with a revision. */
function copy(text: string): Copy {
  return { text, revision: text.split("@")[1] ?? "" };
}

/** Lets things happen (`w:` the watch shows, `m:` the mount holds) and says what counts while the watch works, and after it has failed. */
function after(...events: string[]): [live: string | undefined, dead: string | undefined] {
  const copies = createCopies();
  for (const event of events) {
    const [way, text = ""] = event.split(":");
    if (way === "w") copies.watched(copy(text));
    else copies.mounted(copy(text));
  }
  return [copies.choose(true), copies.choose(false)];
}

test("what is there counts", () => {
  assert.deepEqual(after(), [undefined, undefined]);
  assert.deepEqual(after("m:a"), ["mounted", "mounted"]);
  assert.deepEqual(after("w:a"), ["watched", "watched"]);
});

test("the higher revision counts, live or not, whenever it came", () => {
  for (const [watched, mounted] of [
    ["a@2", "b@1"],
    ["a@10-x", "b@9-y"],
  ]) {
    assert.deepEqual(after(`m:${mounted}`, `w:${watched}`), ["watched", "watched"]);
    assert.deepEqual(after(`w:${watched}`, `m:${mounted}`), ["watched", "watched"]);
    assert.deepEqual(after(`m:${watched}`, `w:${mounted}`), ["mounted", "mounted"]);
    assert.deepEqual(after(`w:${mounted}`, `m:${watched}`), ["mounted", "mounted"]);
  }
});

test("without revisions the watch counts while it works, and news of the mount after it has failed", () => {
  assert.deepEqual(after("m:a", "w:b"), ["watched", "watched"], "the mount is old");
  assert.deepEqual(after("m:a", "w:b", "w:c", "m:b"), ["watched", "watched"], "the mount catches up");
  assert.deepEqual(after("m:a", "w:b", "m:b", "m:c"), ["watched", "mounted"], "the mount has news");
  assert.deepEqual(after("m:a", "w:b", "w:a", "w:b", "m:a"), ["watched", "watched"]);
  assert.deepEqual(after("m:", "w:b"), ["watched", "watched"], "a mount that was empty before is no news");
  assert.deepEqual(after("m:a@1", "w:b"), ["watched", "watched"], "one revision alone says nothing");
});

test("what comes back is news again", () => {
  assert.deepEqual(after("w:a", "w:b", "w:a", "m:b"), ["watched", "watched"]);
  assert.deepEqual(after("w:b", "w:a", "m:a"), ["watched", "mounted"], "it is the same set either way");
});
