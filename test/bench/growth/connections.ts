// What a push costs as the server has more connections, beside what a bare loop of writes pays for as many.
import { connectReceivers } from "../exchange/drive.ts";
import { startOurs } from "../exchange/nodes.ts";
import { stayAwake } from "../harness/awake.ts";
import { median } from "../harness/figures.ts";
import { interleave, type Subject } from "../harness/measure.ts";
import type { Curve, Figure, Scenario } from "../harness/scenario.ts";
import { startLoop } from "./loop.ts";
import { accountNames, pushing } from "./pushing.ts";

/** Messages of the loop, to all sockets together, in a repetition. */
const LOOP_MESSAGES = { quick: 30_000, full: 300_000 };

const WARM_UP = 12_000;

export const connections: Scenario = {
  name: "growth-connections",
  title: "CPU of a push with more connections, over what a loop of socket.write pays for more sockets",
  async run(context) {
    const { stage, quick, progress } = context;
    const steps = quick ? [1_000, 2_000] : [1_000, 2_000, 5_000, 10_000, 15_000];
    stage.after(stayAwake());
    const messages = LOOP_MESSAGES[quick ? "quick" : "full"];
    const [node, ...loops] = await Promise.all([startOurs(stage, {}), ...steps.map((count) => startLoop(stage, count, Math.ceil(messages / count)))]);
    const pushers = Array.from({ length: 32 }, () => node.pusher());
    const all = accountNames(steps.at(-1) as number);
    const receivers = await connectReceivers([node], all.slice(0, steps[0]));
    // What the engine has not compiled yet would make the first step dearer than the others.
    await pushing("warm-up", { node, receivers, accounts: all.slice(0, steps[0]), pushes: WARM_UP, pushers }).measure();
    const rows: { count: number; push: readonly number[]; loop: readonly number[]; noisy: number }[] = [];
    let figures: readonly Figure[] = [];
    for (const [nth, count] of steps.entries()) {
      progress(`${count} connections`);
      await connectReceivers([node], all.slice(rows.at(-1)?.count ?? count, count), receivers);
      const loop = loops[nth] as Subject;
      const push = pushing(`push, ${count} connections`, { node, receivers, accounts: all.slice(0, count), pushes: quick ? 2_000 : 10_000, pushers });
      await push.measure();
      const measured = await interleave(context, [push, loop]);
      rows.push({ count, push: measured.of(push), loop: measured.of(loop), noisy: measured.noisy });
      figures = measured.figures;
    }
    const [least, most] = [rows[0] as (typeof rows)[0], rows.at(-1) as (typeof rows)[0]];
    const growth = (row: typeof least, nth: number) => (row.push[nth] as number) / (row.loop[nth] as number);
    return {
      ratios: [
        {
          name: `push at ${most.count} / at ${least.count} connections, over the loop's own growth`,
          values: most.push.map((_, nth) => growth(most, nth) / growth(least, nth)),
          noisy: Math.max(least.noisy, most.noisy),
          goal: { atMost: 1.2, reach: 1.05, broken: 2.5 },
        },
        { name: `push at ${most.count} / at ${least.count} connections`, values: most.push.map((us, nth) => us / (least.push[nth] as number)) },
        { name: `loop at ${most.count} / at ${least.count} sockets`, values: most.loop.map((us, nth) => us / (least.loop[nth] as number)) },
      ],
      figures,
      curves: [curve(rows, least)],
    };
  },
};

function curve(
  rows: readonly { count: number; push: readonly number[]; loop: readonly number[] }[],
  least: { push: readonly number[]; loop: readonly number[] },
): Curve {
  const line = (name: "push" | "loop") => ({ name, points: rows.map((row) => [row.count, median(row[name]) / median(least[name])] as const) });
  return {
    name: "growth-connections",
    title: "CPU of a push, and of one write of a bare loop, as connections grow",
    x: "connections",
    y: `CPU, over that at ${rows[0]?.count}`,
    lines: [line("push"), line("loop")],
  };
}
