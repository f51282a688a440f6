// The Secret that the servers read, and in it what the operator has to remember. Composed and read here; written by applications-secret.ts.
import { createHash } from "node:crypto";
import { counterOf } from "../apps/revision.ts";
import { type Credentials, type NamedSecret, toSecrets } from "./credentials.ts";
import type { AppFields } from "./fields.ts";
import { MANAGED_BY, MANAGER, type Secret } from "./kube.ts";
import { decode, encode } from "./tenant-secret.ts";

/** An application as the servers get it. */
export interface Entry {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly appKey: string;
  /** Its secret is somebody else's Secret, not a generated one. */
  readonly existing: boolean;
  readonly credentials: Credentials;
  readonly fields: AppFields;
  /** The count of the revision since which servers have it like this; 0: none has it yet. */
  readonly revision: number;
}

/** What the Secret holds. */
export interface Aggregate {
  readonly counter: number;
  /** `12-3f2a…` */
  readonly revision: string;
  /** By app key. */
  readonly entries: ReadonlyMap<string, Entry>;
}

/** Keys of the Secret: what servers read, and what only the operator does. */
const APPLICATIONS = "applications.json";
const STATE = "operator.json";
/** Kubernetes: of all values of a Secret together. */
export const MAX_SECRET_BYTES = 1_048_576;
/** New applications stay out above this, so that those inside can still rotate. */
export const ROOM_FOR_NEW_BYTES = 900_000;

/** The Secret with these applications, the next revision if servers would see a difference. Entries that changed get that revision. */
export function compose(entries: readonly Entry[], before: Aggregate | undefined, nowMs: number): Aggregate {
  const known = new Map([...(before?.entries ?? [])].map(([appKey, entry]) => [appKey, { part: partOf(entry), revision: entry.revision }]));
  const sorted = [...entries].sort((a, b) => (a.appKey < b.appKey ? -1 : 1));
  const isSame = (entry: Entry): boolean => known.get(entry.appKey)?.part === partOf(entry);
  const unchanged = before !== undefined && known.size === sorted.length && sorted.every(isSame);
  // By the clock where nothing is known: servers refuse a lower count than theirs, and there is no change in every millisecond.
  const counter = unchanged ? before.counter : before === undefined ? nowMs : before.counter + 1;
  const marked = sorted.map(
    (entry) => [entry.appKey, { ...entry, revision: (isSame(entry) ? known.get(entry.appKey)?.revision : undefined) ?? counter }] as const,
  );
  const digest = createHash("sha256").update(sorted.map(partOf).join("\n")).digest("hex").slice(0, 12);
  return { counter, revision: unchanged ? before.revision : `${counter}-${digest}`, entries: new Map(marked) };
}

function partOf({ appKey, credentials, fields }: Entry): string {
  return JSON.stringify({ app_key: appKey, secrets: toSecrets(credentials), ...fields });
}

/** About how much of the Secret an entry takes. */
export function bytesOf(entry: Entry): number {
  return Buffer.byteLength(partOf(entry)) + Buffer.byteLength(JSON.stringify(stateOf({ ...entry, revision: entry.revision || Date.now() }))) + 2;
}

/** The data of the Secret. */
function toData({ revision, entries }: Aggregate): Record<string, string> {
  const parts = [...entries.values()].map(partOf).join(",");
  // Servers refuse a set without any application unless it says that this is meant.
  const json = `{"revision":${JSON.stringify(revision)},${entries.size === 0 ? '"allow_empty":true,' : ""}"applications":[${parts}]}`;
  return { [APPLICATIONS]: encode(json), [STATE]: encode(JSON.stringify({ version: 1, applications: [...entries.values()].map(stateOf) })) };
}

/** A new Secret for it. */
export function toSecret(namespace: string, name: string, aggregate: Aggregate): Secret {
  const labels = { [MANAGED_BY]: MANAGER, "app.kubernetes.io/part-of": "xlvein", "app.kubernetes.io/component": "applications" };
  return { apiVersion: "v1", kind: "Secret", metadata: { name, namespace, labels }, type: "Opaque", data: toData(aggregate) };
}

interface EntryState {
  readonly app_key: string;
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly existing?: true;
  /** Ids of secrets. */
  readonly active: string;
  readonly pending?: string;
  readonly rotated_ms: number;
  readonly trigger?: string;
  readonly revision: number;
}

function stateOf({ appKey, uid, namespace, name, existing, credentials, revision }: Entry): EntryState {
  const { active, pending, rotatedMs, trigger } = credentials;
  return {
    ...{ app_key: appKey, uid, namespace, name },
    ...(existing ? { existing: true as const } : {}),
    active: active.id,
    ...(pending === undefined ? {} : { pending: pending.id }),
    rotated_ms: rotatedMs,
    ...(trigger === "" ? {} : { trigger }),
    revision,
  };
}

interface ListedApplication {
  readonly app_key: string;
  readonly secrets: readonly (NamedSecret & { readonly not_after?: string })[];
  readonly [field: string]: unknown;
}

/** Reads the Secret back. Throws a sentence when it does not hold what the operator writes. */
export function readAggregate(secret: Secret): Aggregate {
  const { revision, applications } = parse(secret, APPLICATIONS) as { revision?: unknown; applications?: readonly ListedApplication[] };
  const { version, applications: states } = parse(secret, STATE) as { version?: unknown; applications?: readonly EntryState[] };
  const counter = typeof revision === "string" ? counterOf(revision) : undefined;
  if (counter === undefined || !Array.isArray(applications)) throw new Error(`${APPLICATIONS} is not what the operator has written`);
  if (version !== 1 || !Array.isArray(states)) throw new Error(`${STATE} is of another version`);
  const listed = new Map(applications.map((each: ListedApplication) => [each.app_key, each]));
  const entries = (states as readonly EntryState[]).map((state) => {
    const application = listed.get(state.app_key);
    if (application === undefined) throw new Error(`${APPLICATIONS} lacks ${state.app_key}`);
    return [state.app_key, readEntry(state, application)] as const;
  });
  return { counter, revision: String(revision), entries: new Map(entries) };
}

function readEntry(state: EntryState, { app_key: appKey, secrets, ...fields }: ListedApplication): Entry {
  const named = secrets.map(({ id, secret }) => ({ id, secret }));
  const active = named.find(({ id }) => id === state.active);
  if (active === undefined) throw new Error(`${APPLICATIONS} lacks the secret ${state.active} of ${appKey}`);
  const pending = named.find(({ id }) => id === state.pending);
  const previous = secrets.flatMap(({ id, secret, not_after: end }) => (end === undefined ? [] : [{ id, secret, notAfterMs: Date.parse(end) }]));
  return {
    ...{ uid: state.uid, namespace: state.namespace, name: state.name, appKey, existing: state.existing === true, fields, revision: state.revision },
    credentials: { active, previous, rotatedMs: state.rotated_ms, trigger: state.trigger ?? "", ...(pending === undefined ? {} : { pending }) },
  };
}

function parse({ data }: Secret, key: string): object {
  try {
    const value: unknown = JSON.parse(decode(data[key]));
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // Said below.
  }
  throw new Error(`${key} is missing or no JSON`);
}
