// Messages of a stream that a reader does not get in their place.

export interface Gap {
  /** `lost`: the store has them no more · `dropped`: the reader was too slow · `conflated`: later ones replace them. */
  readonly reason: "lost" | "dropped" | "conflated";
  /** Of the stream as it goes on; `undefined` where no store keeps it. */
  readonly epoch: string | undefined;
  /** The first and the last offset that is missing; `undefined` when nobody knows. */
  readonly from: number | undefined;
  readonly to: number | undefined;
}
