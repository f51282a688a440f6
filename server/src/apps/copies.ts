// Two copies of one set, one watched and one mounted, and which of them counts.
import { hash } from "node:crypto";
import { isOlder } from "./revision.ts";

/** What one way has brought. */
export interface Copy {
  /** "" where there is nothing. */
  readonly text: string;
  /** "" where it says none. */
  readonly revision: string;
}

export interface Copies {
  /** The watch shows this now. */
  watched(copy: Copy): void;
  /** The directory holds this now; `undefined` where it cannot be read. */
  mounted(copy: Copy | undefined): void;
  /** The one that counts; `undefined` while there is neither. `live`: the watch works. */
  choose(live: boolean): "watched" | "mounted" | undefined;
}

/** A mounted copy lags by up to two minutes: what has been overtaken since is far less than this. */
const MOST_OVERTAKEN = 100;

/**
 * The higher revision counts, where both are counted. Else the watch is ahead of the mount while it works; once it has failed, a mounted copy
 * counts when it is news: not one that the watch had overtaken before.
 */
export function createCopies(): Copies {
  let ahead: Copy | undefined;
  let behind: Copy | undefined;
  const overtaken = new Set<string>();

  function overtake({ text }: Copy): void {
    overtaken.add(digestOf(text));
    const [oldest] = overtaken;
    if (overtaken.size > MOST_OVERTAKEN && oldest !== undefined) overtaken.delete(oldest);
  }

  return {
    watched(copy) {
      if (ahead) overtake(ahead);
      if (behind) overtake(behind);
      overtaken.delete(digestOf(copy.text));
      ahead = copy;
    },
    mounted(copy) {
      behind = copy;
    },
    choose(live) {
      if (!ahead || !behind) return ahead ? "watched" : behind && "mounted";
      if (isOlder(ahead.revision, behind.revision)) return "mounted";
      if (live || isOlder(behind.revision, ahead.revision)) return "watched";
      return overtaken.has(digestOf(behind.text)) ? "watched" : "mounted";
    },
  };
}

/** Not the text itself: it holds secrets. */
function digestOf(text: string): string {
  return hash("sha256", text, "base64url");
}
