// `npm run bench -- --peer=URL --protocol=…`: the same load on any server that speaks one of these protocols; absolute figures, to be compared by whoever runs it on one machine.
import { round } from "../harness/figures.ts";
import type { PeerOptions, Protocol } from "../harness/options.ts";
import { createStage } from "../harness/stage.ts";
import { centrifugo } from "./centrifugo.ts";
import { generate, type Outcome } from "./generate.ts";
import type { PeerProtocol, Target } from "./protocol.ts";
import { pusher } from "./pusher.ts";
import { socketio } from "./socketio.ts";
import { xlvein } from "./xlvein.ts";

const PROTOCOLS: Readonly<Record<Protocol, (target: Target) => PeerProtocol>> = { xlvein, socketio, pusher, centrifugo };

/** Prints what was measured; answers the exit status: 1 when a message was lost or came twice, or the server refused. */
export async function runPeer({ url, protocol, event, sockets, messages, rate, pid }: PeerOptions): Promise<number> {
  const stage = createStage();
  console.log(`${sockets} ${protocol} clients at ${url.host}, ${messages} messages to all of them, ${rate} a second`);
  const crash = Promise.withResolvers<never>();
  process.on("uncaughtException", crash.reject).on("unhandledRejection", crash.reject);
  try {
    const target = PROTOCOLS[protocol]({ stage, url, event });
    const outcome = await Promise.race([generate(target, { sockets, messages, rate, pid }), crash.promise]);
    console.log(outcomeText(outcome));
    const failed = outcome.lost > 0 || outcome.twice > 0 ? 1 : 0;
    console.log(`${1 - failed} passed, ${failed} failed`);
    return failed;
  } catch (error) {
    console.log(`FAILED: ${(error as Error).message}\n0 passed, 1 failed`);
    return 1;
  } finally {
    await stage.close();
  }
}

function outcomeText({ expected, lost, twice, p50, p99, perSecond, cpuUs }: Outcome): string {
  return [
    `  deliveries      ${expected - lost} of ${expected}, ${twice} twice`,
    `  a second        ${round(perSecond)}`,
    `  p50, p99        ${round(p50)} ms, ${round(p99)} ms from when a message was due`,
    ...(cpuUs === undefined ? [] : [`  server CPU      ${round(cpuUs)} µs for each delivery: ${round(1_000 / cpuUs)} k for each second of CPU`]),
  ].join("\n");
}
