// The rooms that the backend has added an account to, as one connection knows them.

/** Most accounts have been added to no room: they share this one. */
const NO_ROOMS = new Set<string>();

export class Memberships {
  /** `undefined` until they have been read. */
  #rooms: Set<string> | undefined;
  /** What has changed since the connection receives, until then. */
  #changes: Map<string, boolean> | undefined;

  /** Whether they have been read. */
  get known(): boolean {
    return this.#rooms !== undefined;
  }

  /** Those known of. */
  get rooms(): ReadonlySet<string> {
    return this.#rooms ?? new Set([...(this.#changes ?? [])].filter(([, member]) => member).map(([room]) => room));
  }

  has(room: string): boolean {
    return this.#rooms?.has(room) ?? this.#changes?.get(room) ?? false;
  }

  /** Notes a change; false when it is none. */
  change(room: string, member: boolean): boolean {
    if (this.#rooms === undefined) {
      this.#changes ??= new Map();
      if (this.#changes.get(room) === member) return false;
      this.#changes.set(room, member);
      return true;
    }
    if (this.#rooms.has(room) === member) return false;
    if (this.#rooms === NO_ROOMS) this.#rooms = new Set();
    if (member) this.#rooms.add(room);
    else this.#rooms.delete(room);
    return true;
  }

  /**
   * Takes what has been read; at the first time, what has changed meanwhile goes on top of it.
   * @returns the rooms that are new, and those that are gone
   */
  read(rooms: readonly string[]): { added: readonly string[]; removed: readonly string[] } {
    if (rooms.length === 0 && this.#changes === undefined && this.#rooms === undefined) {
      this.#rooms = NO_ROOMS;
      return { added: [], removed: [] };
    }
    const before = this.rooms;
    const now = new Set(rooms);
    for (const [room, member] of this.#changes ?? []) {
      if (member) now.add(room);
      else now.delete(room);
    }
    this.#changes = undefined;
    this.#rooms = now;
    return { added: [...now].filter((room) => !before.has(room)), removed: [...before].filter((room) => !now.has(room)) };
  }
}
