// What a push costs when the server remembers the streams of more and more accounts.
import { connectReceivers, PADDING } from "../exchange/drive.ts";
import { startOurs } from "../exchange/nodes.ts";
import type { Subject } from "../harness/measure.ts";
import type { Context, Scenario } from "../harness/scenario.ts";
import { grow } from "./grow.ts";
import { accountNames, pushing } from "./pushing.ts";

const CONNECTED = 300;
const BATCH = 500;

export const accounts: Scenario = {
  name: "growth-accounts",
  title: "CPU of a push to a connected account, with more accounts whose streams the server keeps in memory",
  fullOnly: true,
  run(context) {
    const counts = context.quick ? [1_000, 10_000] : [1_000, 10_000, 100_000];
    return grow(context, {
      counts,
      subject,
      repetitions: context.quick ? 5 : 21,
      ratio: { name: `push with ${counts.at(-1)} accounts / with ${counts[0]}`, goal: { atMost: 1.2, broken: 2.5 } },
      curve: { name: "growth-accounts", title: "CPU of a push as accounts grow", x: "accounts with a stream", y: `CPU, over that with ${counts[0]}` },
      line: "push",
    });
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
