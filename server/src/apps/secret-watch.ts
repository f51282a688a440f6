// Follows one Secret of the Kubernetes API: list, then watch, for ever.
import { setTimeout as sleep } from "node:timers/promises";
import type { KubernetesAccess } from "../kubernetes/access.ts";
import { ApiStatusError, begin, callApi, MAX_ANSWER_BYTES } from "../kubernetes/call.ts";
import { retryPause } from "../kubernetes/pause.ts";
import type { Log } from "../log.ts";

/** Each key's value in base64. */
export type SecretData = Readonly<Record<string, string>>;

export interface SecretWatchOptions {
  access: KubernetesAccess;
  /** In the pod's own namespace. */
  name: string;
  /** Called with what the Secret holds, at first and whenever it may have changed; `undefined` while there is none. */
  onData: (data: SecretData | undefined) => void;
  /** Called when the watch begins to work and when it has failed. */
  onUp: (up: boolean) => void;
  log: Log;
  /** Silence after which a watch counts as dead, milliseconds; 90,000 by default: bookmarks come about every minute. */
  idleMs?: number;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 500;
/** An API server that starts says no (401, 403) for a moment; one that says it this often means it, and is asked less and less. */
const MANY_DENIALS = 20;
const LONGEST_DENIED_MS = 30_000;
/** A watch that ends sooner than this is no reason to begin the next at once. */
const SHORT_MS = 1_000;
const GONE = 410;

/** Begins to watch. Returns a function that stops; it may be called twice. */
export function watchSecret({ access, name, onData, onUp, log, idleMs = 90_000 }: SecretWatchOptions): () => void {
  const stop = new AbortController();
  const { signal } = stop;
  let up: boolean | undefined;
  /** Where the watch continues; `undefined`: it begins with a list. */
  let version: string | undefined;

  function tell(now: boolean, message?: string): void {
    if (up === now || signal.aborted) return;
    up = now;
    if (now) log.info({ event: "watching the applications", name });
    else log.warn({ event: "cannot watch the applications", name, message: `${message}; what is in force stays` });
    onUp(now);
  }

  function take({ type, object }: WatchEvent): void {
    const { data, metadata, code = 0, message = "" } = object;
    if (type === "ERROR") {
      version = undefined;
      throw new ApiStatusError(code, message, 0);
    }
    version = metadata?.resourceVersion ?? version;
    if (type === "ADDED" || type === "MODIFIED") onData(data ?? {});
    else if (type === "DELETED") onData(undefined);
  }

  /** Resolves when the watch has ended. */
  async function follow(): Promise<void> {
    if (version === undefined) {
      const list = await listSecret(access, name, signal);
      version = list.version;
      onData(list.data);
    }
    const query = `&watch=1&allowWatchBookmarks=true&resourceVersion=${encodeURIComponent(version)}&timeoutSeconds=${300 + Math.floor(Math.random() * 301)}`;
    const { request, response } = await begin(access, { path: pathOf(access, name) + query, signal });
    request.setTimeout(idleMs, () => request.destroy());
    tell(true);
    try {
      for await (const event of eventsOf(response.setEncoding("utf8"))) {
        take(event);
      }
    } catch (error) {
      // A cut is an end like any other: the next watch continues where this one was.
      if (error instanceof ApiStatusError || error instanceof SyntaxError) throw error;
    }
  }

  function failed(error: unknown, failures: number, denials: number): number {
    const gone = statusOf(error) === GONE;
    if (gone || error instanceof SyntaxError) version = undefined;
    if (!gone) tell(false, (error as Error).message);
    return pauseAfter(error, failures, denials);
  }

  async function run(): Promise<void> {
    let failures = 0;
    let denials = 0;
    while (!signal.aborted) {
      const startedMs = performance.now();
      let pauseMs = 0;
      try {
        await follow();
        denials = 0;
        failures = performance.now() - startedMs < SHORT_MS ? failures + 1 : 0;
        if (failures > 1) pauseMs = retryPause(FIRST_PAUSE_MS, LONGEST_PAUSE_MS, failures - 2);
      } catch (error) {
        failures++;
        denials = isDenial(error) ? denials + 1 : 0;
        pauseMs = failed(error, failures, denials);
      }
      await sleep(pauseMs, undefined, { signal }).catch(() => {});
    }
  }

  void run();
  return () => stop.abort();
}

/** Reads the Secret once; `data` is `undefined` while there is none. Rejects as the API or the network says. */
export async function listSecret(access: KubernetesAccess, name: string, signal: AbortSignal): Promise<{ version: string; data: SecretData | undefined }> {
  const list = (await callApi(access, { path: pathOf(access, name), signal })) as SecretList;
  const version = list.metadata?.resourceVersion;
  if (version === undefined || !Array.isArray(list.items)) throw new SyntaxError("the Kubernetes API answered something that is no list");
  const [item] = list.items;
  return { version, data: item && (item.data ?? {}) };
}

interface Secret {
  readonly metadata?: { readonly resourceVersion?: string };
  readonly data?: SecretData;
}

interface SecretList {
  readonly metadata?: { readonly resourceVersion?: string };
  readonly items?: readonly Secret[];
}

/** `object` is a Secret, of a bookmark its metadata alone, of an ERROR a Status. */
interface WatchEvent {
  readonly type: string;
  readonly object: Secret & { readonly code?: number; readonly message?: string };
}

/** The only question that a Role with `resourceNames` lets a list or watch ask. */
function pathOf({ namespace }: KubernetesAccess, name: string): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets?fieldSelector=${encodeURIComponent(`metadata.name=${name}`)}`;
}

/** The stream's lines, each a JSON object. Throws a SyntaxError that quotes nothing. */
async function* eventsOf(stream: AsyncIterable<string>): AsyncGenerator<WatchEvent> {
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > MAX_ANSWER_BYTES) throw new SyntaxError("the Kubernetes API sent a line without an end");
    for (const line of lines) if (line.trim() !== "") yield parseEvent(line);
  }
}

function parseEvent(line: string): WatchEvent {
  try {
    const event = JSON.parse(line) as Partial<WatchEvent> | null;
    if (typeof event?.type === "string" && typeof event.object === "object" && event.object !== null) return event as WatchEvent;
  } catch {
    // Said below, without the line: it may hold secrets.
  }
  throw new SyntaxError("the Kubernetes API sent something that is no event");
}

function statusOf(error: unknown): number {
  return error instanceof ApiStatusError ? error.status : 0;
}

function isDenial(error: unknown): boolean {
  return statusOf(error) === 401 || statusOf(error) === 403;
}

/** Soon again, unless the API has kept saying no, or asks for more. */
function pauseAfter(error: unknown, failures: number, denials: number): number {
  const denied = denials - MANY_DENIALS;
  const pauseMs = denied > 0 ? retryPause(FIRST_PAUSE_MS, LONGEST_DENIED_MS, denied - 1) : retryPause(FIRST_PAUSE_MS, LONGEST_PAUSE_MS, failures - 1);
  const askedMs = error instanceof ApiStatusError ? error.retryAfterMs : 0;
  return Math.max(pauseMs, Math.min(askedMs, LONGEST_DENIED_MS));
}
