// What the status of an application says.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ApplicationStatus } from "../../server/src/operator/application.ts";
import { firstCredentials } from "../../server/src/operator/credentials.ts";
import { isEverywhere, reachOf, readyAddresses } from "../../server/src/operator/servers.ts";
import { composeStatus, isReady, isSameStatus, type Standing, statusNews } from "../../server/src/operator/status.ts";
import { application, entry, NOW, secretOf } from "./sample.ts";

const app = application("web");
const everywhere = { ready: 2, accepted: 2, silent: 0 };
const stand = (more: Partial<Standing> = {}, before: ApplicationStatus = {}, nowMs = NOW): ApplicationStatus =>
  composeStatus({ app, appKey: "shop.web", entry: entry(app, undefined, { revision: 12 }), reach: everywhere, ...more }, before, nowMs);
const words = ({ conditions = [] }: ApplicationStatus): string[] => conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`);

test("an application that every server has is ready", () => {
  const status = stand();
  assert.deepEqual(words(status), ["CredentialsReady True Generated", "Synced True Synced", "Ready True Ready"]);
  assert.deepEqual(
    [status.synced, status.revision, status.secretRef, status.binding, status.activeKeyId, status.observedGeneration],
    ["2/2", "12", { name: "web-xlvein" }, { name: "web-xlvein" }, "web-1", 1],
  );
  assert.equal(isReady(status), true);
});

test("servers that lag, do not answer or are not there have words of their own", () => {
  const reason = (reach: Standing["reach"]) => words(stand({ reach }))[2];
  assert.equal(reason({ ready: 2, accepted: 1, silent: 0 }), "Ready False Syncing");
  assert.equal(reason({ ready: 2, accepted: 1, silent: 1 }), "Ready False ServersUnreachable");
  assert.equal(reason({ ready: 0, accepted: 0, silent: 0 }), "Ready False ServersUnreachable");
});

test("a refused claim has no credentials", () => {
  const status = stand({ entry: undefined, problem: { reason: "AppKeyConflict", message: "m" } });
  assert.deepEqual(words(status), ["CredentialsReady False AppKeyConflict", "Synced False AppKeyConflict", "Ready False AppKeyConflict"]);
  assert.deepEqual([status.secretRef, status.synced, isReady(status)], [undefined, undefined, false]);
});

test("an invalid spec is not ready although what was valid last is served", () => {
  const status = stand({ problem: { reason: "InvalidSpec", message: "m" } });
  assert.deepEqual(words(status), ["CredentialsReady True Generated", "Synced True Synced", "Ready False InvalidSpec"]);
  assert.match(status.conditions?.[2]?.message ?? "", /^m; what was valid last stays in force$/);
});

test("a disabled application is neither ready nor an alarm", () => {
  const status = stand({ app: application("web", { enabled: false }) });
  assert.deepEqual([words(status)[2], isReady(status)], ["Ready False Disabled", undefined]);
});

test("a rotation shows its phase and its times", () => {
  const rotating = application("web", { credentials: { rotation: { interval: "2h" } } });
  const phase = (more: object) => stand({ app: rotating, entry: entry(rotating, { ...firstCredentials(secretOf("1"), NOW, ""), ...more }) });
  assert.equal(words(phase({}))[3], "Rotating False Idle");
  assert.equal(phase({}).nextRotationTime, "2030-01-01T02:00:00Z");
  assert.equal(words(phase({ pending: secretOf("2") }))[3], "Rotating True TellingServers");
  const overlap = phase({ previous: [{ ...secretOf("0"), notAfterMs: NOW + 3_600_000 }] });
  assert.deepEqual([words(overlap)[3], overlap.previousKeyExpiresAt], ["Rotating True Overlap", "2030-01-01T01:00:00Z"]);
});

test("a condition keeps its time until its status turns", () => {
  const before = stand();
  const times = (status: ApplicationStatus) => status.conditions?.map(({ lastTransitionTime }) => lastTransitionTime);
  assert.deepEqual(times(stand({}, before, NOW + 5_000)), times(before));
  const after = stand({ reach: { ready: 2, accepted: 1, silent: 0 } }, before, NOW + 5_000);
  assert.deepEqual(times(after), ["2030-01-01T00:00:00Z", "2030-01-01T00:00:05Z", "2030-01-01T00:00:05Z"]);
});

test("the order of keys makes no other status", () => {
  const status = stand();
  const turned = Object.fromEntries(Object.entries(status).reverse()) as ApplicationStatus;
  assert.ok(isSameStatus(status, turned));
  assert.ok(!isSameStatus(status, { ...turned, synced: "1/2" }));
});

test("only turns are news, and being on the way is none", () => {
  const reasons = (before: ApplicationStatus, after: ApplicationStatus) => statusNews(before, after).map(({ type, reason }) => `${type} ${reason}`);
  const [good, syncing] = [stand(), stand({ reach: { ready: 2, accepted: 1, silent: 0 } })];
  const refused = stand({ entry: undefined, problem: { reason: "AppKeyConflict", message: "m" } });
  assert.deepEqual(reasons({}, syncing), []);
  assert.deepEqual(reasons(syncing, good), ["Normal Ready"]);
  assert.deepEqual(reasons(good, good), []);
  assert.deepEqual(reasons({}, refused), ["Warning AppKeyConflict"]);
  assert.deepEqual(reasons(refused, refused), []);
});

test("servers count once each, when they are ready, and only with a revision that is counted", () => {
  const endpoint = (address: string, pod: string | undefined, ready = true) => ({ addresses: [address], ready, pod });
  assert.deepEqual(readyAddresses([endpoint("10.0.0.1", "a"), endpoint("fd00::1", "a"), endpoint("10.0.0.2", "b", false), endpoint("10.0.0.3", undefined)]), [
    "10.0.0.1",
    "10.0.0.3",
  ]);
  const reach = reachOf({ counters: [5, 6, undefined] }, 6);
  assert.deepEqual([reach, isEverywhere(reach)], [{ ready: 3, accepted: 1, silent: 1 }, false]);
  assert.ok(isEverywhere(reachOf({ counters: [6, 7] }, 6)));
  assert.ok(!isEverywhere(reachOf({ counters: [] }, 0)));
});

test("a Secret of the owner is named, and is no binding: it holds no address", () => {
  const own = application("web", { credentials: { existingSecretRef: { name: "vault" } } });
  const status = stand({ app: own, entry: entry(own, undefined, { existing: true }) });
  assert.deepEqual([status.secretRef, status.binding], [{ name: "vault" }, undefined]);
});
