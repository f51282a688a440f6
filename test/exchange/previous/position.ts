// Frozen: as the release before wrote and read envelopes of version 1. Never edited; a node of it may run beside this one.
// Where a message stands in the stream of its target.

/** The place of an entry. Offsets of an epoch are contiguous from 1; another epoch is another stream, whatever its offsets. */
export interface EntryPosition {
  readonly epoch: string;
  readonly offset: number;
  /** The msg_id of the entry before; "" for the first. It shows a store that has fallen behind and gives offsets out again. */
  readonly previous: string;
}

/** How far a stream has come, or a reader in it: its last entry. `offset` 0 and `msgId` "" before the first. */
export interface Position {
  readonly epoch: string;
  readonly offset: number;
  readonly msgId: string;
}
