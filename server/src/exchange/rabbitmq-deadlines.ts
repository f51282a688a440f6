// Time limits for many waits: those of one turn of the event loop share a timer.

type Expire = () => void;

interface Turn {
  readonly expires: Set<Expire>;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Calls back what is not taken back within `ms`. The time runs from the end of the turn, so that a burst does not eat its own,
 * and what has arrived by its end is read first, so that a stalled event loop is not taken for a silent broker.
 */
export class Deadlines {
  readonly #ms: number;
  #turn: Turn | undefined;

  constructor(ms: number) {
    this.#ms = ms;
  }

  /** Returns a function that takes it back. */
  add(expire: Expire): () => void {
    this.#turn ??= this.#start();
    const turn = this.#turn;
    turn.expires.add(expire);
    return () => {
      turn.expires.delete(expire);
      if (turn.expires.size === 0) clearTimeout(turn.timer);
    };
  }

  #start(): Turn {
    const turn: Turn = { expires: new Set(), timer: undefined };
    const end = () => {
      for (const expire of turn.expires) expire();
    };
    setImmediate(() => {
      this.#turn = undefined;
      // From a timer, the next immediate comes after the sockets have been read.
      if (turn.expires.size > 0) turn.timer = setTimeout(() => setImmediate(end), this.#ms);
    });
    return turn;
  }
}
