// What is planned for one application, from what was seen of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Entry } from "../../server/src/operator/aggregate.ts";
import type { Application } from "../../server/src/operator/application.ts";
import { firstCredentials } from "../../server/src/operator/credentials.ts";
import type { Secret } from "../../server/src/operator/kube.ts";
import { planEntry, planSecret } from "../../server/src/operator/plan.ts";
import { decode, differences, judge } from "../../server/src/operator/tenant-secret.ts";
import { ADDRESSES, application, entry, NOW, secretOf, tenantSecret } from "./sample.ts";

const web = application("web");
const plan = (app: Application, seen: { secret?: Secret; entry?: Entry } = {}) =>
  planEntry(
    { app, appKey: `shop.${app.name}` },
    { secret: seen.secret, entry: seen.entry },
    { nowMs: NOW, addresses: ADDRESSES, generate: () => secretOf("new") },
  );
const owned = (data: Record<string, string>): Secret => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "vault", namespace: "shop" },
  data: Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString("base64")])),
});

test("a new application gets a new secret, which goes into its Secret", () => {
  const { entry: made, problem } = plan(web);
  assert.equal(problem, undefined);
  assert.deepEqual(made?.credentials, firstCredentials(secretOf("new"), NOW, ""));
  const action = planSecret(web, made ?? assert.fail(), { secret: undefined, everywhere: false }, ADDRESSES);
  assert.equal(action.kind, "create");
  assert.equal(action.kind === "create" && decode(action.wanted.data["app_secret"]), secretOf("new").secret);
});

test("a secret that nobody but its Secret remembers is adopted, unless it is too short", () => {
  assert.deepEqual(plan(web, { secret: tenantSecret(web, secretOf("old")) }).entry?.credentials.active, secretOf("old"));
  assert.equal(plan(web, { secret: tenantSecret(web, { id: "old", secret: "short" }) }).entry?.credentials.active.id, "new");
});

test("what the servers have stands above what the Secret says", () => {
  const known = entry(web);
  const edited = tenantSecret(web, secretOf("edited"));
  assert.deepEqual(plan(web, { entry: known, secret: edited }).entry?.credentials, known.credentials);
  const action = planSecret(web, known, { secret: edited, everywhere: true }, ADDRESSES);
  assert.ok(action.kind === "update");
  assert.deepEqual(Object.keys(differences(action.found, action.wanted)?.patch.data ?? {}), ["app_secret"]);
});

test("an entry of an application of the same key that is gone is not inherited", () => {
  assert.equal(plan(web, { entry: entry({ ...web, uid: "uid-before" }) }).entry?.credentials.active.id, "new");
});

test("a secret on its way goes into the Secret when every server has it", () => {
  const known = entry(web, { ...firstCredentials(secretOf("1"), NOW, ""), pending: secretOf("2") });
  const told = (everywhere: boolean) => {
    const action = planSecret(web, known, { secret: tenantSecret(web, secretOf("1")), everywhere }, ADDRESSES);
    return action.kind === "update" ? decode(action.wanted.data["app_secret"]).slice(0, 1) : action.kind;
  };
  assert.deepEqual([told(false), told(true)], ["1", "2"]);
});

test("a Secret of nobody, of another application and of a former one are told apart", () => {
  const own = tenantSecret(web, secretOf("1"));
  const by = (metadata: object): string => judge({ ...own, metadata: { ...own.metadata, ...metadata } }, web).kind;
  const owner = own.metadata.ownerReferences?.[0] ?? assert.fail();
  assert.equal(judge(undefined, web).kind, "none");
  assert.equal(by({}), "own");
  assert.equal(by({ labels: {} }), "foreign");
  assert.equal(by({ ownerReferences: [] }), "foreign");
  assert.equal(by({ ownerReferences: [{ ...owner, uid: "uid-before" }] }), "left");
  assert.equal(by({ ownerReferences: [{ ...owner, uid: "uid-api", name: "api" }] }), "foreign");
  assert.equal(by({ ownerReferences: [{ ...owner, apiVersion: "argoproj.io/v1alpha1" }] }), "foreign");
});

test("labels, annotations and keys that others have added stay", () => {
  const own = tenantSecret(web, secretOf("1"));
  const more = { ...own, metadata: { ...own.metadata, labels: { ...own.metadata.labels, more: "1" } }, data: { ...own.data, more: "MQ==" } };
  assert.equal(differences(more, own), undefined);
});

test("a Secret of the owner is read by name and key, and what was in force stays while it is missing", () => {
  const app = application("web", { credentials: { existingSecretRef: { name: "vault", key: "k" } } });
  const long = "0123456789abcdef0123456789abcdef";
  const good = plan(app, { secret: owned({ k: long }) }).entry;
  assert.deepEqual([good?.existing, good?.credentials.active], [true, { id: "existing", secret: long }]);
  for (const [secret, reason, message] of [
    [undefined, "SecretMissing", "there is no Secret vault"],
    [owned({ app_secret: long }), "SecretMissing", "Secret vault has no key k"],
    [owned({ k: "short" }), "SecretTooShort", "k of Secret vault has 5 bytes; at least 32 are needed"],
  ] as const) {
    const seen = { ...(secret === undefined ? {} : { secret }) };
    assert.deepEqual([plan(app, seen).entry, plan(app, seen).problem], [undefined, { reason, message }]);
    assert.deepEqual(plan(app, { ...seen, entry: good ?? assert.fail() }).entry, good);
  }
  assert.equal(planSecret(app, good ?? assert.fail(), { secret: undefined, everywhere: true }, ADDRESSES).kind, "none");
});

test("fields that servers would refuse leave those before them in force, or keep a new application out", () => {
  const bad = application("web", { rooms: [{ prefix: "a*b" }] });
  const known = entry(bad, undefined, { fields: { slow: "close" } });
  assert.deepEqual(plan(bad, { entry: known }).entry?.fields, { slow: "close" });
  const fresh = plan(bad);
  assert.deepEqual([fresh.entry, fresh.problem?.reason], [undefined, "InvalidSpec"]);
  assert.match(fresh.problem?.message ?? "", /^spec\.rooms\[0\]\.prefix must not hold \*/);
});

test("both phases of a rotation are told", () => {
  const app = application("web", { credentials: { rotation: { trigger: "x", overlap: "1h" } } });
  const begun = plan(app, { entry: entry(app), secret: tenantSecret(app, secretOf("web-1")) });
  assert.deepEqual(begun.news, [{ type: "Normal", reason: "RotationStarted", note: "servers are told of new" }]);
  const done = plan(app, { entry: begun.entry ?? assert.fail(), secret: tenantSecret(app, secretOf("new")) });
  assert.deepEqual(
    done.news.map(({ reason, note }) => `${reason}: ${note}`),
    ["Rotated: the Secret holds new; web-1 is accepted until 2030-01-01T01:00:00.000Z"],
  );
});
