// The page's presence: its network, the back/forward cache, and whether somebody looks at it.
import { ignore } from "../deferred.ts";

/** The part of `window` that is watched. A worker has no `document`, Node nothing of it. */
export interface PageLike {
  addEventListener(type: string, listener: () => void): void;
  removeEventListener(type: string, listener: () => void): void;
  readonly navigator?: { readonly onLine?: boolean };
  readonly document?: { readonly visibilityState?: string };
}

export interface Page {
  /** Why no socket can live now; undefined when one can. */
  asleep(): "offline" | "page_hidden" | undefined;
  /**
   * Listens until `stop`, which may be called twice. `sleep`: no socket can live from now on. `wake`: the network or the page is back, or somebody looks:
   * a good moment to try; may come without a `sleep`.
   */
  start(sleep: () => void, wake: () => void): void;
  stop(): void;
}

/** `local`: the server is on this machine, so the network does not matter. */
export function createPage(page: PageLike | undefined, local: boolean): Page {
  let frozen = false;
  let stop = ignore;

  const asleep = () => (frozen ? "page_hidden" : !local && page?.navigator?.onLine === false ? "offline" : undefined);

  function start(sleep: () => void, wake: () => void): void {
    frozen = false;
    const listeners: Record<string, () => void> = {
      offline: () => asleep() && sleep(),
      online: wake,
      // Without asking whether the page will be kept: if not, the server at least sees an orderly close.
      pagehide: () => {
        frozen = true;
        sleep();
      },
      pageshow: () => {
        frozen = false;
        wake();
      },
      visibilitychange: () => page?.document?.visibilityState !== "hidden" && wake(),
    };
    const each = (method: "addEventListener" | "removeEventListener") => {
      for (const type in listeners) page?.[method](type, listeners[type] as () => void);
    };
    each("addEventListener");
    stop = () => each("removeEventListener");
  }

  return { asleep, start, stop: () => stop() };
}
