// The order in which things were last used, kept without looking them up.

/** A thing's place in such an order. */
export interface Place<T> {
  readonly value: T;
  before: Place<T> | undefined;
  after: Place<T> | undefined;
}

/** A place in no order yet. */
export function createPlace<T>(value: T): Place<T> {
  return { value, before: undefined, after: undefined };
}

/** Every place it is given is in this order or in none. */
export class LastUse<T> {
  #first: Place<T> | undefined;
  #last: Place<T> | undefined;

  /** The place is the last from now on. */
  use(place: Place<T>): void {
    if (place === this.#last) return;
    this.remove(place);
    place.before = this.#last;
    if (this.#last) this.#last.after = place;
    else this.#first = place;
    this.#last = place;
  }

  /** Removing a place that is in no order does no harm. */
  remove(place: Place<T>): void {
    const { before, after } = place;
    if (before) before.after = after;
    else if (this.#first === place) this.#first = after;
    if (after) after.before = before;
    else if (this.#last === place) this.#last = before;
    place.before = undefined;
    place.after = undefined;
  }

  clear(): void {
    this.#first = undefined;
    this.#last = undefined;
  }

  /** What was used longest ago. */
  get first(): T | undefined {
    return this.#first?.value;
  }
}
