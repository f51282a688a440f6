// What is to be done for one application, from what was seen. Nothing is read or written here.

import { MIN_SECRET_BYTES } from "../apps/secrets.ts";
import type { Entry } from "./aggregate.ts";
import type { Application } from "./application.ts";
import type { Claim, Problem } from "./claims.ts";
import { advance, type Credentials, firstCredentials, type NamedSecret, rotationOf } from "./credentials.ts";
import { refuseFields, toFields } from "./fields.ts";
import type { Secret } from "./kube.ts";
import { type Addresses, desiredSecret, judge, readExisting } from "./tenant-secret.ts";

/** What was seen of an application's world. */
export interface Sight {
  /** The Secret with the generated secret, or the owner's: whichever the spec names. */
  readonly secret: Secret | undefined;
  /** As servers have it, or are about to. */
  readonly entry: Entry | undefined;
}

/** What a plan needs beside it. */
export interface PlanContext {
  readonly nowMs: number;
  readonly addresses: Addresses;
  /** Makes a secret with a new id. */
  readonly generate: () => NamedSecret;
}

/** What is to become of an application. */
export interface Plan {
  /** As servers should have it; `undefined`: they should not. */
  readonly entry: Entry | undefined;
  /** What keeps it from being as its spec says; what was in force stays. */
  readonly problem?: Problem;
  /** Words for events. */
  readonly news: readonly News[];
}

export interface News {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly note: string;
}

/** Plans the entry of an application. */
export function planEntry({ app, appKey, problem }: Claim, { secret, entry }: Sight, context: PlanContext): Plan {
  if (problem) return { entry: undefined, problem, news: [] };
  const inForce = entry?.uid === app.uid ? entry : undefined;
  const wanted = toFields(app.spec);
  const fault = refuseFields(appKey, wanted);
  const invalid: Problem | undefined = fault === undefined ? undefined : { reason: "InvalidSpec", message: fault };
  if (invalid && !inForce) return { entry: undefined, problem: invalid, news: [] };

  const outcome = app.spec.credentials?.existingSecretRef ? existing(app, secret, context) : generated(app, { secret, entry: inForce }, context);
  const credentials = outcome.credentials ?? inForce?.credentials;
  const trouble = outcome.problem ?? invalid;
  const said = { ...(trouble === undefined ? {} : { problem: trouble }), news: outcome.news };
  if (credentials === undefined) return { entry: undefined, ...said };
  return {
    entry: {
      ...{ uid: app.uid, namespace: app.namespace, name: app.name, appKey },
      existing: outcome.credentials === undefined ? inForce?.existing === true : app.spec.credentials?.existingSecretRef !== undefined,
      credentials,
      fields: invalid ? (inForce?.fields ?? {}) : wanted,
      revision: inForce?.revision ?? 0,
    },
    ...said,
  };
}

interface Outcome {
  /** `undefined`: what is in force stays. */
  readonly credentials?: Credentials;
  readonly problem?: Problem;
  readonly news: readonly News[];
}

/** The owner's Secret counts as it stands: who changes it, changes it at once. */
function existing({ spec }: Application, secret: Secret | undefined, { nowMs }: PlanContext): Outcome {
  const { name = "", key = "app_secret" } = spec.credentials?.existingSecretRef ?? {};
  const read = readExisting(secret, name, key);
  if ("problem" in read) return { problem: read.problem, news: [] };
  return { credentials: { ...firstCredentials({ id: "existing", secret: read.secret }, nowMs, ""), rotatedMs: 0 }, news: [] };
}

function generated(app: Application, { secret, entry }: Sight, { nowMs, generate }: PlanContext): Outcome {
  const found = judge(secret, app);
  if (found.kind === "foreign") return { problem: found.problem, news: [] };
  const rotation = rotationOf(app.spec);
  const told = found.kind === "own" ? found.told : undefined;
  const before = entry && !entry.existing ? entry.credentials : undefined;
  if (before === undefined) return { credentials: firstCredentials(adoptable(told) ?? generate(), nowMs, rotation?.trigger ?? ""), news: [] };
  const credentials = advance(before, { rotation, nowMs, told: told?.secret, generate });
  return { credentials, news: rotationNews(before, credentials) };
}

/** When the operator's own Secret was lost: backends go on with what they have. */
function adoptable(told: NamedSecret | undefined): NamedSecret | undefined {
  return told !== undefined && Buffer.byteLength(told.secret) >= MIN_SECRET_BYTES ? told : undefined;
}

function rotationNews(before: Credentials, after: Credentials): News[] {
  if (after.active.id !== before.active.id) {
    const [ended] = after.previous;
    const until = ended === undefined ? "no longer accepted" : `accepted until ${new Date(ended.notAfterMs).toISOString()}`;
    return [{ type: "Normal", reason: "Rotated", note: `the Secret holds ${after.active.id}; ${before.active.id} is ${until}` }];
  }
  if (after.pending === undefined || after.pending.id === before.pending?.id) return [];
  return [{ type: "Normal", reason: "RotationStarted", note: `servers are told of ${after.pending.id}` }];
}

/** What is to be done with an application's Secret. */
export type SecretAction =
  | { readonly kind: "none" }
  | { readonly kind: "create"; readonly wanted: Secret }
  /** It was left by an application that is gone. */
  | { readonly kind: "recreate"; readonly left: Secret; readonly wanted: Secret }
  | { readonly kind: "update"; readonly found: Secret; readonly wanted: Secret };

/** Plans the Secret. `everywhere`: every server has the entry as it is, so that a secret on its way may be told. */
export function planSecret(
  app: Application,
  entry: Entry,
  { secret, everywhere }: { secret: Secret | undefined; everywhere: boolean },
  addresses: Addresses,
): SecretAction {
  if (entry.existing || app.spec.credentials?.existingSecretRef) return { kind: "none" };
  const { active, pending } = entry.credentials;
  const wanted = desiredSecret(app, entry.appKey, everywhere && pending !== undefined ? pending : active, addresses);
  const found = judge(secret, app);
  switch (found.kind) {
    case "foreign":
      return { kind: "none" };
    case "none":
      return { kind: "create", wanted };
    case "left":
      return { kind: "recreate", left: found.secret, wanted };
    case "own":
      return { kind: "update", found: found.secret, wanted };
  }
}

/** The Secret that an application had before its `secretName` was changed. */
export function formerSecret({ status, spec }: Application): string | undefined {
  const former = status.secretRef?.name;
  return former === undefined || former === spec.credentials?.existingSecretRef?.name ? undefined : former;
}
