// The page's presence: its network, the back/forward cache, and whether somebody looks at it.

/** The part of `window` that is watched. A worker has no `document`, Node nothing of it. */
export interface PageLike {
  addEventListener(type: string, listener: () => void): void;
  removeEventListener(type: string, listener: () => void): void;
  readonly navigator?: { readonly onLine?: boolean };
  readonly document?: { readonly visibilityState?: string };
}

export interface PageEvents {
  /** The page sleeps from now on: no socket can live. */
  sleep(): void;
  /** The network or the page is back, or somebody looks: a good moment to try. May come without a `sleep`. */
  wake(): void;
}

export interface Page {
  /** Why no socket can live now; undefined when one can. */
  asleep(): "offline" | "page_hidden" | undefined;
  /** Listens until `stop`, which may be called twice. */
  start(on: PageEvents): void;
  stop(): void;
}

/** `local`: the server is on this machine, so the network does not matter. */
export function createPage(page: PageLike | undefined, local: boolean): Page {
  let frozen = false;
  let stop = () => {};

  const asleep = () => (frozen ? "page_hidden" : !local && page?.navigator?.onLine === false ? "offline" : undefined);

  function start(on: PageEvents): void {
    frozen = false;
    const listeners: Record<string, () => void> = {
      offline: () => asleep() && on.sleep(),
      online: on.wake,
      // Without asking whether the page will be kept: if not, the server at least sees an orderly close.
      pagehide: () => {
        frozen = true;
        on.sleep();
      },
      pageshow: () => {
        frozen = false;
        on.wake();
      },
      visibilitychange: () => page?.document?.visibilityState === "visible" && on.wake(),
    };
    for (const type in listeners) page?.addEventListener(type, listeners[type] as () => void);
    stop = () => {
      for (const type in listeners) page?.removeEventListener(type, listeners[type] as () => void);
    };
  }

  return { asleep, start, stop: () => stop() };
}
