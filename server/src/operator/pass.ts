// One look at some applications: see, plan, give the servers what they should have, write each application's Secret, say how it stands.
import { randomBytes } from "node:crypto";
import type { Log } from "../log.ts";
import type { OperatorMetrics } from "../metrics/operator.ts";
import type { Entry } from "./aggregate.ts";
import { type Application, appKeyOf, keyOf } from "./application.ts";
import type { Applications } from "./applications.ts";
import { type ApplicationsSecret, isOvertaken } from "./applications-secret.ts";
import { type Claim, type ClaimRules, type Problem, settleClaims } from "./claims.ts";
import { type NamedSecret, nextChangeMs, rotationOf } from "./credentials.ts";
import { type Kube, KubeError, type Secret } from "./kube.ts";
import { type News, type Plan, planEntry, planSecret } from "./plan.ts";
import type { Queue } from "./queue.ts";
import { createRoom } from "./room.ts";
import { deleteFormer, writeSecret } from "./secret-writer.ts";
import type { ServerWatch } from "./server-watch.ts";
import { isEverywhere, reachOf } from "./servers.ts";
import { isReady } from "./status.ts";
import type { StatusWriter } from "./status-writer.ts";
import { type Addresses, secretNameOf } from "./tenant-secret.ts";

export interface PassOptions {
  readonly kube: Kube;
  readonly applications: Pick<Applications, "all" | "awaits" | "view">;
  readonly rules: ClaimRules;
  readonly addresses: Addresses;
  readonly queue: Queue;
  readonly secret: ApplicationsSecret;
  readonly servers: ServerWatch;
  readonly statuses: StatusWriter;
  readonly metrics: OperatorMetrics;
  readonly log: Log;
  readonly now: () => number;
  readonly resyncMs: () => number;
}

export interface Pass {
  /** Looks at these. Never rejects but for a fault of the program: what fails is queued again. */
  run(keys: readonly string[]): Promise<void>;
  /** Asks the servers, and queues what their answers change. */
  askServers(): Promise<void>;
  /** Whether there are applications that some server does not have yet. */
  readonly waiting: boolean;
}

/** An application of this pass. */
interface Case {
  readonly key: string;
  readonly claim: Claim;
  readonly seen: Secret | undefined;
  readonly plan: Plan;
}

/** Requests at a time. */
const PARALLEL = 8;
const OVERTAKEN_RETRY_MS = 200;

