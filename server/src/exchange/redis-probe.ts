// The end-to-end check of a subscription: what this node publishes to itself must arrive.
import { randomBytes } from "node:crypto";

export interface ProbeOptions {
  /** Between two probes, and how long one may take to arrive, ms. */
  readonly everyMs: number;
  /** Publishes to the line's own channel; resolves with the number of receivers. */
  readonly publish: (token: string) => Promise<number>;
  /** A probe has arrived after a time without. */
  readonly heard: () => void;
  /** A probe was published and has not arrived. */
  readonly silent: () => void;
}

export interface Probe {
  /** Whether the last probe that could be published has arrived. */
  readonly hears: boolean;
  /** The subscription is confirmed: probes at once, then at the interval. */
  start(): void;
  stop(): void;
  /** Something has arrived on the probe's channel. */
  arrived(token: string): void;
}

/** How soon a probe that could not be published is tried again, ms. */
const AGAIN_MS = 250;

export function createProbe({ everyMs, publish, heard, silent }: ProbeOptions): Probe {
  let hears = false;
  let due: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  const again = (ms: number) => {
    clearTimeout(timer);
    timer = setTimeout(beat, ms);
  };
  function beat(): void {
    if (due === undefined) return send();
    // After a pause of our own it may be waiting to be read: look once more when sockets have been served.
    const token = due;
    setImmediate(() => {
      if (token === due) miss();
      else if (timer !== undefined) send();
    });
  }
  function send(): void {
    const token = randomBytes(9).toString("base64url");
    due = token;
    again(everyMs);
    publish(token).then(
      (receivers) => {
        if (receivers === 0 && token === due) miss();
      },
      () => {
        // Commands do not work: that is no fault of the subscription.
        if (token !== due) return;
        due = undefined;
        again(Math.min(everyMs, AGAIN_MS));
      },
    );
  }
  function miss(): void {
    stop();
    silent();
  }
  function stop(): void {
    clearTimeout(timer);
    timer = due = undefined;
    hears = false;
  }
  return {
    get hears() {
      return hears;
    },
    start() {
      stop();
      send();
    },
    stop,
    arrived(token) {
      if (token !== due) return;
      due = undefined;
      if (hears) return;
      hears = true;
      heard();
    },
  };
}
