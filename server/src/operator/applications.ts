// The applications that there are: listed, then watched, and listed again now and then, because a watch can be silent without being idle.
import { setTimeout as sleep } from "node:timers/promises";
import { retryPause } from "../kubernetes/pause.ts";
import type { Log } from "../log.ts";
import { type Application, keyOf, readApplication } from "./application.ts";
import { isStatus, type Kube, KubeError, type WatchType } from "./kube.ts";

export interface ApplicationsOptions {
  readonly kube: Pick<Kube, "listApplications" | "watchApplications">;
  /** Where to look; `undefined`: everywhere. */
  readonly namespaces: readonly string[] | undefined;
  readonly log: Log;
  /** Between lists, milliseconds; 5 min by default. */
  readonly relistMs?: number;
  /** Told of each namespace (`undefined`: all) that is followed, or that cannot be. */
  readonly onUp?: (namespace: string | undefined, up: boolean) => void;
}

/** Every application of the watched namespaces, as the API server last said. */
export interface Applications {
  all(): readonly Application[];
  get(key: string): Application | undefined;
  /** `pending` until every namespace has been listed or refused to us; `partial` while some are refused: one that is gone must not stop the others. */
  readonly view: "pending" | "partial" | "complete";
  /** Resolves when it is not `pending` any more. */
  readonly settled: Promise<void>;
  /** Whether this namespace is watched and has not been listed: then nobody can say that an application of it is gone. */
  awaits(namespace: string): boolean;
  /** Calls back with the key of each application that is new, changed in its spec, or gone; with `NAMESPACE/` when that was listed at last. Returns a function that stops. */
  onChange(listener: (key: string) => void): () => void;
  /** Follows until the signal. */
  follow(signal: AbortSignal): Promise<void>;
}

const RELIST_MS = 300_000;
/** After a failure, doubling. */
const FIRST_WAIT_MS = 100;
const LAST_WAIT_MS = 10_000;
/** A stream that ends sooner and without a word was refused by something in between. */
const SHORTEST_MS = 1_000;

/** Nothing is asked before `follow`. */
export function createApplications({ kube, namespaces, log, relistMs = RELIST_MS, onUp = () => undefined }: ApplicationsOptions): Applications {
  const places: readonly (string | undefined)[] = namespaces ?? [undefined];
  const known = new Map<string, Application>();
  const listed = new Set<string | undefined>();
  const refused = new Set<string | undefined>();
  const listeners = new Set<(key: string) => void>();
  const { promise: settled, resolve } = Promise.withResolvers<void>();
  const tell = (key: string): void => {
    for (const listener of listeners) listener(key);
  };

  function take(app: Application): void {
    const key = keyOf(app);
    const before = known.get(key);
    known.set(key, app);
    // A change of the status alone is our own.
    if (before?.uid !== app.uid || before.generation !== app.generation || before.deleting !== app.deleting) tell(key);
  }

  function drop(key: string): void {
    if (known.delete(key)) tell(key);
  }

  function takeList(place: string | undefined, items: readonly unknown[]): void {
    const present = items.map(readApplication);
    const keys = new Set(present.map(keyOf));
    for (const [key, { namespace }] of [...known]) if ((place === undefined || namespace === place) && !keys.has(key)) drop(key);
    for (const app of present) take(app);
    if (listed.has(place)) return;
    listed.add(place);
    // What it was thought to have may be gone.
    if (refused.delete(place)) tell(`${place ?? ""}/`);
    settle();
  }

  function settle(): void {
    if (view() !== "pending") resolve();
  }

  function view(): Applications["view"] {
    if (listed.size === places.length) return "complete";
    return listed.size + refused.size === places.length ? "partial" : "pending";
  }

  function fail(place: string | undefined, error: unknown): void {
    log.warn({ event: "applications not watched", namespace: place, message: explain(error) });
    onUp(place, false);
    // A right that is missing, or a namespace or the resource that is gone, may stay so.
    if (listed.has(place) || !(isStatus(error, 403) || isStatus(error, 404))) return;
    refused.add(place);
    settle();
  }

  /** Watches until it is time to list again. Rejects with a KubeError. */
  async function watch(place: string | undefined, version: string, signal: AbortSignal): Promise<void> {
    const end = performance.now() + relistMs;
    let from = version;
    const onEvent = (type: WatchType, object: unknown): void => {
      if (type === "ERROR") throw new KubeError((object as { code?: number }).code ?? 0, "the watch has failed");
      from = (object as { metadata?: { resourceVersion?: string } }).metadata?.resourceVersion ?? from;
      if (type === "BOOKMARK") return;
      const app = readApplication(object);
      if (type === "DELETED") drop(keyOf(app));
      else take(app);
    };
    while (!signal.aborted && performance.now() < end) {
      const [begun, start] = [performance.now(), from];
      const timeoutSeconds = Math.max(1, Math.ceil((end - begun) / 1_000));
      await watchOnce({ namespace: place, from, timeoutSeconds, signal, onEvent });
      const lasted = performance.now() - begun;
      if (lasted < SHORTEST_MS && from === start && performance.now() < end && !signal.aborted) throw new KubeError(0, "the watch ended at once");
    }
  }

  /** An error within the stream ends it. */
  async function watchOnce(wanted: Parameters<Kube["watchApplications"]>[0]): Promise<void> {
    const inner = new AbortController();
    let fault: unknown;
    await kube.watchApplications({
      ...wanted,
      signal: AbortSignal.any([wanted.signal, inner.signal]),
      onEvent(type, object) {
        try {
          wanted.onEvent(type, object);
        } catch (error) {
          fault = error;
          inner.abort();
        }
      },
    });
    if (fault !== undefined) throw fault;
  }

  async function followPlace(place: string | undefined, signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      try {
        const { items, resourceVersion } = await kube.listApplications(place);
        takeList(place, items);
        onUp(place, true);
        failures = 0;
        await watch(place, resourceVersion, signal);
      } catch (error) {
        // 410: what the watch would begin with is forgotten; the list that follows is the answer.
        if (!isStatus(error, 410)) fail(place, error);
        const waitMs = retryPause(FIRST_WAIT_MS, LAST_WAIT_MS, failures);
        failures += 1;
        await sleep(waitMs, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  return {
    all: () => [...known.values()],
    get: (key) => known.get(key),
    get view() {
      return view();
    },
    settled,
    awaits: (namespace) => [undefined, namespace].some((place) => places.includes(place) && !listed.has(place)),
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    follow: async (signal) => void (await Promise.all(places.map((place) => followPlace(place, signal)))),
  };
}

function explain(error: unknown): string {
  if (isStatus(error, 404)) return "the custom resource applications.xlvein.io is not installed";
  return error instanceof Error ? error.message : String(error);
}
