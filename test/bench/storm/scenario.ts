// A reconnect storm: how long until those who were cut off at once are back, beside bare ws.
import { tokenFor } from "../../helpers/client.ts";
import { type Server, startBareWs, startOurs } from "../connect/subjects.ts";
import { cpuUsOf } from "../harness/cpu.ts";
import { median } from "../harness/figures.ts";
import { interleave, type Subject } from "../harness/measure.ts";
import type { Context, Scenario } from "../harness/scenario.ts";
import { openClients } from "./storm.ts";

const IN_FLIGHT = 256;

const storm: Scenario = {
  name: "storm",
  title: "Every client is cut off at once and connects again: time until 99 % are back",
  async run(context) {
    // Those of both servers are open at once, in one process.
    const count = context.quick ? 1_000 : 8_000;
    const [bare, server] = await Promise.all([startBareWs(context), startOurs(context)]);
    const tokens = Array.from({ length: count }, (_, n) => tokenFor(`user_${n}`));
    const reference = await subject(context, "bare ws", bare, count, () => "/ws/connect");
    const ours = await subject(context, "ours", server, count, (n) => `/ws/connect?app_id=test&token=${tokens[n]}`);
    const subjects = [ours.wall, reference.wall];
    const measured = await interleave(context, subjects);
    const cpu = (each: typeof ours) => ({ name: `${each.wall.name}: server CPU of one that is cut off and comes back`, value: median(each.cpuUs), unit: "µs" });
    return {
      ratios: [measured.ratio(`time until 99 % of ${count} are back, each with its token / bare ws`, ours.wall, reference.wall, { atMost: 2, reach: 1.4 })],
      figures: [
        ...subjects.map((each) => ({ name: `${each.name}: until 99 % are back`, value: median(measured.of(each)), unit: "ms" })),
        cpu(ours),
        cpu(reference),
        ...measured.figures,
      ],
    };
  },
};

export const scenarios: readonly Scenario[] = [storm];

async function subject({ stage, progress }: Context, name: string, { pid, port }: Server, count: number, path: (n: number) => string) {
  progress(`${count} connect to ${name}`);
  const clients = await openClients({ port, count, inFlight: IN_FLIGHT, path });
  stage.after(() => clients.close());
  const cpuUs: number[] = [];
  const wall: Subject = {
    name,
    pids: [pid],
    async measure() {
      let ms = 0;
      const us = await cpuUsOf([pid], async () => (ms = await clients.dropAll()));
      cpuUs.push(us / count);
      return ms;
    },
  };
  return { wall, cpuUs };
}
