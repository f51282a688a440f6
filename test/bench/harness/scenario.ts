// What a scenario of the bench is, and what it answers.
import type { Stage } from "./stage.ts";

/** One comparison that a reader can rerun: a subject against a reference, measured in turns in one run. */
export interface Scenario {
  /** As `--only` names it. */
  readonly name: string;
  /** What is measured, in a sentence. */
  readonly title: string;
  /** Left out of a quick run, which takes it only when it is named. */
  readonly fullOnly?: boolean;
  /** Whether a busy machine hardly changes what it measures: in a quick run those next to one another run at the same time. */
  readonly calm?: boolean;
  /** Measures. Rejects when a message was lost or delivered twice, whatever the speed. */
  run(context: Context): Promise<Result>;
}

export interface Context {
  /** Fewer repetitions and less work each. */
  readonly quick: boolean;
  /** Ends with the scenario: what it starts is stopped here. */
  readonly stage: Stage;
  /** Ends with the run: of what several scenarios use (`onceARun`). */
  readonly runStage: Stage;
  /** Tells how far the scenario is. */
  progress(text: string): void;
}

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
  /** Repetitions that others on the machine disturbed, in a full run after they were tried again. */
  readonly noisy?: number;
}

/** Exactly one of `atLeast` and `atMost`. */
export interface Goal {
  readonly atLeast?: number;
  readonly atMost?: number;
  /** What the best prototype reached. */
  readonly reach?: number;
  /** Beyond this, further off than the bound, something is broken, however busy the machine: it fails a quick run as well. None where a busy machine alone can do that: of times. */
  readonly broken?: number;
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
