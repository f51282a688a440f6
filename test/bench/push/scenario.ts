// Pushes for a second of server CPU: one a request beside bare node:http and socket.io, and many a request beside one.
import { stayAwake } from "../harness/awake.ts";
import { median, round } from "../harness/figures.ts";
import { interleave, type Measured } from "../harness/measure.ts";
import type { Context, Figure, Scenario } from "../harness/scenario.ts";
import { bareHttp, ours, socketIo } from "./routes.ts";
import { answering, BATCH, batches, type Pushing, single } from "./subjects.ts";

/** Many short repetitions: what disturbs one of them is outvoted. */
const scaleOf = ({ quick }: Context) => (quick ? { repetitions: 5, pushes: 2_000 } : { repetitions: 25, pushes: 3_000 });

const push: Scenario = {
  name: "push",
  title: "Pushes with every check, each received by its account, per second of server CPU",
  async run(context) {
    context.stage.after(stayAwake());
    const { repetitions, pushes } = scaleOf(context);
    const [http, theirs, mine] = await Promise.all([bareHttp(context), socketIo(context), ours(context)]);
    const [bare, peer, push] = [answering(context.stage, http, pushes), single(theirs, pushes), single(mine, pushes)];
    const subjects = [bare, peer, push];
    await Promise.all(subjects.map((each) => each.warmUp()));
    const measured = await interleave(context, subjects, { repetitions });
    return {
      ratios: [
        measured.ratio("push / bare node:http that answers as much", push, bare, { atLeast: 0.35, reach: 0.45, broken: 0.18 }, "inverse"),
        measured.ratio("push / socket.io's, without authentication", push, peer, { atLeast: 0.95, reach: 1.2, broken: 0.35 }, "inverse"),
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
    const route = await ours(context);
    // As long, not as many.
    const [one, many] = [single(route, pushes), batches(route, 3 * pushes)];
    const subjects = [one, many];
    await Promise.all(subjects.map((each) => each.warmUp()));
    const measured = await interleave(context, subjects, { repetitions });
    return {
      ratios: [measured.ratio(`pushes in batches of ${BATCH} / one a request`, many, one, { atLeast: 3, reach: 4, broken: 1.5 }, "inverse")],
      figures: costs(measured, subjects),
    };
  },
};

function costs(measured: Measured, subjects: readonly Pushing[]): Figure[] {
  return [...subjects.map((each) => ({ name: each.name, value: round(median(measured.of(each))), unit: "µs of CPU for a push" })), ...measured.figures];
}

export const scenarios: readonly Scenario[] = [push, batch];
