// The events of a client.
import type { XlveinError } from "../errors.ts";
import type { Message } from "../protocol/protocol.ts";

/** `idle` never asked to connect · `connecting` · `connected` · `disconnected` will retry · `closed` will not. */
export type State = "idle" | "connecting" | "connected" | "disconnected" | "closed";

export interface StateChange {
  readonly state: State;
  readonly previous: State;
  /** Why, in `disconnected` and `closed`; undefined when the application closed the client itself. */
  readonly reason: XlveinError | undefined;
  /** Milliseconds until the next attempt, in `disconnected`; undefined while the client waits for the network or the page. */
  readonly retryInMs: number | undefined;
}

/** Messages of a stream that this client does not get. Fetch what you need from your own backend, or with `history`. */
export interface GapEvent {
  /** The stream; one of `room` and `stream`. */
  readonly room?: string | undefined;
  readonly stream?: "account" | "app" | undefined;
  /**
   * While connected: `lost` the server has them no more, `dropped` this client was too slow and could not get them with `history` either, `conflated`
   * this client was slow, and later messages with the same `key` took their place: nothing needs fetching.
   * After coming back: `epoch_changed`, `too_old`, `too_many`, `store_unavailable`, as PROTOCOL.md says.
   */
  readonly reason: "lost" | "dropped" | "conflated" | "epoch_changed" | "too_old" | "too_many" | "store_unavailable";
  /** The first and the last offset that is missing; undefined when nobody knows. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/** The server's notice that this account may enter a room, or that this connection is no longer in it. */
export interface MembershipEvent {
  readonly room: string;
  /** True: the backend has added the account; `subscribe()` works now. False: the subscription has ended. */
  readonly member: boolean;
  /** Why it has ended. */
  readonly reason?: "removed" | "not_authorised" | "token_expired" | undefined;
}

export interface ClientEvents {
  /** A message to this account, to a room, or to everyone. In the order of its stream; what is missed while away follows when the client is back. */
  message: Message;
  /** The state changed. */
  state: StateChange;
  /** Something went wrong that somebody may want to see. The client goes on by itself unless its state is `closed`. */
  error: XlveinError;
  /** Messages are missing, and could not be made good. */
  gap: GapEvent;
  /** The backend has let this account into a room, or a subscription has ended. */
  membership: MembershipEvent;
}

/** Calls `listener` for each event from now on; returns the function that takes it off again. */
export type On = <Name extends keyof ClientEvents>(event: Name, listener: (value: ClientEvents[Name]) => void) => () => void;
