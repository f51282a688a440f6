// The servers that are compared, and how a client of each connects.
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { tokenFor } from "../../helpers/client.ts";
import { cpuUsOf } from "../harness/cpu.ts";
import type { Subject } from "../harness/measure.ts";
import { startOurs, startScript } from "../harness/processes.ts";
import type { Stage } from "../harness/stage.ts";
import { type Handshakes, shakeHands, upgradeRequest } from "./handshakes.ts";

const IN_FLIGHT = 64;
/** Until a server has seen its last client go. */
const SETTLE_MS = 100;
const HEADERS_END = "\r\n\r\n";
/** "40": a client of socket.io asks for the default namespace. */
const JOIN_NAMESPACE = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x34, 0x30]);
const LOCAL = { exchange: { type: "local" }, store: { type: "memory" } };

interface Server {
  readonly pid: number;
  readonly port: number;
}

type Client = Pick<Handshakes, "request" | "welcome" | "greeting">;

/** Tokens of as many accounts, each new. */
const tokens = (count: number): string[] => Array.from({ length: count }, (_, n) => tokenFor(`user_${n}`, undefined, { jti: randomUUID() }));

/** `measure` connects `count` clients, each of which goes at once, and answers the server's CPU time for each, µs. */
function subject(name: string, { pid, port }: Server, count: number, clients: () => Client): Subject {
  return {
    name,
    pids: [pid],
    async measure() {
      const work = { ...clients(), port, count, inFlight: IN_FLIGHT };
      const us = await cpuUsOf([pid], async () => {
        await shakeHands(work);
        await sleep(SETTLE_MS);
      });
      return us / count;
    },
  };
}

/** ws alone: nobody has to prove anything. */
export async function bareWs(stage: Stage, count: number): Promise<Subject> {
  const client = { request: () => upgradeRequest("/ws/connect"), welcome: HEADERS_END };
  return subject("bare ws", await startScript(stage, new URL("./bare-ws.ts", import.meta.url)), count, () => client);
}

/** socket.io, which verifies a token with jsonwebtoken. */
export async function socketIo(stage: Stage, count: number): Promise<Subject> {
  return subject("socket.io with a token", await startScript(stage, new URL("./socketio-auth.ts", import.meta.url)), count, () => {
    const all = tokens(count);
    return { request: (n) => upgradeRequest(`/socket.io/?EIO=4&transport=websocket&token=${all[n]}`), welcome: '40{"sid"', greeting: JOIN_NAMESPACE };
  });
}

export interface Ours {
  readonly classic: Subject;
  readonly v2: Subject;
  /** With tokens that the server has seen before: clients that come back. */
  readonly again: Subject;
}

/** Ours on the local exchange and the memory store; `bin` may be that of another checkout. */
export async function ours(stage: Stage, count: number, name = "ours", bin?: string): Promise<Ours> {
  const { pid, url } = await startOurs(stage, LOCAL, bin);
  const server = { pid, port: Number(new URL(url).port) };
  const classic = (all: readonly string[]): Client => ({
    request: (n) => upgradeRequest(`/ws/connect?app_id=test&token=${all[n % all.length]}`),
    welcome: HEADERS_END,
  });
  const v2 = (all: readonly string[]): Client => ({
    request: (n) => upgradeRequest("/ws/connect?app_id=test", `xlvein.v2.json, xlvein.token.${all[n]}`),
    welcome: '"op":"hello"',
  });
  const known = tokens(Math.min(count, 1_000));
  return {
    classic: subject(`${name}, classic`, server, count, () => classic(tokens(count))),
    v2: subject(`${name}, v2 up to hello`, server, count, () => v2(tokens(count))),
    again: subject(`${name}, classic, known tokens`, server, count, () => classic(known)),
  };
}
