// The bus between nodes. Every implementation passes test/exchange/contract.ts.
import type { Envelope } from "../protocol/envelope.ts";
import type { EntryPosition } from "../protocol/position.ts";
import type { Target } from "../protocol/target.ts";

/** One receiver of an envelope, and where the message stands in its stream; `undefined` where no store gave it a place. */
export interface Delivery {
  readonly target: Target;
  readonly position: EntryPosition | undefined;
}

/** Called for every envelope of a target that this node holds, in the order each publisher published. Must not throw or block. */
export type Deliver = (delivery: Delivery, envelope: Envelope) => void;

/** Called when the bus was away and is back, with every target that was held all the while: what was sent to them meanwhile may be lost. They are held again by then. */
export type Resumed = (targets: readonly Target[]) => void;

export interface ExchangeState {
  /** Whether a publish made now would be accepted and what is held would arrive. */
  readonly up: boolean;
  /** A few words for `/readyz?verbose`; never an address with credentials. */
  readonly detail: string;
}

/**
 * Carries envelopes to the nodes that hold their target. At most once, in order per publisher and target; remembers nothing.
 * Every wait is bounded: a call that cannot be confirmed within about a second rejects.
 */
export interface Exchange {
  readonly type: "local" | "redis" | "rabbitmq";
  /** Connects; from then on envelopes of held targets reach `deliver`. Keeps trying when the broker is not there yet; rejects only when it refuses us for good (bad password, another shard list). */
  open(deliver: Deliver, resumed: Resumed): Promise<void>;
  /** Starts to hold a target; resolves when envelopes published from now on arrive here; `undefined` when they do already. Rejects with EXCHANGE_UNAVAILABLE. A hold cancels a release under way. */
  hold(target: Target): Promise<void> | undefined;
  /** Stops to hold a target. Envelopes under way may still arrive. */
  release(target: Target): void;
  /** Resolves when the exchange has accepted the envelope for every target. Rejects with EXCHANGE_UNAVAILABLE; some targets may have been reached then. */
  publish(deliveries: readonly Delivery[], envelope: Envelope): Promise<void>;
  state(): ExchangeState;
  /** Leaves the bus; may be called twice. */
  close(): Promise<void>;
}
