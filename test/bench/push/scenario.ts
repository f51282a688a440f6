// Pushes for a second of server CPU: one a request beside bare node:http and socket.io, and many a request beside one.
import { stayAwake } from "../harness/awake.ts";
import { median, round } from "../harness/figures.ts";
import { interleave, type Measured } from "../harness/measure.ts";
import type { Context, Figure, Scenario } from "../harness/scenario.ts";
import { BATCH, bareHttp, ours, type Pushing, socketIo } from "./subjects.ts";

/** Many short repetitions: what disturbs one of them is outvoted. */
const scaleOf = ({ quick }: Context) => (quick ? { repetitions: 7, pushes: 2_000 } : { repetitions: 25, pushes: 3_000 });

const push: Scenario = {
  name: "push",
  title: "Pushes with every check, each received by its account, per second of server CPU",
  async run(context) {
    context.stage.after(stayAwake());
    const { repetitions, pushes } = scaleOf(context);
    const [bare, peer, [single]] = [await bareHttp(context.stage, pushes), await socketIo(context.stage, pushes), await ours(context.stage, pushes)];
    const subjects = [bare, peer, single];
    for (const each of subjects) await each.warmUp();
    const measured = await interleave(context, subjects, { repetitions });
    return {
      ratios: [
        measured.ratio("push / bare node:http that answers as much", single, bare, { atLeast: 0.35, reach: 0.45 }, "inverse"),
        measured.ratio("push / socket.io's, without authentication", single, peer, { atLeast: 0.95, reach: 1.2 }, "inverse"),
        measured.ratio("socket.io's push / bare node:http", peer, bare, undefined, "inverse"),
      ],
      figures: costs(measured, subjects),
    };
  },
};

const batch: Scenario = {
  name: "batch",
  title: `Pushes in batches of ${BATCH}, each received by its account, per second of server CPU`,
  async run(context) {
    context.stage.after(stayAwake());
    const { repetitions, pushes } = scaleOf(context);
    const subjects = await ours(context.stage, pushes);
    const [single, many] = subjects;
    for (const each of subjects) await each.warmUp();
    const measured = await interleave(context, subjects, { repetitions });
    return {
      ratios: [measured.ratio(`pushes in batches of ${BATCH} / one a request`, many, single, { atLeast: 3, reach: 4 }, "inverse")],
      figures: costs(measured, subjects),
    };
  },
};

function costs(measured: Measured, subjects: readonly Pushing[]): Figure[] {
  return [...subjects.map((each) => ({ name: each.name, value: round(median(measured.of(each))), unit: "µs of CPU for a push" })), ...measured.figures];
}

export const scenarios: readonly Scenario[] = [push, batch];
