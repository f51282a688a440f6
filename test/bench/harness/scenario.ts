// What a scenario of the bench is, and what it answers.
import type { Stage } from "./stage.ts";

/** One comparison that a reader can rerun: a subject against a reference, measured in turns in one run. */
export interface Scenario {
  /** As `--only` names it. */
  readonly name: string;
  /** What is measured, in a sentence. */
  readonly title: string;
  /** Too slow for a quick run, which takes it only when it is named. */
  readonly fullOnly?: boolean;
  /** Measures. Rejects when a message was lost or delivered twice, whatever the speed. */
  run(context: Context): Promise<Result>;
}

export interface Context {
  /** Fewer repetitions and less work each, with every goal loosened by `QUICK_SLACK`. */
  readonly quick: boolean;
  /** Ends with the scenario: what it starts is stopped here. */
  readonly stage: Stage;
  /** Tells how far the scenario is. */
  progress(text: string): void;
}

/** By how much a goal may be missed in a quick run, as a share. */
export const QUICK_SLACK = 0.15;

export interface Result {
  readonly ratios: readonly Ratio[];
  /** What was measured without a reference: told, never judged. */
  readonly figures?: readonly Figure[];
  readonly curves?: readonly Curve[];
}

export interface Ratio {
  /** `subject / reference`, with what sets it apart. */
  readonly name: string;
  /** One for each repetition; the median is judged. */
  readonly values: readonly number[];
  /** None where it is only told. */
  readonly goal?: Goal;
  /** Repetitions that others on the machine disturbed, after they were tried again. */
  readonly noisy?: number;
}

/** Exactly one of `atLeast` and `atMost`. */
export interface Goal {
  readonly atLeast?: number;
  readonly atMost?: number;
  /** What the best prototype reached. */
  readonly reach?: number;
}

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

/** One or more lines over the same x axis; drawn as SVG and told as a table. */
export interface Curve {
  /** File name without its ending. */
  readonly name: string;
  readonly title: string;
  /** With its unit. */
  readonly x: string;
  /** With its unit. */
  readonly y: string;
  readonly lines: readonly { readonly name: string; readonly points: readonly (readonly [x: number, y: number])[] }[];
}
