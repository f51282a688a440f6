// The same work on servers that hold more and more of something: the last beside the first, and a curve over all.
import { stayAwake } from "../harness/awake.ts";
import { median } from "../harness/figures.ts";
import { interleave, type Subject } from "../harness/measure.ts";
import type { Context, Curve, Ratio, Result } from "../harness/scenario.ts";

export interface Growth {
  /** How many each server holds, the fewest first. */
  readonly counts: readonly number[];
  subject(context: Context, count: number): Promise<Subject>;
  readonly repetitions: number;
  /** That of the server with the most to the one with the fewest. */
  readonly ratio: Required<Pick<Ratio, "name" | "goal">>;
  readonly curve: Omit<Curve, "lines">;
  /** What is measured, as the curve's line is called. */
  readonly line: string;
}

/** All servers at the same time, which is done sooner. */
const WARM_UPS = 3;

/** Measures all of them in turns. */
export async function grow(context: Context, { counts, subject, repetitions, ratio, curve, line }: Growth): Promise<Result> {
  context.stage.after(stayAwake());
  const subjects = await Promise.all(counts.map((count) => subject(context, count)));
  for (let n = 0; n < WARM_UPS; n++) await Promise.all(subjects.map((each) => each.measure()));
  const measured = await interleave(context, subjects, { repetitions, warmUp: false });
  const [few, many] = [subjects[0] as Subject, subjects.at(-1) as Subject];
  const points = subjects.map((each, nth) => [counts[nth] as number, median(measured.ratios(each, few))] as const);
  return {
    ratios: [measured.ratio(ratio.name, many, few, ratio.goal)],
    figures: measured.figures,
    curves: [{ ...curve, lines: [{ name: line, points }] }],
  };
}
