// What waits for a slow reader, beside a model of it that is written for plainness and searches everything each time.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { SlowPolicy } from "../../server/src/apps/app.ts";
import { Backlog } from "../../server/src/hub/backlog.ts";
import type { Outgoing, Stream } from "../../server/src/hub/outgoing.ts";
import { roomTarget } from "../../server/src/protocol/target.ts";
import { textFrame } from "../../server/src/protocol/ws-frame.ts";
import { createDraw } from "../helpers/random.ts";

interface Item {
  stream: Stream | undefined;
  text: string;
  epoch: string | undefined;
  key: string | undefined;
  from: number | undefined;
  to: number | undefined;
  gap: "dropped" | "conflated" | undefined;
}

function stream(name: string, slow: SlowPolicy): Stream {
  return { target: roomTarget("app", name), slow };
}

function textOf({ frame }: { readonly frame: Buffer }): string {
  return String(frame.subarray(frame[1] === 126 ? 4 : 2));
}

function describe({ stream: of, text, epoch, gap, from, to }: Item): string {
  return gap === undefined ? text : JSON.stringify({ op: "gap", room: of?.target.name, reason: gap, epoch, from, to });
}

function sizeOf(item: Item): number {
  return textFrame(describe(item)).length;
}

class Model {
  items: Item[] = [];
  /** Those that something waits of, longest first: of two equally full ones the first counts. */
  streams = new Set<Stream>();
  superseded: Item[] = [];

  get bytes(): number {
    return this.items.reduce((sum, item) => sum + sizeOf(item), 0);
  }

  append(item: Item): void {
    this.supersede(item);
    this.items.push(item);
    if (item.stream) this.streams.add(item.stream);
  }

  shift(): Item | undefined {
    const item = this.items.shift();
    if (item?.stream && !this.items.some(({ stream: of }) => of === item.stream)) this.streams.delete(item.stream);
    return item;
  }

  supersede({ stream: of, key }: Item): void {
    const older = this.items.findLast((item) => !item.gap && key !== undefined && item.stream === of && item.key === key);
    if (older && of?.slow === "conflate" && !this.superseded.includes(older)) this.superseded.push(older);
  }

  makeRoom(item: Item, cap: number): boolean {
    this.supersede(item);
    while (this.bytes + sizeOf(item) > cap) {
      const victim = this.superseded.find((each) => this.items.includes(each) && !each.gap) ?? this.oldestOfFullest();
      if (!victim) return false;
      victim.gap = victim.stream?.slow === "conflate" ? "conflated" : "dropped";
      this.mergeGaps(victim.stream);
    }
    return true;
  }

  oldestOfFullest(): Item | undefined {
    let fullest: Item[] = [];
    const sum = (items: Item[]) => items.reduce((bytes, item) => bytes + sizeOf(item), 0);
    for (const of of this.streams) {
      const items = this.items.filter((item) => item.stream === of && of.slow === "drop_oldest" && !item.gap);
      if (sum(items) > sum(fullest)) fullest = items;
    }
    return fullest[0];
  }

  mergeGaps(of: Stream | undefined): void {
    const own = this.items.filter((item) => item.stream === of);
    for (let i = own.length - 1; i > 0; i--) {
      const [one, other] = [own[i - 1] as Item, own[i] as Item];
      if (!one.gap || one.gap !== other.gap || one.epoch !== other.epoch) continue;
      one.to = other.to;
      this.items.splice(this.items.indexOf(other), 1);
    }
  }
}

