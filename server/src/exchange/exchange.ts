// The bus between nodes. Every implementation passes test/exchange/contract.ts.
import type { Envelope } from "../protocol/envelope.ts";
import type { Target } from "../protocol/target.ts";

/** Called for every envelope of a target that this node holds, in the order each publisher published. Must not throw or block. */
export type Deliver = (target: Target, envelope: Envelope) => void;

export interface ExchangeState {
  /** Whether a publish made now would be accepted. */
  readonly up: boolean;
  /** A few words for `/readyz?verbose`; never an address with credentials. */
  readonly detail: string;
}

/** Carries envelopes to the nodes that hold their target. At most once, in order per publisher and target; remembers nothing. */
export interface Exchange {
  readonly type: "local" | "redis" | "rabbitmq";
  /** Connects; from then on envelopes of held targets reach `deliver`. Rejects when the first connection fails for good (bad address, bad password). */
  open(deliver: Deliver): Promise<void>;
  /** Starts to hold a target; resolves when envelopes published from now on arrive here. Rejects with EXCHANGE_UNAVAILABLE. */
  hold(target: Target): Promise<void>;
  /** Stops to hold a target. Envelopes under way may still arrive. */
  release(target: Target): void;
  /** Resolves when the exchange has accepted the envelope for every target. Rejects with EXCHANGE_UNAVAILABLE; some targets may have been reached then. */
  publish(targets: readonly Target[], envelope: Envelope): Promise<void>;
  state(): ExchangeState;
  /** Leaves the bus; may be called twice. */
  close(): Promise<void>;
}
