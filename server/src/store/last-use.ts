// The order in which things were last used, kept without looking them up.

/** A thing with a place in one such order. It holds its own links: an object for them would cost each thing three times their memory. */
export interface Place<T> {
  /** The order's own; `undefined` to begin with. */
  before: T | undefined;
  after: T | undefined;
}

/** Every thing it is given is in this order or in none. */
export class LastUse<T extends Place<T>> {
  #first: T | undefined;
  #last: T | undefined;

  /** The thing is the last from now on. */
  use(thing: T): void {
    if (thing === this.#last) return;
    this.remove(thing);
    thing.before = this.#last;
    if (this.#last) this.#last.after = thing;
    else this.#first = thing;
    this.#last = thing;
  }

  /** Removing a thing that is in no order does no harm. */
  remove(thing: T): void {
    const { before, after } = thing;
    if (before) before.after = after;
    else if (this.#first === thing) this.#first = after;
    if (after) after.before = before;
    else if (this.#last === thing) this.#last = before;
    thing.before = undefined;
    thing.after = undefined;
  }

  clear(): void {
    this.#first = undefined;
    this.#last = undefined;
  }

  /** What was used longest ago. */
  get first(): T | undefined {
    return this.#first;
  }
}
