// Reads and writes the Secret that the servers read. Only one writer gets through: each write names the version that it replaces.
import type { Log } from "../log.ts";
import { type Aggregate, compose, type Entry, readAggregate, textsOf, toSecret } from "./aggregate.ts";
import { isStatus, type Kube, KubeError, MANAGED_BY, MANAGER, type Secret } from "./kube.ts";
import { bytesOf, isReadable, MAX_SECRET_BYTES, readTexts, type Texts } from "./secret-data.ts";

export interface ApplicationsSecretOptions {
  readonly kube: Pick<Kube, "getSecret" | "createSecret" | "replaceSecret">;
  readonly namespace: string;
  readonly name: string;
  readonly log: Log;
  readonly now: () => number;
}

/** The Secret, as long as one leader is in office. */
export interface ApplicationsSecret {
  /** What the servers were given last; `undefined`: nothing, or nobody knows. */
  readonly current: Aggregate | undefined;
  /** Reads what the leader before has left. Rejects with a KubeError, also when the Secret is somebody else's. */
  load(): Promise<void>;
  /** Writes these entries if they differ. Rejects with a KubeError: 409 means that somebody else has written, and `load` comes next. */
  write(entries: readonly Entry[]): Promise<void>;
  /** Looks whether somebody has changed or deleted it, and puts back what belongs there. */
  restore(): Promise<void>;
}

/** Nothing is read before `load`. */
export function createApplicationsSecret({ kube, namespace, name, log, now }: ApplicationsSecretOptions): ApplicationsSecret {
  let current: Aggregate | undefined;
  /** The Secret's own; `undefined`: there is none. */
  let written: Written | undefined;

  async function load(): Promise<void> {
    const found = await kube.getSecret(namespace, name);
    if (found !== undefined && found.metadata.labels?.[MANAGED_BY] !== MANAGER)
      throw new KubeError(409, `Secret ${namespace}/${name} was not made by the operator: delete it, or name another with --applications-secret`);
    written = found && readWritten(found);
    // Who has it in memory knows better than nobody.
    if (found === undefined) return;
    try {
      current = readAggregate(found);
    } catch (error) {
      log.error({ event: "applications unreadable", secret_name: name, message: `${(error as Error).message}; made anew from the applications' own Secrets` });
    }
  }

  async function put(next: Aggregate): Promise<void> {
    const texts = textsOf(next);
    const secret = toSecret(namespace, name, next);
    const bytes = bytesOf(secret.data);
    if (bytes > MAX_SECRET_BYTES || !isReadable(texts))
      throw new KubeError(413, `the applications take ${bytes} bytes, more than a Secret or a server holds: move some to another installation`);
    const { resourceVersion = "" } = written?.secret.metadata ?? {};
    const answer = await (written === undefined
      ? kube.createSecret(secret)
      : kube.replaceSecret({ ...secret, metadata: { ...secret.metadata, resourceVersion } }));
    written = { secret: answer, said: next, texts, packed: next.packed };
    if (next.revision !== current?.revision) log.info({ event: "applications written", revision: next.revision, applications: next.entries.size, bytes });
    current = next;
  }

  return {
    get current() {
      return current;
    },
    load,
    async write(entries) {
      const next = compose(entries, current, now());
      if (written !== undefined && says(written, next)) current = next;
      else await put(next);
    },
    async restore() {
      const found = await kube.getSecret(namespace, name);
      if (found !== undefined && found.metadata.resourceVersion === written?.secret.metadata.resourceVersion) return;
      log.warn({ event: "applications restored", secret_name: name, message: found === undefined ? "somebody has deleted them" : "somebody has changed them" });
      const mine = current;
      written = found && readWritten(found);
      if (mine === undefined) return;
      // A higher revision than the one that is there, whoever wrote it.
      await put({ ...mine, ...nextRevision(mine, found) });
    },
  };
}

/** A Secret, and what it says; without texts nobody can read it. */
interface Written {
  readonly secret: Secret;
  /** Written by ourselves. */
  readonly said?: Aggregate;
  readonly texts?: Texts;
  readonly packed?: boolean;
}

function readWritten(secret: Secret): Written {
  try {
    const { packed, ...texts } = readTexts(secret.data);
    return { secret, texts, packed };
  } catch {
    return { secret };
  }
}

/** By what it says: other machines may compress the same to other bytes. */
function says({ secret, said, texts, packed }: Written, next: Aggregate): boolean {
  if (said === next) return true;
  // Keys of somebody else make it another Secret.
  if (texts === undefined || packed !== next.packed || Object.keys(secret.data).length !== 2) return false;
  const wanted = textsOf(next);
  return texts.applications === wanted.applications && texts.state === wanted.state;
}

function nextRevision(mine: Aggregate, found: Secret | undefined): Pick<Aggregate, "counter" | "revision"> {
  let counter = mine.counter;
  try {
    if (found !== undefined) counter = Math.max(counter, readAggregate(found).counter);
  } catch {
    // Whatever it is, it has no count of ours.
  }
  counter += 1;
  return { counter, revision: `${counter}-${mine.revision.replace(/^\d+-/, "")}` };
}

/** Whether somebody else has written in between. */
export function isOvertaken(error: unknown): boolean {
  return isStatus(error, 409) || isStatus(error, 404);
}
