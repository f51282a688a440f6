// Bounds on waits: one of its own for a wait that is rare, shared ones for many.

/** Settles as the promise does, or rejects with `expired()` when that takes longer than `ms`. */
export function within<T>(ms: number, promise: Promise<T>, expired: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(expired()), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

type Expire = () => void;

interface Turn {
  readonly expires: Set<Expire>;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Time limits for many waits: those that begin in one turn of the event loop share a timer.
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

  /** Settles as the promise does, or rejects with `expired()`. */
  within<T>(promise: Promise<T>, expired: () => Error): Promise<T> {
    return new Promise((resolve, reject) => {
      const takeBack = this.add(() => reject(expired()));
      promise.then(
        (value) => {
          takeBack();
          resolve(value);
        },
        (error: unknown) => {
          takeBack();
          reject(error);
        },
      );
    });
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
