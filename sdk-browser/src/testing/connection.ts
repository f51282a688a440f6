// A connection of the fake server: what it is in, and what travels to its client.
import type { Clock } from "../clock.ts";
import type { GapFrame, MessageFrame } from "../protocol/protocol.ts";
import type { FakePeer } from "./socket.ts";
import type { Claims } from "./token.ts";

/** A connection, as a test sees it. */
export interface FakeConnection {
  readonly id: string;
  readonly account: string;
  readonly deviceId: string | undefined;
  /** The rooms it has subscribed to. */
  readonly rooms: readonly string[];
  /** Closes it with a code of PROTOCOL.md: 4010 kicked, 4200 drain, 4203 slow … */
  close(code: number, reason?: string): void;
  /** Cuts it without a word, as a network that breaks. */
  cut(): void;
  /** Nothing reaches the client from now on, as on a network that has gone silent. */
  hold(): void;
  /** Lets everything through again. With a reason, a gap stands for the messages that waited: `dropped` can be read back with `history`, `lost` cannot. */
  release(gap?: "dropped" | "lost"): void;
}

/** A connection, as the server sees it. */
export interface Line extends FakeConnection {
  claims: Claims;
  /** By room: calls off the end of its token. */
  readonly subscriptions: Map<string, () => void>;
  send(frame: object): void;
  /** The connection is gone. */
  bury(): void;
}

export function createLine(peer: FakePeer, id: string, account: string, claims: Claims, clock: Clock, pingMs: number): Line {
  const subscriptions = new Map<string, () => void>();
  let held: object[] | undefined;
  let callOff = () => {};

  /** A ping, when nothing else is sent for so long. */
  function rest(): void {
    callOff();
    callOff = clock.after(pingMs, () => send({ op: "ping" }));
  }

  function send(frame: object): void {
    rest();
    if (held) held.push(frame);
    else peer.send(frame);
  }

  rest();
  return {
    id,
    account,
    deviceId: peer.url.searchParams.get("device_id") ?? undefined,
    claims,
    subscriptions,
    get rooms() {
      return [...subscriptions.keys()];
    },
    close: (code, reason) => peer.end(code, reason),
    cut: () => peer.end(1006),
    hold: () => {
      held ??= [];
    },
    release: (gap) => {
      const waiting = held ?? [];
      held = undefined;
      for (const frame of gap ? withGaps(waiting, gap) : waiting) send(frame);
    },
    send,
    bury: () => {
      callOff();
      for (const end of subscriptions.values()) end();
      subscriptions.clear();
    },
  };
}

/** The frames with one gap in place of the messages of each stream. */
function withGaps(frames: readonly object[], reason: "dropped" | "lost"): object[] {
  const gaps = new Map<string, GapFrame>();
  const result: object[] = [];
  for (const frame of frames) {
    if ("op" in frame) {
      result.push(frame);
      continue;
    }
    const { room, to, epoch, offset } = frame as Required<MessageFrame>;
    const name = room ? { room } : ({ stream: to ? "account" : "app" } as const);
    const key = JSON.stringify(name);
    const gap = gaps.get(key) ?? { op: "gap", reason, ...name, epoch, from: offset, to: offset };
    gap.to = offset;
    if (!gaps.has(key)) result.push(gap);
    gaps.set(key, gap);
  }
  return result;
}
