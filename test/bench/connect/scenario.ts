// Handshakes with a token for a second of server CPU, beside those of bare ws and of socket.io with the same authentication.
import { stayAwake } from "../harness/awake.ts";
import { interleave } from "../harness/measure.ts";
import type { Context, Result, Scenario } from "../harness/scenario.ts";
import { bareWs, bareWsWithToken, ours, socketIo } from "./subjects.ts";

const connect: Scenario = {
  name: "connect",
  title: "Handshakes per second of server CPU: a client connects, is let in, and resets the connection",
  run,
};

export const scenarios: readonly Scenario[] = [connect];

async function run(context: Context): Promise<Result> {
  const { stage, quick } = context;
  const count = quick ? 500 : 2_000;
  const endAwake = stayAwake();
  stage.after(endAwake);
  const [bare, least, peer, { classic, v2, again }] = await Promise.all([
    bareWs(context, count),
    bareWsWithToken(context, count),
    socketIo(stage, count),
    ours(context, count),
  ]);
  // The last two have no goal; v2 is used by others.
  const subjects = quick ? [bare, peer, classic, again] : [bare, peer, classic, again, v2, least];
  // What the engine has not compiled yet would be measured as if it stayed so.
  for (let n = 0; n < 3; n++) await Promise.all(subjects.map((subject) => subject.measure()));
  const measured = await interleave(context, subjects, { repetitions: quick ? 5 : 11, warmUp: false });
  endAwake();
  return {
    ratios: [
      measured.ratio("with a new token, classic / bare ws", classic, bare, { atLeast: 0.68, reach: 0.8, broken: 0.2 }, "inverse"),
      measured.ratio("with a new token, classic / socket.io with a token", classic, peer, { atLeast: 2.5, reach: 2.7, broken: 0.6 }, "inverse"),
      measured.ratio("with a known token, classic / bare ws", again, bare, { atLeast: 0.68, reach: 0.84, broken: 0.2 }, "inverse"),
      ...(quick
        ? []
        : [
            measured.ratio("the most there can be: with a new token, bare ws with jsonwebtoken / bare ws", least, bare, undefined, "inverse"),
            measured.ratio("with a new token, v2 up to hello / bare ws", v2, bare, undefined, "inverse"),
            measured.ratio("with a new token, v2 up to hello / socket.io with a token", v2, peer, undefined, "inverse"),
          ]),
    ],
    figures: measured.figures,
  };
}
