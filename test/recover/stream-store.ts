// A store of one stream, made for tests: it can be wiped, put back to an older copy, trimmed and silenced.
import type { Message } from "../../server/src/protocol/message.ts";
import type { Position } from "../../server/src/protocol/position.ts";
import type { Target } from "../../server/src/protocol/target.ts";
import type { Entry, Missed, Store } from "../../server/src/store/store.ts";

export function message(msgId: string): Message {
  return { msgId, event: 0, data: `{"id":"${msgId}"}`, sendAt: 1 };
}

export class StreamStore implements Pick<Store, "positions" | "missed" | "renew" | "append"> {
  epoch = "e1";
  entries: Entry[] = [];
  /** Entries that have been given an offset, gone ones included. */
  offset = 0;
  /** The id of the last entry, gone or not. */
  last = "";
  down = false;
  asked = 0;
  #saved: Partial<StreamStore> | undefined;

  get at(): Position {
    return { epoch: this.epoch, offset: this.offset, msgId: this.last };
  }

  /** Appends and answers the entry as the bus would bring it. */
  add(msgId: string): Entry {
    const previous = this.last;
    this.offset++;
    this.last = msgId;
    const entry = { message: message(msgId), position: { epoch: this.epoch, offset: this.offset, previous } };
    this.entries.push(entry);
    return entry;
  }
  wipe(epoch: string): void {
    this.epoch = epoch;
    this.entries = [];
    this.offset = 0;
    this.last = "";
  }
  save(): void {
    this.#saved = { epoch: this.epoch, entries: [...this.entries], offset: this.offset, last: this.last };
  }
  restore(): void {
    Object.assign(this, this.#saved);
  }

  append(_target: Target, { msgId }: Message): ReturnType<Store["append"]> {
    return { msgId, position: this.add(msgId).position, duplicate: false, published: false };
  }
  async positions(targets: readonly Target[]): Promise<Position[]> {
    this.#answer();
    return targets.map(() => this.at);
  }
  async missed(_target: Target, after: Position, limit: number): Promise<Missed> {
    this.#answer();
    const next = this.entries.filter(({ position }) => position.offset > after.offset).slice(0, limit);
    const sameEpoch = after.epoch === this.epoch;
    const before = after.offset === this.offset ? this.at.msgId : next[0]?.position.offset === after.offset + 1 ? next[0].position.previous : undefined;
    if (!sameEpoch || after.offset > this.offset || (before !== undefined && before !== after.msgId)) return { outcome: "epoch_changed", current: this.at };
    if (after.offset < this.offset && next[0]?.position.offset !== after.offset + 1) return { outcome: "too_old", entries: next };
    return { outcome: "complete", entries: next };
  }
  async renew(_target: Target, epoch: string): Promise<Position> {
    this.#answer();
    if (this.epoch === epoch) {
      this.epoch = `${epoch}'`;
      this.entries = this.entries.map(({ message: each, position }) => ({ message: each, position: { ...position, epoch: this.epoch } }));
    }
    return this.at;
  }
  #answer(): void {
    this.asked++;
    if (this.down) throw new Error("the store does not answer");
  }
}
