// One message to everyone, compressed once for all sockets, beside the same without compression, and beside ws, which compresses for each.
import { setTimeout as sleep } from "node:timers/promises";
import { apiToken, tokenFor } from "../../helpers/client.ts";
import { SECRET } from "../../helpers/server.ts";
import { openReaders } from "../fanout/readers.ts";
import { stayAwake } from "../harness/awake.ts";
import { cpuUsOf } from "../harness/cpu.ts";
import { interleave, type Subject } from "../harness/measure.ts";
import { startOurs, startScript } from "../harness/processes.ts";
import { createPusher, type Pusher } from "../harness/pusher.ts";
import type { Context, Result, Scenario } from "../harness/scenario.ts";
import type { Stage } from "../harness/stage.ts";

const OFFER = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
const V2 = "Sec-WebSocket-Protocol: xlvein.v2.json\r\n";
/** Messages under way at most, so that no socket's buffers fill. */
const WINDOW = 4;
/** A text as applications send them: 480 bytes as a message. */
const DATA = {
  type: "order.updated",
  order: { id: 184_467, state: "shipped", carrier: "DHL", tracking: "JVGL0601 2345 6789", total: { amount: 129.9, currency: "EUR" } },
  text: "Your order has been shipped and will be delivered within the next two working days.",
};

/** Both of one server, which is measured in turns. */
const APPLICATIONS = ["plain", "compressed"].map((app_key) => ({ app_key, app_secret: SECRET, deflate: true }));

interface Scale {
  readonly sockets: number;
  readonly messages: number;
}

const deflate: Scenario = {
  name: "deflate",
  title: "One message to everyone with permessage-deflate, delivered per second of server CPU",
  run,
};

export const scenarios: readonly Scenario[] = [deflate];

async function run(context: Context): Promise<Result> {
  const { stage, quick } = context;
  const scale = quick ? { sockets: 500, messages: 30 } : { sockets: 1_000, messages: 150 };
  const endAwake = stayAwake();
  stage.after(endAwake);
  const server = await startOurs(stage, { exchange: { type: "local" }, store: { type: "memory" } }, APPLICATIONS);
  const plain = await ours(stage, "plain", server, scale, "");
  const deflated = await ours(stage, "compressed", server, scale, OFFER);
  // Takes ten times as long for each, and has no goal.
  const peers = quick ? [] : [await wsAlone(stage, { ...scale, messages: Math.ceil(scale.messages / 10) })];
  for (let n = 0; n < 3; n++) for (const each of [plain, deflated]) await each.measure();
  for (const peer of peers) await peer.measure();
  const measured = await interleave(context, [plain, deflated, ...peers], { repetitions: quick ? 3 : 7, warmUp: false });
  endAwake();
  return {
    ratios: [
      measured.ratio("compressed once for all / plain", deflated, plain, { atLeast: 0.85, reach: 0.95, broken: 0.4 }, "inverse"),
      ...peers.map((peer) => measured.ratio("compressed once for all / ws, which compresses for each", deflated, peer, undefined, "inverse")),
    ],
    figures: measured.figures,
  };
}

/** Every client is one of v2 in an application that compresses; those of `plain` do not offer it. */
async function ours(stage: Stage, app: string, { pid, url }: { pid: number; url: string }, scale: Scale, offer: string): Promise<Subject> {
  const pusher = createPusher(stage, `${url}/api/v1/messages`, () => ({ authorization: `Bearer ${apiToken(app)}` }));
  const path = `/ws/connect?app_id=${app}&token=${tokenFor("user")}`;
  return broadcast(stage, app, { pid, port: Number(new URL(url).port), path, headers: `${V2}${offer}` }, scale, pusher, () =>
    JSON.stringify({ everyone: true, data: DATA }),
  );
}

async function wsAlone(stage: Stage, scale: Scale): Promise<Subject> {
  const { pid, port } = await startScript(stage, new URL("./ws.ts", import.meta.url));
  const pusher = createPusher(stage, `http://127.0.0.1:${port}/`, () => ({}));
  const text = JSON.stringify({
    event: 1,
    data: DATA,
    msg_id: "0199d3f0-7a3e-7cc4-b1ab-6f0c5d2a9e12",
    send_at: 1_795_412_345_678,
    epoch: "k3vZ8Qa1.0",
    offset: 1,
  });
  return broadcast(stage, "ws", { pid, port, path: "/", headers: OFFER }, scale, pusher, () => text);
}

interface Server {
  readonly pid: number;
  readonly port: number;
  readonly path: string;
  readonly headers: string;
}

/** `measure` answers the server's CPU time for each message and socket, µs. */
async function broadcast(stage: Stage, name: string, server: Server, { sockets, messages }: Scale, pusher: Pusher, body: () => string): Promise<Subject> {
  const readers = await openReaders(server.port, sockets, server.path, "", server.headers);
  stage.after(() => readers.close());
  await sleep(300);
  return {
    name,
    pids: [server.pid],
    async measure() {
      let received = 0;
      let wake = () => {};
      readers.expect(1, () => {
        received++;
        wake();
      });
      const us = await cpuUsOf([server.pid], async () => {
        for (let sent = 1; sent <= messages; sent++) {
          const status = await pusher.push(body());
          if (status !== 200) throw new Error(`${name}: answered ${status}`);
          while (sent - received >= WINDOW) await new Promise<void>((resolve) => (wake = resolve));
        }
        while (received < messages) await new Promise<void>((resolve) => (wake = resolve));
      });
      await sleep(50);
      const { fewest, most } = readers.counts();
      if (fewest !== messages || most !== messages) throw new Error(`${name}: of ${messages} messages a socket got ${fewest} to ${most}`);
      return us / messages / sockets;
    },
  };
}
