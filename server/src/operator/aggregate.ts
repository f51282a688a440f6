// The Secret that the servers read, and in it what the operator has to remember. Composed and read here; written by applications-secret.ts.
import { createHash } from "node:crypto";
import { counterOf } from "../apps/revision.ts";
import { type Credentials, type NamedSecret, toSecrets } from "./credentials.ts";
import type { AppFields } from "./fields.ts";
import { MANAGED_BY, MANAGER, type Secret } from "./kube.ts";
import { APPLICATIONS, readTexts, STATE, shouldPack, type Texts, toData } from "./secret-data.ts";

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
  /** It is written compressed. */
  readonly packed: boolean;
}

/** The Secret with these applications, the next revision if servers would see a difference. Entries that changed get that revision. `before` where nothing differs. */
export function compose(entries: readonly Entry[], before: Aggregate | undefined, nowMs: number): Aggregate {
  const known = before?.entries ?? new Map<string, Entry>();
  const sorted = [...entries].sort((a, b) => (a.appKey < b.appKey ? -1 : 1));
  const same = sorted.map((entry) => {
    const was = known.get(entry.appKey);
    return was !== undefined && partOf(was) === partOf(entry) ? was : undefined;
  });
  const unchanged = before !== undefined && known.size === sorted.length && !same.includes(undefined);
  // By the clock where nothing is known: servers refuse a lower count than theirs, and there is no change in every millisecond.
  const counter = unchanged ? before.counter : before === undefined ? nowMs : before.counter + 1;
  const marked = sorted.map((entry, i) => withRevision(entry, same[i], counter));
  if (unchanged && marked.every((entry, i) => entry === same[i])) return before;
  const revision = unchanged ? before.revision : `${counter}-${digestOf(sorted)}`;
  const aggregate = { counter, revision, entries: new Map(marked.map((entry) => [entry.appKey, entry])) };
  return { ...aggregate, packed: shouldPack(textsOf(aggregate), before?.packed ?? false) };
}

function digestOf(entries: readonly Entry[]): string {
  return createHash("sha256").update(entries.map(partOf).join("\n")).digest("hex").slice(0, 12);
}

/** The object that is known already where nothing differs, also nothing that the operator remembers. */
function withRevision(entry: Entry, was: Entry | undefined, counter: number): Entry {
  if (entry === was) return was;
  const marked = { ...entry, revision: was?.revision ?? counter };
  return was !== undefined && stateTextOf(was) === stateTextOf(marked) ? was : marked;
}

/** Thousands of entries are the same from one look to the next. */
const knownParts = new WeakMap<Entry, string>();
const knownStates = new WeakMap<Entry, string>();

function partOf(entry: Entry): string {
  return remember(knownParts, entry, ({ appKey, credentials, fields }) => JSON.stringify({ app_key: appKey, secrets: toSecrets(credentials), ...fields }));
}

function stateTextOf(entry: Entry): string {
  return remember(knownStates, entry, (each) => JSON.stringify(stateOf(each)));
}

function remember(known: WeakMap<Entry, string>, entry: Entry, write: (entry: Entry) => string): string {
  const text = known.get(entry) ?? write(entry);
  known.set(entry, text);
  return text;
}

/** About how much of the Secret an entry takes where it is not compressed. */
export function plainBytesOf(entry: Entry): number {
  return Buffer.byteLength(partOf(entry)) + Buffer.byteLength(stateTextOf(entry)) + 2;
}

/** What the Secret says. */
export function textsOf({ revision, entries }: Pick<Aggregate, "revision" | "entries">): Texts {
  const each = [...entries.values()];
  // Servers refuse a set without any application unless it says that this is meant.
  const empty = each.length === 0 ? '"allow_empty":true,' : "";
  return {
    applications: `{"revision":${JSON.stringify(revision)},${empty}"applications":[${each.map(partOf).join(",")}]}`,
    state: `{"version":1,"applications":[${each.map(stateTextOf).join(",")}]}`,
  };
}

/** A new Secret for it. */
export function toSecret(namespace: string, name: string, aggregate: Aggregate): Secret {
  const labels = { [MANAGED_BY]: MANAGER, "app.kubernetes.io/part-of": "xlvein", "app.kubernetes.io/component": "applications" };
  const metadata = { name, namespace, labels };
  return { apiVersion: "v1", kind: "Secret", metadata, type: "Opaque", data: toData(textsOf(aggregate), aggregate.packed) };
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
export function readAggregate({ data }: Pick<Secret, "data">): Aggregate {
  const { packed, ...texts } = readTexts(data);
  const { revision, applications } = parse(texts.applications, APPLICATIONS) as { revision?: unknown; applications?: readonly ListedApplication[] };
  const { version, applications: states } = parse(texts.state, STATE) as { version?: unknown; applications?: readonly EntryState[] };
  const counter = typeof revision === "string" ? counterOf(revision) : undefined;
  if (counter === undefined || !Array.isArray(applications)) throw new Error(`${APPLICATIONS} is not what the operator has written`);
  if (version !== 1 || !Array.isArray(states)) throw new Error(`${STATE} is of another version`);
  const listed = new Map(applications.map((each: ListedApplication) => [each.app_key, each]));
  const entries = (states as readonly EntryState[]).map((state) => {
    const application = listed.get(state.app_key);
    if (application === undefined) throw new Error(`${APPLICATIONS} lacks ${state.app_key}`);
    return [state.app_key, readEntry(state, application)] as const;
  });
  return { counter, revision: String(revision), entries: new Map(entries), packed };
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

function parse(text: string, key: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // Said below.
  }
  throw new Error(`${key} is missing or no JSON`);
}
