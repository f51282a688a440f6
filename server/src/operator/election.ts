// Makes sure that one operator writes: whoever holds the Lease. Judged by how long a holder was seen to be silent, never by its clock.
import { setTimeout as sleep } from "node:timers/promises";
import { within } from "../deadline.ts";
import type { Log } from "../log.ts";
import { isStatus, type Kube, type Lease } from "./kube.ts";

export interface ElectionTimes {
  /** How long others wait for a holder that is silent, milliseconds. */
  readonly leaseMs: number;
  /** A holder that could not renew for so long stops; less than `leaseMs`. */
  readonly renewMs: number;
  /** Between renewals; less than `renewMs`. */
  readonly retryMs: number;
}

/** What an office brings. */
export interface Duties {
  readonly log: Log;
  /** The work of a leader: begins at once and ends soon after the signal. */
  readonly lead: (signal: AbortSignal) => Promise<void>;
  /** Told of every change. */
  readonly onChange: (leading: boolean) => void;
}

export interface ElectionOptions extends ElectionTimes, Duties {
  readonly kube: Pick<Kube, "getLease" | "createLease" | "replaceLease">;
  readonly namespace: string;
  readonly name: string;
  /** Nobody else's; a holder of this name is this one, before a restart. */
  readonly identity: string;
}

/** What was seen of the Lease, and since when it looks like that. */
interface Seen {
  readonly version: string;
  /** By the monotonic clock. */
  readonly sinceMs: number;
}

/** How long the work of a leader may take to end. */
const END_MS = 6_000;
/** Before it is tried again after a failure. */
const FAILED_MS = 2_000;

/** Takes part until `stop`; then lets go of the Lease, so that the next one need not wait. Never rejects. */
export async function runElection(options: ElectionOptions, stop: AbortSignal): Promise<void> {
  const { log, name } = options;
  let seen: Seen | undefined;
  while (!stop.aborted) {
    let waitMs = options.retryMs;
    try {
      const found = await options.kube.getLease(options.namespace, name);
      seen = look(found, seen);
      const leftMs = found === undefined ? 0 : patience(found, seen, options.identity);
      if (leftMs <= 0) {
        const lease = await take(options, found);
        await holdOffice(options, lease, stop);
        seen = undefined;
      } else waitMs = Math.min(options.retryMs / 2, leftMs);
    } catch (error) {
      if (!isStatus(error, 409)) log.warn({ event: "election", lease: name, message: (error as Error).message });
    }
    await sleep(waitMs, undefined, { signal: stop }).catch(() => undefined);
  }
}

function look(found: Lease | undefined, seen: Seen | undefined): Seen | undefined {
  const version = found?.metadata.resourceVersion ?? "";
  return seen?.version === version ? seen : { version, sinceMs: performance.now() };
}

/** How long the holder still has, milliseconds. */
function patience({ holder, durationSeconds }: Lease, seen: Seen | undefined, identity: string): number {
  if (holder === "" || holder === identity || seen === undefined) return 0;
  return durationSeconds * 1_000 - (performance.now() - seen.sinceMs);
}

async function take({ kube, namespace, name, identity, leaseMs }: ElectionOptions, found: Lease | undefined): Promise<Lease> {
  const nowMs = Date.now();
  const mine = { holder: identity, durationSeconds: Math.ceil(leaseMs / 1_000), acquiredMs: nowMs, renewedMs: nowMs };
  if (found === undefined) return kube.createLease({ ...mine, metadata: { namespace, name }, transitions: 0 });
  return kube.replaceLease({ ...mine, metadata: found.metadata, transitions: found.transitions + 1 });
}

/** Leads until the Lease is lost or `stop`. */
async function holdOffice(options: ElectionOptions, lease: Lease, stop: AbortSignal): Promise<void> {
  const { log, identity, lead, onChange } = options;
  const office = new AbortController();
  const signal = AbortSignal.any([office.signal, stop]);
  log.info({ event: "leading", identity });
  onChange(true);
  const work = lead(signal).catch((error: unknown) => log.error({ event: "reconciling failed", err: error }));
  // Work that ends by itself has failed; somebody else may do better.
  void work.finally(() => office.abort());
  const held = await renew(options, lease, office, signal);
  office.abort();
  await within(END_MS, work, () => new Error("the work of the leader did not end")).catch((error: unknown) =>
    log.error({ event: "reconciling failed", err: error }),
  );
  onChange(false);
  log.info({ event: "no longer leading", identity });
  if (held !== undefined) await release(options, held);
}

/** Renews until the signal; the last Lease, or `undefined` when it is not ours any more. */
async function renew(options: ElectionOptions, first: Lease, office: AbortController, signal: AbortSignal): Promise<Lease | undefined> {
  const { kube, retryMs, renewMs, log } = options;
  let lease = first;
  // Ends the office also while a request hangs.
  let deadline = setTimeout(() => office.abort(), renewMs);
  let isOurs = true;
  while (isOurs && !signal.aborted) {
    await sleep(retryMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) break;
    const begun = performance.now();
    try {
      lease = await kube.replaceLease({ ...lease, renewedMs: Date.now() });
      clearTimeout(deadline);
      deadline = setTimeout(() => office.abort(), Math.max(0, renewMs - (performance.now() - begun)));
    } catch (error) {
      log.warn({ event: "lease not renewed", message: (error as Error).message });
      if (isStatus(error, 409) || isStatus(error, 404)) isOurs = await isStillOurs(options, (mine) => (lease = mine));
    }
  }
  clearTimeout(deadline);
  return isOurs ? lease : undefined;
}

/** Somebody else has written it: a label, or their own name. */
async function isStillOurs({ kube, namespace, name, identity }: ElectionOptions, keep: (lease: Lease) => void): Promise<boolean> {
  const found = await kube.getLease(namespace, name).catch(() => undefined);
  if (found?.holder !== identity) return false;
  keep(found);
  return true;
}

async function release({ kube, log }: ElectionOptions, lease: Lease): Promise<void> {
  await kube
    .replaceLease({ ...lease, holder: "", durationSeconds: 1, renewedMs: Date.now() })
    .catch((error: unknown) => log.warn({ event: "lease not released", message: (error as Error).message }));
}

/** Leads until `stop`, where nobody else could. Never rejects. */
export async function leadAlone({ log, lead, onChange }: Duties, stop: AbortSignal): Promise<void> {
  onChange(true);
  while (!stop.aborted) {
    await lead(stop).catch((error: unknown) => log.error({ event: "reconciling failed", err: error }));
    await sleep(FAILED_MS, undefined, { signal: stop }).catch(() => undefined);
  }
  onChange(false);
}
