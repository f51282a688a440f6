// What it costs to keep what was sent: a push with history, beside one without.
import { startRedis } from "../../helpers/redis-server.ts";
import { APPLICATIONS } from "../../helpers/server.ts";
import { connectReceivers } from "../exchange/drive.ts";
import { startOurs } from "../exchange/nodes.ts";
import { stayAwake } from "../harness/awake.ts";
import { interleave, type Subject } from "../harness/measure.ts";
import type { Context, Scenario } from "../harness/scenario.ts";
import { accountNames, pushing } from "./pushing.ts";

const ACCOUNTS = accountNames(300);
const WITHOUT = APPLICATIONS.map((application) => ({ ...application, history: { messages: 0, seconds: 0 } }));

export const history: Scenario = {
  name: "history",
  title: "CPU of the node for a push that is kept, over one that is not",
  async run(context) {
    const { stage, quick } = context;
    stage.after(stayAwake());
    const redis = await startRedis(stage);
    const on = (type: string, name: string) => ({ exchange: { type: "redis", redis: redis.url, exchange_name: name }, store: { type } });
    const subjects = await Promise.all([
      subject(context, "memory, kept", {}),
      subject(context, "memory, not kept", {}, 0, WITHOUT),
      subject(context, "Redis, kept", on("redis", "on"), redis.pid),
      subject(context, "Redis, not kept", on("none", "off"), redis.pid),
    ]);
    const [kept, unkept, keptOnRedis, unkeptOnRedis] = subjects;
    for (let n = 0; n < 3; n++) for (const each of subjects) await each.measure();
    const measured = await interleave(context, subjects, { repetitions: quick ? 5 : 21 });
    return {
      ratios: [
        measured.ratio("store memory: history on / off", kept, unkept, { atMost: 1.35, reach: 1.2 }),
        measured.ratio("store and exchange on Redis: history on / off", keptOnRedis, unkeptOnRedis, { atMost: 1.35, reach: 1.2 }),
      ],
      figures: measured.figures,
    };
  },
};

async function subject(
  { stage, quick }: Context,
  name: string,
  config: Record<string, unknown>,
  brokerPid = 0,
  applications?: typeof WITHOUT,
): Promise<Subject> {
  const node = await startOurs(stage, config, applications);
  const receivers = await connectReceivers([node], ACCOUNTS);
  const push = pushing(name, { node, receivers, accounts: ACCOUNTS, pushes: quick ? 1_200 : 3_000 });
  // The broker disturbs nobody, and its CPU is not the node's.
  return { ...push, pids: brokerPid === 0 ? push.pids : [...push.pids, brokerPid] };
}
