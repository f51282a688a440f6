// What a measurement is asked for, and what it answers.

export interface Row {
  readonly name: string;
  readonly value: string;
  readonly ratio?: number;
  readonly goal?: string;
}

/** How much of each. */
export interface Scale {
  readonly pushes: number;
  /** Messages with one in flight, and at a fixed rate, in each round. */
  readonly alone: number;
  readonly timed: number;
  readonly rounds: number;
  /** Accounts that one node holds. */
  readonly accounts: number;
  /** The `server/bin/xlvein.js` of another checkout, to compare with. */
  readonly against: string | undefined;
}
