// The events of a client.
import type { StateChange } from "../connection/connection.ts";
import type { XlveinError } from "../errors.ts";
import type { Message } from "../protocol/protocol.ts";

export interface ClientEvents {
  /** A message for this account. At most once, in the order the server sent; what is sent while the client is away is not repeated. */
  message: Message;
  /** The state changed. */
  state: StateChange;
  /** Something went wrong that somebody may want to see. The client goes on by itself unless its state is `closed`. */
  error: XlveinError;
}

/** Calls `listener` for each event from now on; returns the function that takes it off again. */
export type On = <Name extends keyof ClientEvents>(event: Name, listener: (value: ClientEvents[Name]) => void) => () => void;
