// One message to many sockets of one process, and many messages to each of them in one turn.
import { median } from "../harness/figures.ts";
import { interleave, type Measured, type Subject } from "../harness/measure.ts";
import type { Context, Figure, Scenario } from "../harness/scenario.ts";
import { BURST, type Way } from "./messages.ts";
import { hubOf, type Server, startSocketIo, way } from "./servers.ts";

const SOCKETS = 1_000;
/** Messages to every socket in a repetition: so many that each way takes about as long, since some take several times as long for one. */
const scaleOf = ({ quick }: Context) =>
  quick ? { single: 60, slow: 30, burst: 300, slowBurst: 40 } : { single: 200, slow: 100, burst: 1_500, slowBurst: 300 };
/** Messages to every socket until the engine has compiled how the hub writes them, and until it has compiled any other way. */
const [WARM_HUB, WARM] = [300, 60];

const fanout: Scenario = {
  name: "fanout",
  title: "One message to a room of 1,000 sockets, delivered per second of server CPU",
  async run(context) {
    const { single, slow } = scaleOf(context);
    const [ours, peer] = await Promise.all([hubOf(context, SOCKETS), startSocketIo(context.stage, SOCKETS)]);
    const hub = way("hub", ours, "hub", { messages: single });
    const raw = way("socket.write of one frame", ours, "raw", { messages: single });
    const socketIo = way("socket.io room emit", peer, "socketio", { messages: slow });
    const ws = way("ws.send of one text", ours, "ws", { messages: slow });
    const subjects = context.quick ? [hub, raw, socketIo] : [hub, raw, socketIo, ws];
    await warmUp(ours, ["hub", "raw", ...(context.quick ? [] : ["ws" as const])]);
    await warmUp(peer, ["socketio"]);
    const measured = await interleave(context, subjects, { warmUp: false });
    return {
      ratios: [
        measured.ratio("hub / raw loop of socket.write(one frame)", hub, raw, { atLeast: 0.9, reach: 0.97, broken: 0.45 }),
        measured.ratio("hub / socket.io room emit", hub, socketIo, { atLeast: 1.9, reach: 2.2, broken: 0.9 }),
        ...(context.quick ? [] : [measured.ratio("hub / ws.send(text)", hub, ws)]),
      ],
      figures: rates(measured, subjects),
    };
  },
};

const burst: Scenario = {
  name: "burst",
  title: `${BURST} messages for each of 1,000 sockets in one turn of the event loop, delivered per second of server CPU`,
  async run(context) {
    const { burst: messages, slowBurst } = scaleOf(context);
    const server = await hubOf(context, SOCKETS);
    const hub = way("hub", server, "hub", { messages, burst: BURST });
    const ws = way("ws.send of each text", server, "ws", { messages: slowBurst, burst: BURST });
    const raw = way("socket.write of each frame", server, "raw", { messages: slowBurst, burst: BURST });
    const joined = way("socket.write of all frames in one piece", server, "joined", { messages, burst: BURST });
    const subjects = context.quick ? [hub, ws] : [hub, ws, raw, joined];
    await warmUp(server, context.quick ? ["hub", "ws"] : ["hub", "ws", "raw", "joined"], BURST);
    const measured = await interleave(context, subjects, { warmUp: false });
    return {
      ratios: [
        measured.ratio(`hub / ${BURST} × ws.send(text)`, hub, ws, { atLeast: 8, reach: 12, broken: 3 }),
        ...(context.quick
          ? []
          : [
              measured.ratio(`hub / ${BURST} × socket.write(frame)`, hub, raw),
              measured.ratio("hub / one write of a piece made once for all: the most that is possible", hub, joined),
            ]),
      ],
      figures: rates(measured, subjects),
    };
  },
};

/** What the engine has not compiled yet would be measured as if it stayed so. */
async function warmUp(server: Server, ways: readonly Way[], burst = 1): Promise<void> {
  for (const each of ways) await way(each, server, each, { messages: each === "hub" ? WARM_HUB : WARM, burst }).measure();
}

function rates(measured: Measured, subjects: readonly Subject[]): Figure[] {
  return [
    ...subjects.map((subject) => ({ name: subject.name, value: median(measured.of(subject)) / 1_000, unit: "k messages per CPU second" })),
    ...measured.figures,
  ];
}

export const scenarios: readonly Scenario[] = [fanout, burst];
