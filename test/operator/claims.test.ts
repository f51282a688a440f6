// Which application gets which key.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Application } from "../../server/src/operator/application.ts";
import { settleClaims } from "../../server/src/operator/claims.ts";
import { application, NOW } from "./sample.ts";

const RULES = { server: "xlvein", allowForeign: false };
const problems = (apps: Application[], rules = RULES, holds?: (app: Application) => boolean) =>
  Object.fromEntries([...settleClaims(apps, rules, holds && { holds })].map(([key, { problem }]) => [key, problem?.reason]));

test("a key defaults to NAMESPACE.NAME", () => {
  assert.equal(settleClaims([application("web")], RULES).get("shop/web")?.appKey, "shop.web");
});

test("the older application keeps a key, whatever the order they are seen in", () => {
  const [old, young] = [application("z", { appKey: "k" }, { createdMs: NOW - 2_000 }), application("a", { appKey: "k" })];
  for (const apps of [
    [old, young],
    [young, old],
  ])
    assert.deepEqual(problems(apps), { "shop/z": undefined, "shop/a": "AppKeyConflict" });
});

test("of two made in one second whoever has the key keeps it, else the first by name gets it", () => {
  const apps = [application("b", { appKey: "k" }), application("a", { appKey: "k" })];
  assert.deepEqual(problems(apps), { "shop/a": undefined, "shop/b": "AppKeyConflict" });
  assert.deepEqual(
    problems(apps, RULES, ({ name }) => name === "b"),
    { "shop/b": undefined, "shop/a": "AppKeyConflict" },
  );
});

test("a key with a dot belongs to the namespace before it, and a refused one takes it from nobody", () => {
  const thief = application("t", { appKey: "shop.web" }, { namespace: "other", createdMs: NOW - 9_000 });
  assert.deepEqual(problems([thief, application("web")]), { "other/t": "AppKeyForeign", "shop/web": undefined });
  assert.deepEqual(problems([thief], { ...RULES, allowForeign: true }), { "other/t": undefined });
  assert.deepEqual(problems([application("a", { appKey: "shop.b.c" }), application("b", { appKey: "shop2.b" })]), {
    "shop/a": undefined,
    "shop/b": "AppKeyForeign",
  });
});

test("applications of other installations, and those being deleted, claim nothing", () => {
  const apps = [
    application("a", { appKey: "k", serverRef: { name: "another" } }),
    application("b", { appKey: "k" }, { deleting: true, createdMs: 1 }),
    application("c", { appKey: "k", serverRef: {} }),
  ];
  assert.deepEqual(problems(apps), { "shop/c": undefined });
  assert.deepEqual(problems(apps, { ...RULES, server: "another" }), { "shop/a": undefined });
});

test("a key of an application that cannot be seen now is nobody else's", () => {
  const unseen = new Map([["k", "gone/a"]]);
  const claims = settleClaims([application("b", { appKey: "k" }), application("c")], RULES, { unseen });
  assert.match(claims.get("shop/b")?.problem?.message ?? "", /^appKey k belongs to Application gone\/a, whose namespace cannot be listed now$/);
  assert.equal(claims.get("shop/c")?.problem, undefined);
});
