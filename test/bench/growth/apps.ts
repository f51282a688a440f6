// What a push costs when the same connections belong to one application, and to many.
import { apiToken, connectUrl } from "../../helpers/client.ts";
import { SECRET } from "../../helpers/server.ts";
import { allArrived, PADDING, type Receivers } from "../exchange/drive.ts";
import { cpuUsOf } from "../harness/cpu.ts";
import type { Subject } from "../harness/measure.ts";
import { startOurs } from "../harness/processes.ts";
import { createPusher } from "../harness/pusher.ts";
import { connectReceiver } from "../harness/receiver.ts";
import type { Context, Scenario } from "../harness/scenario.ts";
import { grow } from "./grow.ts";

/** Each pushes to accounts of its own, all of one application; as many, however many applications there are. */
const PUSHERS = 100;

export const apps: Scenario = {
  name: "growth-apps",
  title: "CPU of a push with more applications; connections, and those who push, are as many",
  run(context) {
    const counts = context.quick ? [1, 100] : [1, 10, 100];
    return grow(context, {
      counts,
      subject,
      repetitions: context.quick ? 5 : 25,
      ratio: { name: "push with 100 applications / with one", goal: { atMost: 1.05, broken: 2 } },
      curve: { name: "growth-apps", title: "CPU of a push as applications grow", x: "applications", y: "CPU, over that with one" },
      line: "push",
    });
  },
};

async function subject({ stage, quick }: Context, count: number): Promise<Subject> {
  const secretOf = (app: string) => `${SECRET}${app}`;
  const keys = Array.from({ length: count }, (_, n) => `app_${String(n).padStart(3, "0")}`);
  const appOf = (n: number) => keys[n % count] as string;
  const applications = keys.map((app_key) => ({ app_key, app_secret: secretOf(app_key) }));
  const { pid, url } = await startOurs(stage, {}, applications);
  const receivers: Receivers = { arrived: new Map(), twice: 0, onArrival() {} };
  const connections = quick ? 500 : 2_000;
  for (let from = 0; from < connections; from += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, nth) => connect(from + nth)));
  }
  const pushers = Array.from({ length: PUSHERS }, (_, n) =>
    createPusher(stage, `${url}/api/v1/messages`, () => ({ authorization: `Bearer ${apiToken(appOf(n), secretOf(appOf(n)))}` })),
  );
  let next = 0;
  return { name: `push, ${count} applications`, pids: [pid], measure };

  async function connect(n: number): Promise<void> {
    const app = appOf(n);
    await connectReceiver(stage, connectUrl(url, { app, account: `user_${n}`, secret: secretOf(app) }), (text) => {
      const number = Number(/"n":(\d+)/.exec(text)?.[1]);
      if (receivers.arrived.has(number)) receivers.twice++;
      receivers.arrived.set(number, 0);
    });
  }

  async function measure(): Promise<number> {
    const [first, pushes] = [next, quick ? 1_500 : 3_000];
    next += pushes;
    const push = async (pusher: (typeof pushers)[0], lane: number) => {
      for (let nth = lane; nth < pushes; nth += PUSHERS) {
        const status = await pusher.push(JSON.stringify({ accounts: [`user_${nth % connections}`], data: { n: first + nth, text: PADDING } }));
        if (status !== 200) throw new Error(`a push was answered ${status}`);
      }
    };
    const us = await cpuUsOf([pid], async () => {
      await Promise.all(pushers.map(push));
      await allArrived(receivers, first, pushes);
    });
    return us / pushes;
  }
}
