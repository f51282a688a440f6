// From a push to the socket: with one in flight, beside a bare HTTP answer; and at fixed rates, from when each push was due.
import { apiToken } from "../../helpers/client.ts";
import { atRate, oneByOne, PADDING } from "../exchange/drive.ts";
import { stayAwake } from "../harness/awake.ts";
import { median, quantile } from "../harness/figures.ts";
import { interleave, type Subject } from "../harness/measure.ts";
import { createPusher, type Pusher } from "../harness/pusher.ts";
import type { Context, Curve, Ratio, Scenario } from "../harness/scenario.ts";
import { ACCOUNTS, bareHttp, ours, type Route, socketIo } from "../push/routes.ts";

/** At most so many requests are under way at a fixed rate. */
const PUSHERS = 64;

const alone: Scenario = {
  name: "latency-alone",
  title: "Time from a push to its arrival with one in flight, over that of a bare HTTP answer",
  async run(context) {
    const { stage, quick } = context;
    stage.after(stayAwake());
    const [push, peer, bare] = await Promise.all([ours(context), socketIo(context), bareHttp(context)]);
    const count = quick ? 400 : 1_500;
    const medians = new Map<string, number[]>();
    const subject = (name: string, pid: number, times: () => Promise<number[]>): Subject => ({
      name,
      pids: [pid],
      async measure() {
        const all = await times();
        medians.set(name, [...(medians.get(name) ?? []), median(all)]);
        return quantile(all, 0.99);
      },
    });
    const delivered = ({ name, node, receivers, take }: Route) => {
      const pusher = node.pusher();
      return subject(name, node.pid, () => oneByOne(node, pusher, receivers, ACCOUNTS[0] as string, take(count), count));
    };
    const pusher = createPusher(stage, bare.url, () => ({ authorization: `Bearer ${apiToken()}` }));
    const [mine, theirs, answer] = [delivered(push), delivered(peer), subject("bare node:http answer", bare.pid, () => answers(pusher, count))];
    const subjects = [mine, theirs, answer];
    for (let n = 0; n < 2; n++) for (const each of subjects) await each.measure();
    const measured = await interleave(context, subjects, { repetitions: quick ? 5 : 11 });
    return {
      ratios: [
        measured.ratio("p99 of a push / of a bare answer", mine, answer, { atMost: 1.5, reach: 1.2 }),
        measured.ratio("p99 of a push / of socket.io's, without authentication", mine, theirs),
      ],
      figures: [
        ...subjects.flatMap((each) => [
          { name: `${each.name}: p50`, value: median(medians.get(each.name) ?? []), unit: "ms" },
          { name: `${each.name}: p99`, value: median(measured.of(each)), unit: "ms" },
        ]),
        ...measured.figures,
      ],
    };
  },
};

async function answers(pusher: Pusher, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < count; n++) {
    const body = JSON.stringify({ accounts: [ACCOUNTS[0]], data: { n, text: PADDING } });
    const start = performance.now();
    const status = await pusher.push(body);
    times.push(performance.now() - start);
    if (status !== 200) throw new Error(`answered ${status}`);
  }
  return times;
}

const rates: Scenario = {
  name: "latency-rates",
  title: "Time from when a push was due to its arrival (p99), at fixed rates whatever the answers, beside socket.io without authentication",
  fullOnly: true,
  async run(context) {
    const { stage, quick, progress } = context;
    stage.after(stayAwake());
    const lanes = async ({ name, node, receivers, take }: Route): Promise<Lanes> => {
      const pushers = Array.from({ length: PUSHERS }, () => node.pusher());
      return { name, pid: node.pid, timesAt: (rate, count) => atRate(node, pushers, receivers, ACCOUNTS, take(count), count, rate) };
    };
    const routes = await Promise.all([ours(context).then(lanes), socketIo(context).then(lanes)]);
    const found = new Map<string, (readonly [rate: number, p50: number, p99: number])[]>(routes.map(({ name }) => [name, []]));
    const ratios: Ratio[] = [];
    for (const { timesAt } of routes) await timesAt(1_000, 2_000);
    for (const rate of quick ? [1_000] : [500, 1_000, 2_000, 4_000, 8_000]) {
      progress(`${rate} a second`);
      ratios.push(await atOneRate(context, routes, rate, found));
    }
    return { ratios, ...(quick ? {} : { curves: [curve(found)] }) };
  },
};

/** A server that is pushed to at a rate; answers how late each push arrived, ms. */
interface Lanes {
  readonly name: string;
  readonly pid: number;
  timesAt(rate: number, count: number): Promise<number[]>;
}

async function atOneRate(
  context: Context,
  routes: readonly [Lanes, Lanes],
  rate: number,
  found: ReadonlyMap<string, (readonly [number, number, number])[]>,
): Promise<Ratio> {
  const medians = new Map<Lanes, number[]>(routes.map((each) => [each, []]));
  const subject = (each: Lanes): Subject => ({
    name: each.name,
    pids: [each.pid],
    async measure() {
      const times = await each.timesAt(rate, context.quick ? 500 : Math.min(6_000, rate * 2));
      medians.get(each)?.push(median(times));
      return quantile(times, 0.99);
    },
  });
  const [mine, theirs] = routes.map(subject) as [Subject, Subject];
  const measured = await interleave(context, [mine, theirs], { warmUp: false });
  [mine, theirs].forEach((each, nth) => {
    found.get(each.name)?.push([rate, median(medians.get(routes[nth] as Lanes) ?? []), median(measured.of(each))]);
  });
  return measured.ratio(`p99 at ${rate} a second: push / socket.io`, mine, theirs);
}

function curve(found: ReadonlyMap<string, readonly (readonly [rate: number, p50: number, p99: number])[]>): Curve {
  const lines = [...found].flatMap(([name, points]) => [
    { name: `${name} p50`, points: points.map(([rate, p50]) => [rate, p50] as const) },
    { name: `${name} p99`, points: points.map(([rate, , p99]) => [rate, p99] as const) },
  ]);
  return { name: "latency", title: "From when a push was due to its arrival", x: "pushes a second", y: "ms", lines };
}

export const scenarios: readonly Scenario[] = [alone, rates];