export function createPass(options: PassOptions): Pass {
  const { kube, applications, rules, addresses, queue, secret, servers, statuses, metrics, log, now, resyncMs } = options;
  let claims: ReadonlyMap<string, Claim> = new Map();
  /** Not everywhere yet. */
  const unsynced = new Map<string, Entry>();
  const room = createRoom();

  /** Of namespaces that cannot be listed now: servers keep what they have. */
  function unseen(): Entry[] {
    return [...(secret.current?.entries.values() ?? [])].filter(({ namespace }) => applications.awaits(namespace));
  }

  function settle(): void {
    const before = claims;
    const holds = (app: Application): boolean => secret.current?.entries.get(appKeyOf(app))?.uid === app.uid;
    claims = settleClaims(applications.all(), rules, { holds, unseen: new Map(unseen().map((entry) => [entry.appKey, keyOf(entry)])) });
    // Who loses or wins a key by what happened to another one.
    for (const [key, claim] of claims) if (before.has(key) && before.get(key)?.problem?.message !== claim.problem?.message) queue.add(key, now());
    for (const [key, { app }] of before) if (claims.get(key)?.app.uid !== app.uid) forget(key, app);
  }

  function forget(key: string, { uid, name, namespace }: Application): void {
    if (!claims.has(key)) queue.remove(key);
    unsynced.delete(key);
    statuses.forget(uid);
    metrics.applicationReady.remove({ application: name, application_namespace: namespace });
  }

  /** Its own Secret, or its owner's. */
  function read({ namespace, name, spec }: Application): Promise<Secret | undefined> {
    return kube.getSecret(namespace, spec.credentials?.existingSecretRef?.name ?? secretNameOf({ name, spec }));
  }

  async function see(key: string): Promise<Case | undefined> {
    const claim = claims.get(key);
    if (claim === undefined) return undefined;
    const seen = claim.problem ? undefined : await read(claim.app);
    const entry = secret.current?.entries.get(claim.appKey);
    return { key, claim, seen, plan: planEntry(claim, { secret: seen, entry }, { nowMs: now(), addresses, generate }) };
  }

  /** What the servers should have, of this pass and of all others; a case that finds no room becomes one with a problem. */
  function nextEntries(cases: Map<string, Case>): Entry[] {
    const current = secret.current?.entries;
    const kept = [...claims].flatMap(([key, { appKey, app, problem }]) => {
      const entry = cases.has(key) ? cases.get(key)?.plan.entry : current?.get(appKey);
      return problem === undefined && entry?.uid === app.uid ? [{ key, entry, isNew: current?.get(appKey)?.uid !== app.uid }] : [];
    });
    const staying = [...kept.filter(({ isNew }) => !isNew).map(({ entry }) => entry), ...unseen()];
    const arriving = kept.filter(({ isNew }) => isNew);
    const admitted = room.admit({ staying, arriving: arriving.map(({ entry }) => entry), current: secret.current, nowMs: now() });
    for (const { key } of arriving.slice(admitted)) {
      const one = cases.get(key);
      const problem: Problem = { reason: "NoRoom", message: `the ${staying.length + admitted} applications of this installation fill their Secret` };
      if (one !== undefined) cases.set(key, { ...one, plan: { entry: undefined, problem, news: [] } });
    }
    return [...staying, ...arriving.slice(0, admitted).map(({ entry }) => entry)];
  }

  /** Resolves with whether the servers' Secret says what it should. */
  async function give(cases: Map<string, Case>, failures: ReadonlyMap<string, unknown>): Promise<boolean> {
    // Nothing is known of what was there: a part of it would be less than the servers have.
    if (secret.current === undefined && (failures.size > 0 || applications.view !== "complete")) return false;
    const before = secret.current?.revision;
    try {
      await secret.write(nextEntries(cases));
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      log.error({ event: "applications not written", message: error.message });
      if (isOvertaken(error)) await secret.load().catch((again: unknown) => log.error({ event: "applications not read", message: (again as Error).message }));
      return false;
    }
    if (secret.current?.revision !== before) servers.expect();
    return true;
  }

  /** Writes the Secret and the status of one application. Rejects with a KubeError. */
  async function finish({ key, claim, seen, plan }: Case): Promise<void> {
    const { app, appKey } = claim;
    const entry = plan.entry && secret.current?.entries.get(appKey);
    const reach = reachOf(servers.view, entry?.revision ?? 0);
    const told = entry === undefined ? { news: [] } : await tell(app, entry, { seen, everywhere: isEverywhere(reach) });
    const problem = plan.problem ?? told.problem;
    const news = [...plan.news, ...told.news];
    const status = await statuses.write({ app, appKey, entry, reach, ...(problem === undefined ? {} : { problem }) }, news);
    if (entry === undefined || isEverywhere(reach)) unsynced.delete(key);
    else unsynced.set(key, entry);
    show(app, isReady(status));
    if (told.problem) throw new KubeError(0, told.problem.message);
    queue.add(key, nextLookMs(app, entry));
  }

  async function tell(
    app: Application,
    entry: Entry,
    { seen, everywhere }: { seen: Secret | undefined; everywhere: boolean },
  ): Promise<{ news: readonly News[]; problem?: Problem }> {
    try {
      const { changed, news } = await writeSecret(kube, planSecret(app, entry, { secret: seen, everywhere }, addresses));
      await deleteFormer(kube, app);
      // A rotation goes on as soon as the Secret has been told.
      if (changed && entry.credentials.pending !== undefined) queue.add(keyOf(app), now());
      return { news };
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      return { news: [], problem: { reason: "SecretNotWritten", message: error.message } };
    }
  }

  function nextLookMs(app: Application, entry: Entry | undefined): number {
    const change = entry === undefined ? Number.POSITIVE_INFINITY : nextChangeMs(entry.credentials, rotationOf(app.spec));
    // Not all at once.
    return Math.min(change, now() + resyncMs() * (0.9 + Math.random() * 0.1));
  }

  function show({ name, namespace }: Application, ready: boolean | undefined): void {
    const labels = { application: name, application_namespace: namespace };
    if (ready === undefined) metrics.applicationReady.remove(labels);
    else metrics.applicationReady.set(labels, ready ? 1 : 0);
  }

  function count(key: string, result: "success" | "error", begun: number): void {
    metrics.reconciled.inc({ result });
    metrics.reconcileDuration.observe((performance.now() - begun) / 1_000);
    if (result === "success") queue.succeed(key);
    else queue.fail(key, now());
  }

  async function run(keys: readonly string[]): Promise<void> {
    const begun = performance.now();
    settle();
    const cases = new Map<string, Case>();
    const failures = new Map<string, unknown>();
    const failed = (key: string, error: unknown): void => {
      if (!(error instanceof KubeError)) throw error;
      failures.set(key, error);
      log.warn({ event: "application not reconciled", application: key, message: error.message });
    };
    await Promise.all([
      inParallel(keys, async (key) => {
        const one = await see(key).catch((error: unknown) => failed(key, error));
        if (one !== undefined) cases.set(key, one);
      }),
      servers.refresh(),
    ]);
    const isGiven = await give(cases, failures);
    await inParallel([...cases.values()], async (one) => {
      if (!isGiven) failures.set(one.key, undefined);
      else await finish(one).catch((error: unknown) => failed(one.key, error));
    });
    for (const key of new Set([...cases.keys(), ...failures.keys()])) count(key, failures.has(key) ? "error" : "success", begun);
    // Somebody has meddled, perhaps with others than these.
    if (!isGiven && secret.current !== undefined) for (const key of claims.keys()) queue.add(key, now() + OVERTAKEN_RETRY_MS);
  }

  return {
    run,
    async askServers() {
      await servers.ask();
      for (const [key, entry] of unsynced) {
        const { accepted, ready } = reachOf(servers.view, entry.revision);
        if (statuses.last(entry.uid)?.synced !== `${accepted}/${ready}`) queue.add(key, now());
      }
    },
    get waiting() {
      return unsynced.size > 0;
    },
  };
}

/** 256 bits, and a name that tells the day. */
function generate(): NamedSecret {
  const day = new Date().toISOString().slice(0, 10).replaceAll("-", "");
  return { id: `${day}-${randomBytes(3).toString("hex")}`, secret: randomBytes(32).toString("base64url") };
}

/** A few at a time; what one throws ends all. */
async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const worker = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
}
