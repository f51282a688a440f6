// One message to many sockets of one process, and many messages to each of them in one turn.
import { median } from "../harness/figures.ts";
import { interleave, type Measured, type Subject } from "../harness/measure.ts";
import type { Context, Figure, Scenario } from "../harness/scenario.ts";
import { BURST } from "./messages.ts";
import { startHub, startSocketIo, way } from "./servers.ts";

/** Messages to every socket in a repetition. */
const scaleOf = ({ quick }: Context) => (quick ? { sockets: 1_000, single: 40, burst: 100 } : { sockets: 1_000, single: 150, burst: 600 });

const fanout: Scenario = {
  name: "fanout",
  title: "One message to a room of 1,000 sockets, delivered per second of server CPU",
  async run(context) {
    const { sockets, single } = scaleOf(context);
    const [ours, peer] = await Promise.all([startHub(context.stage, sockets), startSocketIo(context.stage, sockets)]);
    const work = { messages: single };
    const hub = way("hub", ours, "hub", work);
    const raw = way("socket.write of one frame", ours, "raw", work);
    const ws = way("ws.send of one text", ours, "ws", work);
    const socketIo = way("socket.io room emit", peer, "socketio", work);
    // What the engine has not compiled yet would be measured as if it stayed so.
    for (let n = 0; n < 3; n++) for (const each of [hub, raw]) await each.measure();
    const measured = await interleave(context, [hub, raw, ws, socketIo]);
    return {
      ratios: [
        measured.ratio("hub / raw loop of socket.write(one frame)", hub, raw, { atLeast: 0.9, reach: 0.97 }),
        measured.ratio("hub / socket.io room emit", hub, socketIo, { atLeast: 1.9, reach: 2.2 }),
        measured.ratio("hub / ws.send(text)", hub, ws),
      ],
      figures: rates(measured, [hub, raw, ws, socketIo]),
    };
  },
};

const burst: Scenario = {
  name: "burst",
  title: `${BURST} messages for each of the sockets in one turn of the event loop, delivered per second of server CPU`,
  async run(context) {
    const { sockets, burst: messages } = scaleOf(context);
    const server = await startHub(context.stage, sockets);
    const work = { messages, burst: BURST };
    const hub = way("hub", server, "hub", work);
    const ws = way("ws.send of each text", server, "ws", work);
    const raw = way("socket.write of each frame", server, "raw", work);
    const joined = way("socket.write of all frames in one piece", server, "joined", work);
    for (let n = 0; n < 3; n++) await hub.measure();
    const measured = await interleave(context, context.quick ? [hub, ws] : [hub, ws, raw, joined]);
    return {
      ratios: [
        measured.ratio(`hub / ${BURST} × ws.send(text)`, hub, ws, { atLeast: 8, reach: 12 }),
        ...(context.quick
          ? []
          : [
              measured.ratio(`hub / ${BURST} × socket.write(frame)`, hub, raw),
              measured.ratio("hub / one write of a piece made once for all: the most that is possible", hub, joined),
            ]),
      ],
      figures: rates(measured, context.quick ? [hub, ws] : [hub, ws, raw, joined]),
    };
  },
};

function rates(measured: Measured, subjects: readonly Subject[]): Figure[] {
  return [
    ...subjects.map((subject) => ({ name: subject.name, value: median(measured.of(subject)) / 1_000, unit: "k messages per CPU second" })),
    ...measured.figures,
  ];
}

export const scenarios: readonly Scenario[] = [fanout, burst];
