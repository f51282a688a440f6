// Clients whose connections are reset again and again while messages go on: how many of these they get in the end, with what their library does by itself.
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../../faults/harness/until.ts";
import type { Scenario } from "../harness/scenario.ts";
import { ours, type System, socketIo } from "./systems.ts";

const [FIRST_MS, EVERY_MS] = [500, 2_000];
const PER_SECOND = 50;
/** A library waits for longer each time that it loses its connection. */
const BACK_MS = 30_000;
/** Until what a client has missed has followed, and what comes twice has come. */
const [ARRIVE_MS, QUIET_MS] = [5_000, 300];

const drops: Scenario = {
  name: "drops",
  title: `Messages of a room that arrive, ${PER_SECOND} a second, with all of its clients' connections reset every ${EVERY_MS / 1_000} s`,
  calm: true,
  async run({ stage, quick, progress }) {
    const [clients, resets] = quick ? [50, 2] : [100, 10];
    const [mine, ...theirs] = await Promise.all([ours(stage, clients), socketIo(stage, clients, true), socketIo(stage, clients, false)]);
    const systems = [mine, ...theirs];
    // All at the same time: nobody's CPU or time is measured.
    const sent = await pushAll(systems, clients, resets, progress);
    await until("everything has come", ARRIVE_MS, () => delivered(mine, sent) === 1).catch(() => {});
    await sleep(QUIET_MS);
    for (const { name, record } of systems)
      if (record.losses < clients) throw new Error(`${name}: of ${clients} clients ${record.losses} lost their connection`);
    check(mine, sent);
    return {
      ratios: [{ name: "messages that arrive / messages that are answered for", values: [delivered(mine, sent)], goal: { atLeast: 1 } }],
      figures: [
        // Rounded down: nearly all is not all.
        ...systems.map((each) => ({ name: `${each.name}: arrived`, value: Math.floor(delivered(each, sent) * 1_000) / 10, unit: "% of the messages" })),
        { name: "messages to each client", value: sent, unit: "messages" },
        { name: "connections lost by our clients", value: mine.record.losses, unit: `connections of ${clients} clients` },
      ],
    };
  },
};

export const scenarios: readonly Scenario[] = [drops];

/** Pushes the same numbers through all, until there have been so many resets and every client is back; answers how many. */
async function pushAll(systems: readonly System[], clients: number, resets: number, progress: (text: string) => void): Promise<number> {
  const start = performance.now();
  const deadline = start + FIRST_MS + resets * EVERY_MS + BACK_MS;
  let [sent, done] = [0, 0];
  while (done < resets || systems.some(({ connected }) => connected < clients)) {
    if (performance.now() > deadline) throw new Error(`not every client is back ${BACK_MS} ms after the last reset`);
    await Promise.all(systems.map(({ push }) => push(sent)));
    sent++;
    await sleep(Math.max(0, start + (sent * 1_000) / PER_SECOND - performance.now()));
    if (done === resets || performance.now() < start + FIRST_MS + done * EVERY_MS) continue;
    await Promise.all(systems.map(cut));
    progress(`connections reset, ${++done} of ${resets}`);
  }
  return sent;
}

/** Resolves when every client that was connected knows that it is not. */
async function cut({ name, network, record, connected }: System): Promise<void> {
  const known = record.losses + connected;
  network.reset();
  await until(`the clients of ${name} notice`, BACK_MS, () => record.losses >= known);
}

/** The share of all messages to all clients that have arrived. */
function delivered({ record: { got } }: System, sent: number): number {
  return got.reduce((sum, { size }) => sum + size, 0) / (sent * got.length);
}

function check({ record: { got, twice } }: System, sent: number): void {
  const lost = got.reduce((sum, { size }) => sum + sent - size, 0);
  if (lost > 0 || twice > 0) throw new Error(`of ${sent} messages to each of ${got.length} clients ${lost} were lost and ${twice} came twice`);
}
