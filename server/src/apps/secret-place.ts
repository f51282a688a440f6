// The applications of one Kubernetes Secret, watched through the API and, where it is mounted too, read from its directory.
import { join } from "node:path";
import { ConfigError } from "../config/config.ts";
import type { KubernetesAccess } from "../kubernetes/access.ts";
import type { Log } from "../log.ts";
import { type Copy, createCopies } from "./copies.ts";
import { listSecret, type SecretData, watchSecret } from "./secret-watch.ts";
import { chooseFile, faultIn, nothingIn, type Place, readContent, readSetFile, type SetFile, type Snapshot, snapshotOf } from "./snapshot.ts";

/** The `source` of `xlvein_config_source_up`. */
const SOURCE = "applications_secret";
/** A start waits this long for the API where nothing is mounted. */
const FIRST_READ_MS = 2_000;

export interface SecretPlaceOptions {
  /** Of the Secret, in the pod's own namespace. */
  name: string;
  /** Where the same Secret is mounted, and how findings call that. */
  mount: { readonly directory: string; readonly name: string } | undefined;
  /** Throws a sentence when this is no pod. `undefined`: the API is not asked. */
  kubernetes: (() => KubernetesAccess) | undefined;
  log: Log;
}

/** What one way holds, ready to be read. */
interface Held {
  readonly copy: Copy;
  readonly snapshot: Snapshot;
}

/** One place out of both ways: `copies.ts` says which counts. The API may be away: then what is known stays. */
export function secretPlace({ name: secret, mount, kubernetes, log }: SecretPlaceOptions): Place {
  const name = `Secret ${secret}`;
  const copies = createCopies();
  let watched: Held | undefined;
  let lastMounted: Held | undefined;
  let live = false;
  let following = false;

  function take(data: SecretData | undefined): void {
    watched = fromSecret(data, name);
    copies.watched(watched.copy);
  }

  /** Before the watch begins; answers why it failed. */
  async function readOnce(access: KubernetesAccess | undefined): Promise<string | undefined> {
    if (!access) return "is not asked here";
    try {
      take((await listSecret(access, secret, AbortSignal.timeout(FIRST_READ_MS))).data);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }

  async function readMount(): Promise<Held | undefined> {
    if (!mount) return undefined;
    try {
      const file = await readSetFile(mount.directory, mount.name);
      if (!file) return { copy: NOTHING, snapshot: nothingIn(mount.name, "applications_dir") };
      if (lastMounted?.copy.text !== contentOf(file)) lastMounted = heldOf(file, join(mount.name, file.file));
      return lastMounted;
    } catch (error) {
      // Where the watch knows, the directory is not needed.
      if (watched) return undefined;
      throw error;
    }
  }

  return {
    name,
    ...(mount ? { watch: { directory: mount.directory } } : {}),
    follow({ onChange, onUp }) {
      const access = findAccess(kubernetes);
      if (!access) return () => {};
      following = true;
      return watchSecret({
        access,
        name: secret,
        log,
        onData(data) {
          take(data);
          onChange();
        },
        onUp(up) {
          live = up;
          onUp(SOURCE, up);
          onChange();
        },
      });
    },
    async read() {
      const access = findAccess(kubernetes);
      const mounted = await readMount();
      copies.mounted(mounted?.copy);
      const isNeeded = !watched && !following && (access ? (mounted?.copy.text ?? "") === "" : !mounted);
      const problem = isNeeded ? await readOnce(access) : undefined;
      if (problem !== undefined) return nothingIn(name, SOURCE, problem);
      const chosen = copies.choose(live) === "watched" ? watched : mounted;
      return chosen?.snapshot ?? nothingIn(name, SOURCE, "has not been read yet");
    },
  };
}

const NOTHING: Copy = { text: "", revision: "" };

function findAccess(kubernetes: SecretPlaceOptions["kubernetes"]): KubernetesAccess | undefined {
  try {
    return kubernetes?.();
  } catch (error) {
    throw new ConfigError([{ severity: "error", key: SOURCE, message: (error as Error).message, source: "environment" }]);
  }
}

function fromSecret(data: SecretData | undefined, name: string): Held {
  if (data === undefined) return { copy: NOTHING, snapshot: nothingIn(name, SOURCE, "does not exist") };
  try {
    const file = chooseFile((each) => Object.hasOwn(data, each));
    if (file === undefined) return { copy: NOTHING, snapshot: nothingIn(name, SOURCE) };
    return heldOf({ file, content: Buffer.from(data[file] ?? "", "base64") }, `${name}/${file}`);
  } catch (error) {
    const { message } = error as Error;
    return { copy: { text: message, revision: "" }, snapshot: faultIn(name, SOURCE, message) };
  }
}

function heldOf({ file, content }: SetFile, name: string): Held {
  const text = contentOf({ file, content });
  return { copy: { text, revision: revisionOf(content, name) }, snapshot: { ...snapshotOf(content, name), text } };
}

/** Both ways call the same content by the same text, whatever findings call it. */
function contentOf({ file, content }: SetFile): string {
  return `${file}\n${content.toString("base64")}`;
}

/** "" where there is none that can be read: the set's own check tells why. */
function revisionOf(content: Buffer, name: string): string {
  try {
    const { value } = readContent(content, name);
    const revision = typeof value === "object" && value !== null ? (value as { revision?: unknown }).revision : undefined;
    return typeof revision === "string" || typeof revision === "number" ? String(revision) : "";
  } catch {
    return "";
  }
}
