// What it costs to keep what was sent: a push with history, beside one without.
import { startRedis } from "../../helpers/redis-server.ts";
import { SECRET } from "../../helpers/server.ts";
import { connectReceivers } from "../exchange/drive.ts";
import { type Node, nodeOf, startOurs } from "../exchange/nodes.ts";
import { stayAwake } from "../harness/awake.ts";
import { interleave, type Subject } from "../harness/measure.ts";
import { startOurs as startProcess } from "../harness/processes.ts";
import type { Context, Scenario } from "../harness/scenario.ts";
import { accountNames, pushing } from "./pushing.ts";

const ACCOUNTS = accountNames(300);
/** Both of one server, which is measured in turns. */
const APPLICATIONS = [
  { app_key: "kept", app_secret: SECRET },
  { app_key: "unkept", app_secret: SECRET, history: { messages: 0, seconds: 0 } },
];

export const history: Scenario = {
  name: "history",
  title: "CPU of the node for a push that is kept, over one that is not",
  async run(context) {
    const { stage, quick } = context;
    stage.after(stayAwake());
    const redis = await startRedis(stage);
    const on = (type: string, name: string) => startOurs(stage, { exchange: { type: "redis", redis: redis.url, exchange_name: name }, store: { type } });
    const [inMemory, onRedis, withoutStore] = await Promise.all([startProcess(stage, {}, APPLICATIONS), on("redis", "on"), on("none", "off")]);
    const subjects = await Promise.all([
      subject(context, "memory, kept", nodeOf(stage, inMemory, "kept")),
      subject(context, "memory, not kept", nodeOf(stage, inMemory, "unkept")),
      subject(context, "Redis, kept", onRedis, redis.pid),
      subject(context, "Redis, not kept", withoutStore, redis.pid),
    ]);
    const [kept, unkept, keptOnRedis, unkeptOnRedis] = subjects;
    for (let n = 0; n < 3; n++) await Promise.all(subjects.map((each) => each.measure()));
    const measured = await interleave(context, subjects, { repetitions: quick ? 3 : 21, warmUp: false });
    return {
      ratios: [
        measured.ratio("store memory: history on / off", kept, unkept, { atMost: 1.35, reach: 1.2, broken: 2.5 }),
        measured.ratio("store and exchange on Redis: history on / off", keptOnRedis, unkeptOnRedis, { atMost: 1.35, reach: 1.2, broken: 2.5 }),
      ],
      figures: measured.figures,
    };
  },
};

async function subject({ quick }: Context, name: string, node: Node, brokerPid = 0): Promise<Subject> {
  const receivers = await connectReceivers([node], ACCOUNTS);
  const push = pushing(name, { node, receivers, accounts: ACCOUNTS, pushes: quick ? 1_200 : 3_000 });
  // The broker disturbs nobody, and its CPU is not the node's.
  return { ...push, pids: brokerPid === 0 ? push.pids : [...push.pids, brokerPid] };
}
