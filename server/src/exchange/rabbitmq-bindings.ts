// Which buckets are bound to this node's queue: bound when wanted, unbound a while after they no longer are.

/** A bucket that nobody wants stays bound this long, at most twice, milliseconds; so that accounts that come and go cost the broker nothing. */
export const UNBIND_DELAY_MS = 2_000;

/** Binds buckets to a queue of one connection, in the order of the calls. A rejection means that the connection is about to end. */
export interface Binder {
  bind(bucket: number): Promise<unknown>;
  unbind(bucket: number): Promise<unknown>;
}

/** What the broker knows of a bucket on the current connection; absent: nothing. */
type Binding = "binding" | "bound" | "unbinding";

export class Bindings {
  readonly #unbindDelayMs: number;
  readonly #onBound: (bucket: number) => void;
  readonly #wanted = new Set<number>();
  #binder: Binder | undefined;
  /** Replaced with each connection. */
  #bindings = new Map<number, Binding>();
  /** Buckets that nobody wants since the last sweep, and since before it. */
  #idle = new Set<number>();
  #idleBefore = new Set<number>();
  #sweep: NodeJS.Timeout | undefined;

  /** `onBound` is called whenever a bucket has become bound. */
  constructor(unbindDelayMs: number, onBound: (bucket: number) => void) {
    this.#unbindDelayMs = unbindDelayMs;
    this.#onBound = onBound;
  }

  isBound(bucket: number): boolean {
    return this.#bindings.get(bucket) === "bound";
  }

  /** How many buckets are bound. */
  get size(): number {
    let size = 0;
    for (const binding of this.#bindings.values()) if (binding === "bound") size++;
    return size;
  }

  /** Binds a bucket unless it is, now or on the next connection. */
  want(bucket: number): void {
    this.#wanted.add(bucket);
    this.#idle.delete(bucket);
    this.#idleBefore.delete(bucket);
    // When it fails the connection ends, and the next one binds it.
    this.#bind(bucket).catch(() => {});
  }

  /** Unbinds a bucket later, unless it is wanted again by then. */
  unwant(bucket: number): void {
    this.#wanted.delete(bucket);
    this.#idle.add(bucket);
    this.#scheduleSweep();
  }

  /** From now on `binder` is the connection. Resolves when every wanted bucket is bound; rejects when one cannot be. */
  async attach(binder: Binder): Promise<void> {
    this.#binder = binder;
    this.#bindings = new Map();
    await Promise.all([...this.#wanted].map((bucket) => this.#bind(bucket)));
  }

  /** The connection has ended: nothing is bound; everything stays wanted. */
  detach(): void {
    this.#binder = undefined;
    this.#bindings = new Map();
  }

  /** Wants nothing more. */
  close(): void {
    this.detach();
    this.#wanted.clear();
    this.#idle.clear();
    this.#idleBefore.clear();
    clearTimeout(this.#sweep);
  }

  /** Behind an unbind under way a bind comes second, so the bucket ends up bound. */
  async #bind(bucket: number): Promise<void> {
    const binder = this.#binder;
    const bindings = this.#bindings;
    const binding = bindings.get(bucket);
    if (!binder || binding === "bound" || binding === "binding") return;
    bindings.set(bucket, "binding");
    await binder.bind(bucket);
    if (bindings !== this.#bindings) return;
    bindings.set(bucket, "bound");
    this.#onBound(bucket);
  }

  async #unbind(bucket: number): Promise<void> {
    const bindings = this.#bindings;
    bindings.set(bucket, "unbinding");
    // When it fails the connection ends, and its queue with it.
    await this.#binder?.unbind(bucket).catch(() => {});
    if (bindings.get(bucket) === "unbinding") bindings.delete(bucket);
  }

  #scheduleSweep(): void {
    if (this.#sweep) return;
    this.#sweep = setTimeout(() => {
      this.#sweep = undefined;
      this.#unbindIdle();
    }, this.#unbindDelayMs);
    this.#sweep.unref();
  }

  /** Unbinds what was idle at the last sweep already. */
  #unbindIdle(): void {
    const due = this.#idleBefore;
    this.#idleBefore = this.#idle;
    this.#idle = new Set();
    for (const bucket of due) {
      const binding = this.#bindings.get(bucket);
      if (binding === "bound") void this.#unbind(bucket);
      else if (binding === "binding") this.#idle.add(bucket);
    }
    if (this.#idleBefore.size + this.#idle.size > 0) this.#scheduleSweep();
  }
}