/** Messages of several streams, answers in between. */
function createSource(seed: number, streams: readonly Stream[]) {
  const draw = createDraw(seed);
  const offsets = streams.map(() => 0);
  return function next(): { out: Outgoing; item: Item } {
    const kind = draw(streams.length + 1);
    const of = streams[kind];
    const text = `${of?.target.name ?? "answer"} ${"x".repeat(draw(draw(4) === 0 ? 300 : 30))} ${seed}`;
    if (!of) {
      const frame = textFrame(text);
      return { out: { frame }, item: { stream: undefined, text, epoch: undefined, key: undefined, from: undefined, to: undefined, gap: undefined } };
    }
    const offset = (offsets[kind] = (offsets[kind] as number) + 1);
    const key = of.slow === "conflate" || draw(3) === 0 ? `key ${draw(4)}` : undefined;
    const stored = kind !== 0;
    const epoch = stored ? `epoch ${Math.floor(offset / 40)}` : undefined;
    const position = epoch === undefined ? undefined : { epoch, offset, previous: "" };
    const from = stored ? offset : undefined;
    return {
      out: { frame: textFrame(`${text} ${offset}`), entry: { stream: of, position, key } },
      item: { stream: of, text: `${text} ${offset}`, epoch, key, from, to: from, gap: undefined },
    };
  };
}

test("what is taken out and what stays, and every gap, are as in the model, whatever comes", () => {
  for (let seed = 1; seed <= 120; seed++) {
    const draw = createDraw(seed);
    const streams = [
      stream("unstored", "drop_oldest"),
      stream("a", "drop_oldest"),
      stream("b", "drop_oldest"),
      stream("c", "conflate"),
      stream("d", "conflate"),
    ];
    const source = createSource(seed, streams.slice(draw(2), 2 + draw(4)));
    const backlog = new Backlog([]);
    const model = new Model();
    let taken = 0;
    for (let step = 0; step < 250; step++) {
      if (draw(5) === 0) {
        const max = draw(400);
        for (const frame of backlog.take(max)) {
          assert.equal(textOf(frame), describe(model.shift() as Item), `seed ${seed}, step ${step}`);
          taken++;
        }
      } else {
        const { out, item } = source();
        assert.equal(backlog.makeRoom(out, 1_500), model.makeRoom(item, 1_500), `seed ${seed}, step ${step}: whether it fits`);
        backlog.append(out);
        model.append(item);
      }
      assert.equal(backlog.bytes, model.bytes, `seed ${seed}, step ${step}: bytes`);
      assert.equal(backlog.messages, model.items.filter(({ stream: of, gap }) => of && !gap).length, `seed ${seed}, step ${step}: messages`);
    }
    assert.deepEqual(backlog.take(Number.POSITIVE_INFINITY).map(textOf), model.items.map(describe), `seed ${seed}: what is left`);
    assert.equal(backlog.bytes, 0);
    assert.ok(taken > 0);
  }
});

test("a gap counts the messages that it stands for", () => {
  const of = stream("a", "drop_oldest");
  const message = (offset: number): Outgoing => ({
    frame: textFrame("x".repeat(200)),
    entry: { stream: of, position: { epoch: "e", offset, previous: "" }, key: undefined },
  });
  const backlog = new Backlog([message(1), message(2), message(3)]);
  assert.ok(backlog.makeRoom(message(4), 600));
  assert.equal(backlog.dropped, 2);
  backlog.append(message(4));
  assert.deepEqual(
    backlog.take(1_000).map((frame) => textOf(frame).slice(0, 90)),
    ['{"op":"gap","room":"a","reason":"dropped","epoch":"e","from":1,"to":2}', "x".repeat(90), "x".repeat(90)],
  );
});

test("a policy that changes holds for what waits already", () => {
  const of: { target: Stream["target"]; slow: SlowPolicy } = { target: roomTarget("app", "a"), slow: "close" };
  const message = (offset: number): Outgoing => ({
    frame: textFrame("x".repeat(200)),
    entry: { stream: of, position: { epoch: "e", offset, previous: "" }, key: undefined },
  });
  const backlog = new Backlog([message(1), message(2)]);
  assert.equal(backlog.makeRoom(message(3), 500), false);
  of.slow = "drop_oldest";
  assert.equal(backlog.makeRoom(message(3), 500), true);
});
