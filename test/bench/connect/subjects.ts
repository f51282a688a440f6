// The servers that are compared, and how a client of each connects.
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { tokenFor } from "../../helpers/client.ts";
import { SECRET } from "../../helpers/server.ts";
import { oursInMemory } from "../exchange/nodes.ts";
import { cpuUsOf } from "../harness/cpu.ts";
import type { Subject } from "../harness/measure.ts";
import { onceARun } from "../harness/once-a-run.ts";
import { startScript } from "../harness/processes.ts";
import type { Context } from "../harness/scenario.ts";
import type { Stage } from "../harness/stage.ts";
import { bareClient, classicClient, socketIoClient, v2Client } from "./clients.ts";
import { type Client, shakeHands } from "./handshakes.ts";

const IN_FLIGHT = 64;
/** Until a server has seen its last client go. */
const SETTLE_MS = 30;

export interface Server {
  readonly pid: number;
  readonly port: number;
}

/** Tokens of as many accounts, each new. */
const tokens = (count: number): string[] => Array.from({ length: count }, (_, n) => tokenFor(`user_${n}`, undefined, { jti: randomUUID() }));

/** The n-th, beginning anew after the last. */
function nthOf(all: readonly string[]): (n: number) => string {
  return (n) => all[n % all.length] as string;
}

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

/** ws alone. */
export const startBareWs: (context: Pick<Context, "runStage">) => Promise<Server> = onceARun((stage) =>
  startScript(stage, new URL("./bare-ws.ts", import.meta.url)),
);

/** ws and jsonwebtoken, and nothing else: what a server that verifies tokens with that can come to. */
export async function bareWsWithToken({ stage }: Context, count: number): Promise<Subject> {
  const server = await startScript(stage, new URL("./bare-ws.ts", import.meta.url), { args: [SECRET] });
  return subject("bare ws with jsonwebtoken", server, count, () => classicClient(nthOf(tokens(count))));
}

/** Ours on the local exchange and the memory store. */
export async function startOurs(context: Pick<Context, "runStage">): Promise<Server> {
  const { pid, url } = await oursInMemory(context);
  return { pid, port: Number(new URL(url).port) };
}

/** ws alone: nobody has to prove anything. */
export async function bareWs(context: Context, count: number): Promise<Subject> {
  return subject("bare ws", await startBareWs(context), count, () => bareClient);
}

/** socket.io, which verifies a token with jsonwebtoken. */
export async function socketIo(stage: Stage, count: number): Promise<Subject> {
  const server = await startScript(stage, new URL("./socketio-auth.ts", import.meta.url));
  return subject("socket.io with a token", server, count, () => socketIoClient(nthOf(tokens(count))));
}

export interface Ours {
  readonly classic: Subject;
  readonly v2: Subject;
  /** With tokens that the server has seen before: clients that come back. */
  readonly again: Subject;
}

/** The ways to connect to ours. */
export async function ours(context: Context, count: number): Promise<Ours> {
  const server = await startOurs(context);
  const known = tokens(Math.min(count, 1_000));
  return {
    classic: subject("ours, classic", server, count, () => classicClient(nthOf(tokens(count)))),
    v2: subject("ours, v2 up to hello", server, count, () => v2Client(nthOf(tokens(count)))),
    again: subject("ours, classic, known tokens", server, count, () => classicClient(nthOf(known))),
  };
}
