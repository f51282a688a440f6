// Which set of applications each server serves: asked of every ready one.
import { counterOf } from "../apps/revision.ts";
import type { Endpoint, Kube } from "./kube.ts";

/** What the ready servers answered. */
export interface ServerView {
  /** The count of the revision of each; `undefined`: no answer, or a revision without a count. */
  readonly counters: readonly (number | undefined)[];
}

/** How far a revision has come. */
export interface Reach {
  readonly ready: number;
  readonly accepted: number;
  /** Ready servers that do not say what they serve. */
  readonly silent: number;
}

/** How many servers serve this revision or a later one. */
export function reachOf({ counters }: ServerView, revision: number): Reach {
  const accepted = counters.filter((counter) => counter !== undefined && counter >= revision).length;
  return { ready: counters.length, accepted, silent: counters.filter((counter) => counter === undefined).length };
}

/** Whether a backend may use what this revision brought: every ready server knows it, and there is one. */
export function isEverywhere({ ready, accepted }: Reach): boolean {
  return ready > 0 && accepted === ready;
}

export interface ServersOptions {
  readonly kube: Pick<Kube, "listEndpoints">;
  readonly namespace: string;
  /** The Service that selects the servers. */
  readonly service: string;
  /** Their internal listener. */
  readonly port: number;
  /** Asks one server; see `askRevision`. */
  readonly ask?: ((address: string, port: number) => Promise<number | undefined>) | undefined;
}

const ASK_MS = 2_000;

/** Asks every ready server. Rejects with a KubeError when it is not known which there are. */
export async function askServers({ kube, namespace, service, port, ask = askRevision }: ServersOptions): Promise<ServerView> {
  const addresses = readyAddresses(await kube.listEndpoints(namespace, service));
  return { counters: await Promise.all(addresses.map((address) => ask(address, port))) };
}

/** One address for each ready pod: in a dual-stack cluster it is in two slices. */
export function readyAddresses(endpoints: readonly Endpoint[]): string[] {
  const found = new Map<string, string>();
  for (const { ready, addresses, pod } of endpoints) {
    const [address] = addresses;
    if (ready && address !== undefined && !found.has(pod ?? address)) found.set(pod ?? address, address);
  }
  return [...found.values()];
}

/** The count of the revision that a server serves; `undefined` when it does not say. */
export async function askRevision(address: string, port: number): Promise<number | undefined> {
  const host = address.includes(":") ? `[${address}]` : address;
  try {
    const answer = await fetch(`http://${host}:${port}/-/config`, { signal: AbortSignal.timeout(ASK_MS) });
    const body: unknown = await answer.json();
    if (!answer.ok || typeof body !== "object" || body === null || !("revision" in body)) return undefined;
    return counterOf(String(body.revision));
  } catch {
    return undefined;
  }
}
