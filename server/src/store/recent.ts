// A list that grows at its end and is cut at its beginning.

/** Slots that are empty before the list moves: seldom enough that cutting costs next to nothing, few enough not to count. */
const EMPTY_SHARE = 1 / 4;

export class Recent<T> {
  #slots: (T | undefined)[] = [];
  #start = 0;

  get length(): number {
    return this.#slots.length - this.#start;
  }

  at(index: number): T | undefined {
    return this.#slots[this.#start + index];
  }

  push(item: T): void {
    this.#slots.push(item);
  }

  shift(): T | undefined {
    if (this.length === 0) return undefined;
    const item = this.#slots[this.#start];
    this.#slots[this.#start] = undefined;
    this.#start++;
    if (this.#start > this.#slots.length * EMPTY_SHARE) {
      this.#slots = this.#slots.slice(this.#start);
      this.#start = 0;
    }
    return item;
  }

  slice(from: number, to: number): readonly T[] {
    return this.#slots.slice(this.#start + from, Math.max(0, this.#start + to)) as T[];
  }
}
