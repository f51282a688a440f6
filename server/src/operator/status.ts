// What an application's status says, and which changes of it are worth an event.

import type { Entry } from "./aggregate.ts";
import type { Application, ApplicationStatus, Condition } from "./application.ts";
import type { Problem } from "./claims.ts";
import { nextRotationMs, rotationOf } from "./credentials.ts";
import type { News } from "./plan.ts";
import { isEverywhere, type Reach } from "./servers.ts";
import { secretNameOf } from "./tenant-secret.ts";

/** How an application stands. */
export interface Standing {
  readonly app: Application;
  readonly appKey: string;
  readonly entry: Entry | undefined;
  /** How far the entry has come. */
  readonly reach: Reach;
  readonly problem?: Problem;
}

type Verdict = Pick<Condition, "status" | "reason" | "message">;

/** The status. `before` is what it was: conditions keep their times until they turn. */
export function composeStatus(standing: Standing, before: ApplicationStatus, nowMs: number): ApplicationStatus {
  const { app, appKey, entry, reach } = standing;
  const rotation = rotationOf(app.spec);
  const generated = entry !== undefined && !entry.existing ? entry.credentials : undefined;
  const next = generated && nextRotationMs(generated, rotation);
  const [ending] = generated?.previous ?? [];
  const secretName = app.spec.credentials?.existingSecretRef?.name ?? (entry === undefined ? undefined : secretNameOf(app));
  const verdicts = { CredentialsReady: credentialsReady(standing), Synced: synced(standing), Ready: ready(standing), ...rotating(standing) };
  return {
    observedGeneration: app.generation,
    appKey,
    ...(secretName === undefined ? {} : { secretRef: { name: secretName } }),
    ...(generated === undefined ? {} : { binding: { name: secretNameOf(app) } }),
    ...(entry === undefined ? {} : { activeKeyId: entry.credentials.active.id, revision: String(entry.revision), synced: `${reach.accepted}/${reach.ready}` }),
    ...(ending === undefined ? {} : { previousKeyExpiresAt: toTime(ending.notAfterMs) }),
    ...(generated === undefined ? {} : { lastRotationTime: toTime(generated.rotatedMs) }),
    ...(next === undefined ? {} : { nextRotationTime: toTime(next) }),
    conditions: Object.entries(verdicts).map(([type, verdict]) => toCondition(type, verdict, { before, generation: app.generation, nowMs })),
  };
}

/** Whether it serves as its spec says. `undefined`: it is disabled, and that is meant. */
export function isReady(status: ApplicationStatus): boolean | undefined {
  const condition = status.conditions?.find(({ type }) => type === "Ready");
  return condition?.reason === "Disabled" ? undefined : condition?.status === "True";
}

/** What changed from one status to the next that somebody should read. */
export function statusNews(before: ApplicationStatus, after: ApplicationStatus): News[] {
  const was = before.conditions?.find(({ type }) => type === "Ready");
  const is = after.conditions?.find(({ type }) => type === "Ready");
  // On the way to being ready nothing has happened yet.
  if (is === undefined || is.reason === "Syncing" || (was?.reason === is.reason && was.message === is.message)) return [];
  if (is.status === "True" && was?.status === "True") return [];
  const isWarning = is.status === "False" && is.reason !== "Disabled";
  return [{ type: isWarning ? "Warning" : "Normal", reason: is.reason, note: is.message }];
}

const CREDENTIAL_PROBLEMS = ["SecretMissing", "SecretTooShort", "SecretNotOwned", "SecretNotWritten"];

function credentialsReady({ entry, problem }: Standing): Verdict {
  if (problem !== undefined && (entry === undefined || CREDENTIAL_PROBLEMS.includes(problem.reason))) return { status: "False", ...problem };
  if (entry === undefined) return { status: "False", reason: "Pending", message: "no credentials yet" };
  const { active } = entry.credentials;
  return entry.existing
    ? { status: "True", reason: "Existing", message: "the secret is the one of the Secret that the spec names" }
    : { status: "True", reason: "Generated", message: `the Secret holds ${active.id}` };
}

function synced({ entry, reach, problem }: Standing): Verdict {
  if (entry === undefined) return { status: "False", reason: problem?.reason ?? "Pending", message: problem?.message ?? "servers do not have it yet" };
  const { ready: count, accepted, silent } = reach;
  const message = `${accepted} of ${count} ready servers have it`;
  if (isEverywhere(reach)) return { status: "True", reason: "Synced", message };
  if (count === 0) return { status: "False", reason: "ServersUnreachable", message: "there is no ready server" };
  if (silent > 0) return { status: "False", reason: "ServersUnreachable", message: `${message}; ${silent} do not say` };
  return { status: "False", reason: "Syncing", message };
}

function ready(standing: Standing): Verdict {
  const { app, entry, problem } = standing;
  if (problem !== undefined)
    return { status: "False", ...problem, message: entry === undefined ? problem.message : `${problem.message}; what was valid last stays in force` };
  if (app.spec.enabled === false) return { status: "False", reason: "Disabled", message: "spec.enabled is false" };
  const verdicts = [credentialsReady(standing), synced(standing)];
  return verdicts.find(({ status }) => status !== "True") ?? { status: "True", reason: "Ready", message: "clients and backends are served" };
}

/** Only where something rotates. */
function rotating({ app, entry }: Standing): { Rotating?: Verdict } {
  if (entry === undefined || entry.existing || (rotationOf(app.spec) === undefined && entry.credentials.pending === undefined)) return {};
  const { pending, previous } = entry.credentials;
  if (pending !== undefined)
    return { Rotating: { status: "True", reason: "TellingServers", message: `${pending.id} is told to backends when every server has it` } };
  if (previous.length > 0) return { Rotating: { status: "True", reason: "Overlap", message: "the secret before is still accepted" } };
  return { Rotating: { status: "False", reason: "Idle", message: "one secret is accepted" } };
}

function toCondition(
  type: string,
  verdict: Verdict,
  { before, generation, nowMs }: { before: ApplicationStatus; generation: number; nowMs: number },
): Condition {
  const was = before.conditions?.find((condition) => condition.type === type);
  const lastTransitionTime = was?.status === verdict.status ? was.lastTransitionTime : toTime(nowMs);
  return { type, ...verdict, observedGeneration: generation, lastTransitionTime };
}

/** Kubernetes' times have whole seconds. */
function toTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** Whether two statuses say the same. */
export function isSameStatus(a: ApplicationStatus, b: ApplicationStatus): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each) ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1))) : each,
  );
}
