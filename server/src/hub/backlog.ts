// What waits for a reader that is too slow, ordered so that messages can be taken out of the middle; a gap stands in their place.
import { encodeGap } from "../protocol/frames.ts";
import type { Gap } from "../protocol/gap.ts";
import { textFrame } from "../protocol/ws-frame.ts";
import type { Outgoing, Stream, StreamEntry } from "./outgoing.ts";

/** A frame in the queue, and, if it is of a stream, in the stream's own order. */
interface Waiting {
  frame: Buffer;
  /** Of a message that can still be sent. */
  entry: StreamEntry | undefined;
  /** Of messages that cannot. */
  gap: Gap | undefined;
  lane: Lane | undefined;
  before: Waiting | undefined;
  after: Waiting | undefined;
  earlier: Waiting | undefined;
  later: Waiting | undefined;
}

/** What waits of one stream. */
interface Lane {
  readonly stream: Stream;
  /** Of its messages. */
  bytes: number;
  /** Its first message, whatever gaps stand before it. */
  oldest: Waiting | undefined;
  last: Waiting | undefined;
  /** The last message with each key. */
  readonly latest: Map<string, Waiting>;
}

export class Backlog {
  /** Of all frames that wait, gaps included. */
  bytes = 0;
  /** Messages that wait. */
  messages = 0;
  /** Messages taken out, since the owner last set these to 0. */
  dropped = 0;
  conflated = 0;
  #head: Waiting | undefined;
  #tail: Waiting | undefined;
  readonly #lanes = new Map<Stream, Lane>();
  /** Messages that have a later one with their key, in the order in which those came; they may have been written meanwhile. */
  #superseded: Waiting[] = [];

  constructor(outs: Iterable<Outgoing>) {
    for (const out of outs) this.append(out);
  }

  append({ frame, entry }: Outgoing): void {
    const node: Waiting = { frame, entry, gap: undefined, lane: undefined, before: this.#tail, after: undefined, earlier: undefined, later: undefined };
    if (this.#tail) this.#tail.after = node;
    else this.#head = node;
    this.#tail = node;
    this.bytes += frame.length;
    if (!entry) return;
    this.messages++;
    this.#enlist(node, entry);
  }

  /**
   * Takes messages out until `out` fits in, so that all together are at most `capBytes`: first those that have a later one with the same
   * key, oldest first (`conflate`), then the oldest of the fullest stream (`drop_oldest`). False when that is not enough.
   */
  makeRoom(out: Outgoing, capBytes: number): boolean {
    if (out.entry) this.#supersede(out.entry);
    while (this.bytes + out.frame.length > capBytes) {
      const superseded = this.#nextSuperseded();
      if (superseded) {
        this.#drop(superseded, "conflated");
        this.conflated++;
        continue;
      }
      const oldest = this.#fullest()?.oldest;
      if (!oldest) return false;
      this.#drop(oldest, "dropped");
      this.dropped++;
    }
    return true;
  }

  /** Removes and answers the first frames, together at most `maxBytes`, but always one. */
  take(maxBytes: number): { readonly frame: Buffer }[] {
    const taken: Waiting[] = [];
    let bytes = 0;
    for (let node = this.#head; node && (bytes === 0 || bytes + node.frame.length <= maxBytes); node = this.#head) {
      bytes += node.frame.length;
      taken.push(node);
      this.#unlink(node);
    }
    return taken;
  }

  #enlist(node: Waiting, entry: StreamEntry): void {
    let lane = this.#lanes.get(entry.stream);
    if (!lane) {
      lane = { stream: entry.stream, bytes: 0, oldest: undefined, last: undefined, latest: new Map() };
      this.#lanes.set(entry.stream, lane);
    }
    node.lane = lane;
    node.earlier = lane.last;
    if (lane.last) lane.last.later = node;
    lane.last = node;
    lane.oldest ??= node;
    lane.bytes += node.frame.length;
    if (entry.key === undefined) return;
    this.#supersede(entry);
    lane.latest.set(entry.key, node);
  }

  /** A message with the entry's key comes, or has come. */
  #supersede({ stream, key }: StreamEntry): void {
    if (key === undefined) return;
    const latest = this.#lanes.get(stream)?.latest;
    const node = latest?.get(key);
    if (!node) return;
    latest?.delete(key);
    if (stream.slow === "conflate") this.#superseded.push(node);
  }

  #nextSuperseded(): Waiting | undefined {
    const index = this.#superseded.findIndex(({ entry, lane }) => entry !== undefined && lane?.stream.slow === "conflate");
    const node = this.#superseded[index];
    // Those before it have been written.
    this.#superseded.splice(0, node ? index + 1 : this.#superseded.length);
    return node;
  }

  /** Of the streams whose messages may be dropped. */
  #fullest(): Lane | undefined {
    let fullest: Lane | undefined;
    for (const lane of this.#lanes.values()) if (lane.oldest && lane.stream.slow === "drop_oldest" && lane.bytes > (fullest?.bytes ?? 0)) fullest = lane;
    return fullest;
  }

  #drop(node: Waiting, reason: "dropped" | "conflated"): void {
    const position = node.entry?.position;
    this.#forget(node);
    this.#replace(node, { reason, epoch: position?.epoch, from: position?.offset, to: position?.offset });
    const { earlier, later } = node;
    this.#merge(this.#merge(earlier, node) ? earlier : node, later);
  }

  /** Puts a gap in the place of a message or of another gap. */
  #replace(node: Waiting, gap: Gap): void {
    if (!node.lane) return;
    const frame = textFrame(encodeGap(node.lane.stream.target, gap));
    this.bytes += frame.length - node.frame.length;
    node.gap = gap;
    node.frame = frame;
  }

  /** Makes one gap, in the earlier place, of two that follow one another in their stream. */
  #merge(one: Waiting | undefined, other: Waiting | undefined): boolean {
    if (!one?.gap || !other?.gap || one.gap.reason !== other.gap.reason || one.gap.epoch !== other.gap.epoch) return false;
    const { to } = other.gap;
    this.#unlink(other);
    this.#replace(one, { ...one.gap, to });
    return true;
  }

  /** The node is no message any more. */
  #forget(node: Waiting): void {
    const { lane, entry } = node;
    if (!lane || !entry) return;
    node.entry = undefined;
    this.messages--;
    lane.bytes -= node.frame.length;
    if (entry.key !== undefined && lane.latest.get(entry.key) === node) lane.latest.delete(entry.key);
    while (lane.oldest && !lane.oldest.entry) lane.oldest = lane.oldest.later;
  }

  #unlink(node: Waiting): void {
    this.#forget(node);
    this.bytes -= node.frame.length;
    if (node.before) node.before.after = node.after;
    else this.#head = node.after;
    if (node.after) node.after.before = node.before;
    else this.#tail = node.before;
    if (!node.lane) return;
    if (node.earlier) node.earlier.later = node.later;
    if (node.later) node.later.earlier = node.earlier;
    else node.lane.last = node.earlier;
    if (!node.lane.last) this.#lanes.delete(node.lane.stream);
  }
}
