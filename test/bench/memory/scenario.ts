// What an idle connection with a token costs: memory, beside bare ws and socket.io, and CPU time while nothing but pings is sent.
import { setTimeout as sleep } from "node:timers/promises";
import { cpuUsOf } from "../harness/cpu.ts";
import { median } from "../harness/figures.ts";
import { startOurs } from "../harness/processes.ts";
import type { Context, Goal, Result, Scenario } from "../harness/scenario.ts";
import { connectIdle } from "./idle-clients.ts";
import { BARE, bytesPerConnection, CLASSIC, type Kind, SOCKET_IO, V2 } from "./servers.ts";

/** Goals of an idle connection: bytes of memory; µs of CPU a second with a ping every 25 s. */
const [BYTES, IDLE_US] = [8_192, 2];
/** As a server has it that nothing has been set for. */
const PING_SECONDS = 25;
/** Until a server that has just started is at rest. */
const REST_MS = 500;

const memory: Scenario = { name: "memory", title: "Resident memory of the server for each idle connection that has shown a token", calm: true, run: runMemory };
const idleCpu: Scenario = { name: "idle-cpu", title: "CPU time of the server for each idle connection, with a ping every 25 s", calm: true, run: runIdleCpu };

export const scenarios: readonly Scenario[] = [memory, idleCpu];

async function runMemory({ stage, quick, progress }: Context): Promise<Result> {
  const [first, count, repetitions] = quick ? [1_000, 4_000, 1] : [2_000, 10_000, 3];
  // A classic connection keeps as much as one of v2.
  const kinds: readonly Kind[] = quick ? [BARE, V2, SOCKET_IO] : [BARE, V2, SOCKET_IO, CLASSIC];
  const bytes = new Map<Kind, number[]>(kinds.map((kind) => [kind, []]));
  // Memory does not mind who else is at work: two at a time, where a process may open as many connections.
  const together = quick ? 2 : 1;
  for (let nth = 0; nth < repetitions; nth++) {
    for (let from = 0; from < kinds.length; from += together)
      await Promise.all(kinds.slice(from, from + together).map(async (kind) => bytes.get(kind)?.push(await bytesPerConnection(stage, kind, first, count))));
    progress(`${nth + 1} of ${repetitions}`);
  }
  const of = (kind: Kind) => bytes.get(kind) ?? [];
  const ratio = (name: string, one: Kind, other: Kind, goal: Goal) => ({
    name,
    values: of(one).map((value, nth) => value / (of(other)[nth] ?? Number.NaN)),
    goal,
  });
  return {
    ratios: [
      ...(quick ? [] : [ratio("classic / bare ws", CLASSIC, BARE, { atMost: 1.25, reach: 1.1, broken: 3 })]),
      ratio("v2 / bare ws", V2, BARE, { atMost: 1.25, reach: 1.1, broken: 3 }),
      ratio("v2 / socket.io", V2, SOCKET_IO, { atMost: 0.55, reach: 0.42, broken: 1 }),
      { name: `v2 / ${BYTES} bytes`, values: of(V2).map((value) => value / BYTES), goal: { atMost: 1, broken: 2 } },
    ],
    figures: kinds.map((kind) => ({ name: `memory, ${kind.name}`, value: Math.round(median(of(kind))), unit: "bytes per connection" })),
  };
}

/** The server's time with its connections, less that of the same server without any. */
async function runIdleCpu({ stage, quick, progress }: Context): Promise<Result> {
  // In a quick run a ping comes more often, and counts as much less.
  const [count, seconds, periods] = quick ? [3_000, 1, 2] : [8_000, PING_SECONDS, 3];
  const config = { exchange: { type: "local" }, store: { type: "memory" }, ping: { seconds, missed: 100 } };
  const { pid, url } = await startOurs(stage, config);
  const watch = (ms: number) => cpuUsOf([pid], () => sleep(ms));
  const [aloneMs, periodMs] = [quick ? 500 : 5_000, seconds * 1_000];
  // What the engine compiles and collects after the start is not to be taken for the server's idling.
  await sleep(REST_MS);
  const aloneUs = (await watch(aloneMs)) / aloneMs;
  const clients = await connectIdle(stage, { ...V2.client, port: Number(new URL(url).port), count });
  await sleep(quick ? periodMs : 5_000);
  const values: number[] = [];
  for (let nth = 0; nth < periods; nth++) {
    const before = clients.pings;
    const us = (await watch(periodMs)) - aloneUs * periodMs;
    const pings = clients.pings - before;
    // The server's timer has steps of a quarter of a second: some come up to that much later.
    if (pings < count * 0.7) throw new Error(`${pings} pings for ${count} connections in ${seconds} s`);
    values.push(us / pings / PING_SECONDS);
    progress(`${nth + 1} of ${periods}`);
  }
  return {
    ratios: [{ name: `idle v2 connection, µs a second / ${IDLE_US}`, values: values.map((value) => value / IDLE_US), goal: { atMost: 1, broken: 2 } }],
    figures: [{ name: "idle connection", value: median(values), unit: "µs of CPU a second" }],
  };
}
