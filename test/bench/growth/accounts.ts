// What a push costs when the server remembers the streams of more and more accounts.
import { connectReceivers, PADDING } from "../exchange/drive.ts";
import { startOurs } from "../exchange/nodes.ts";
import { stayAwake } from "../harness/awake.ts";
import { median } from "../harness/figures.ts";
import { interleave, type Subject } from "../harness/measure.ts";
import type { Context, Scenario } from "../harness/scenario.ts";
import { accountNames, pushing } from "./pushing.ts";

const CONNECTED = 300;
const BATCH = 500;

export const accounts: Scenario = {
  name: "growth-accounts",
  title: "CPU of a push to a connected account, with more accounts whose streams the server keeps in memory",
  async run(context) {
    context.stage.after(stayAwake());
    const counts = context.quick ? [1_000, 20_000] : [1_000, 10_000, 100_000];
    const subjects = await Promise.all(counts.map((count) => subject(context, count)));
    for (let n = 0; n < 3; n++) for (const each of subjects) await each.measure();
    const measured = await interleave(context, subjects, { repetitions: context.quick ? 7 : 21 });
    const [few, many] = [subjects[0] as Subject, subjects.at(-1) as Subject];
    const points = subjects.map((each, nth) => [counts[nth] as number, median(measured.ratios(each, few))] as const);
    return {
      ratios: [measured.ratio(`push with ${counts.at(-1)} accounts / with ${counts[0]}`, many, few, { atMost: 1.2 })],
      figures: measured.figures,
      curves: [
        {
          name: "growth-accounts",
          title: "CPU of a push as accounts grow",
          x: "accounts with a stream",
          y: `CPU, over that with ${counts[0]}`,
          lines: [{ name: "push", points }],
        },
      ],
    };
  },
};

async function subject({ stage, quick, progress }: Context, count: number): Promise<Subject> {
  progress(`${count} accounts`);
  const node = await startOurs(stage, {});
  const all = accountNames(count);
  const receivers = await connectReceivers([node], all.slice(0, CONNECTED));
  const pusher = node.pusher("batch");
  for (let from = CONNECTED; from < count; from += BATCH) {
    const status = await pusher.push(node.batch(all.slice(from, from + BATCH).map((account) => ({ account, data: { text: PADDING } }))));
    if (status !== 200) throw new Error(`a batch was answered ${status}`);
  }
  return pushing(`push, ${count} accounts`, { node, receivers, accounts: all.slice(0, CONNECTED), pushes: quick ? 1_500 : 3_000 });
}
