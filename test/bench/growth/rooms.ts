// What a message to a room of ten costs when the server holds more and more rooms.
import { setTimeout as sleep } from "node:timers/promises";
import { apiToken, connectUrl, tokenFor } from "../../helpers/client.ts";
import { SECRET } from "../../helpers/server.ts";
import { PADDING } from "../exchange/drive.ts";
import { cpuUsOf } from "../harness/cpu.ts";
import type { Subject } from "../harness/measure.ts";
import { startOurs } from "../harness/processes.ts";
import { createPusher } from "../harness/pusher.ts";
import { connectReceiver } from "../harness/receiver.ts";
import type { Context, Scenario } from "../harness/scenario.ts";
import { grow } from "./grow.ts";

const MEMBERS = 10;
const CONNECTIONS = 500;
const ARRIVE_MS = 10_000;

export const rooms: Scenario = {
  name: "growth-rooms",
  title: `CPU of a message to a room of ${MEMBERS}, with more rooms on as many connections`,
  run(context) {
    const counts = context.quick ? [50, 500] : [50, 500, 5_000];
    return grow(context, {
      counts,
      subject,
      repetitions: context.quick ? 5 : 15,
      ratio: { name: `message with ${counts.at(-1)} rooms / with ${counts[0]}`, goal: { atMost: 1.2, broken: 2.5 } },
      curve: { name: "growth-rooms", title: `CPU of a message to a room of ${MEMBERS} as rooms grow`, x: "rooms", y: `CPU, over that with ${counts[0]}` },
      line: "message",
    });
  },
};

/** Connection c is in the rooms r for which r mod 50 is c / 10: ten connections share the rooms of each residue. */
async function subject({ stage, quick, progress }: Context, count: number): Promise<Subject> {
  progress(`${count} rooms`);
  const { pid, url } = await startOurs(stage, {});
  const groups = CONNECTIONS / MEMBERS;
  /** How often each message has arrived. */
  const arrived = new Map<number, number>();
  let deliveries = 0;
  for (let from = 0; from < CONNECTIONS; from += 50) await Promise.all(Array.from({ length: 50 }, (_, nth) => connect(from + nth)));
  const pushers = Array.from({ length: 16 }, () => createPusher(stage, `${url}/api/v1/messages`, () => ({ authorization: `Bearer ${apiToken()}` })));
  let next = 0;
  return { name: `message, ${count} rooms`, pids: [pid], measure };

  async function connect(c: number): Promise<void> {
    const mine = Array.from({ length: count / groups }, (_, nth) => `room_${nth * groups + Math.floor(c / MEMBERS)}`);
    const token = tokenFor(`user_${c}`, SECRET, { rooms: mine });
    await connectReceiver(stage, connectUrl(url, { token }), (text) => {
      const n = Number(/"n":(\d+)/.exec(text)?.[1]);
      arrived.set(n, (arrived.get(n) ?? 0) + 1);
      deliveries++;
    });
  }

  async function measure(): Promise<number> {
    const [first, messages] = [next, quick ? 600 : 2_000];
    next += messages;
    deliveries = 0;
    arrived.clear();
    let taken = first;
    const lane = async (pusher: (typeof pushers)[0]) => {
      while (taken < next) {
        const n = taken++;
        const status = await pusher.push(JSON.stringify({ rooms: [`room_${n % count}`], data: { n, text: PADDING } }));
        if (status !== 200) throw new Error(`a message was answered ${status}`);
      }
    };
    const us = await cpuUsOf([pid], async () => {
      await Promise.all(pushers.map(lane));
      const deadline = performance.now() + ARRIVE_MS;
      while (deliveries < messages * MEMBERS && performance.now() < deadline) await sleep(5);
    });
    const wrong = Array.from({ length: messages }, (_, nth) => arrived.get(first + nth) ?? 0).filter((times) => times !== MEMBERS);
    if (wrong.length > 0) throw new Error(`${wrong.length} of ${messages} messages have not reached ${MEMBERS} members once each`);
    return us / messages;
  }
}
