// The rooms that the backend has added an account to, as one connection knows them.

/** Most accounts have been added to no room: they share this one. */
const NO_ROOMS = new Set<string>();

export class Memberships {
  /** Until they have been read, what has changed since the connection receives, if anything; one member for both, as most connections need neither. */
  #rooms: Set<string> | Map<string, boolean> | undefined;

  /** Whether they have been read. */
  get known(): boolean {
    return this.#rooms instanceof Set;
  }

  /** Those known of. */
  get rooms(): ReadonlySet<string> {
    if (this.#rooms instanceof Set) return this.#rooms;
    return new Set([...(this.#rooms ?? [])].filter(([, member]) => member).map(([room]) => room));
  }

  has(room: string): boolean {
    return this.#rooms instanceof Set ? this.#rooms.has(room) : (this.#rooms?.get(room) ?? false);
  }

  /** Notes a change; false when it is none. */
  change(room: string, member: boolean): boolean {
    if (!(this.#rooms instanceof Set)) {
      this.#rooms ??= new Map();
      if (this.#rooms.get(room) === member) return false;
      this.#rooms.set(room, member);
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
    if (rooms.length === 0 && this.#rooms === undefined) {
      this.#rooms = NO_ROOMS;
      return { added: [], removed: [] };
    }
    const before = this.rooms;
    const now = new Set(rooms);
    const changes = this.#rooms instanceof Map ? this.#rooms : [];
    for (const [room, member] of changes) {
      if (member) now.add(room);
      else now.delete(room);
    }
    this.#rooms = now;
    return { added: [...now].filter((room) => !before.has(room)), removed: [...before].filter((room) => !now.has(room)) };
  }
}
