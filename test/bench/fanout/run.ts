// `node test/bench/fanout/run.ts [--quick]`: one message to 1,000 sockets of one process, in several ways; judged by ratios of the server's CPU time.
import { type ChildProcess, fork } from "node:child_process";
import { loadavg } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createStage, median, round, type Stage } from "../exchange/stage.ts";
import { BURST, type Order, type ToBench, type ToServer, type Way } from "./messages.ts";
import { openReaders, type Readers } from "./readers.ts";

const SOCKETS = 1_000;

const { values } = parseArgs({ options: { quick: { type: "boolean", default: false }, sockets: { type: "string", default: String(SOCKETS) } } });
/** Messages to every socket for each measurement, how often each is measured, and what of a goal is enough. */
const scale = values.quick ? { rounds: 100, repetitions: 3, allowance: 0.85 } : { rounds: 150, repetitions: 7, allowance: 1 };
const sockets = Number(values.sockets);

interface Subject {
  readonly name: string;
  readonly server: Server;
  readonly way: Way;
  readonly burst: number;
  /** Messages delivered per second of the server's CPU, one for each repetition. */
  readonly rates: number[];
}

interface Server {
  readonly child: ChildProcess;
  readonly readers: Readers;
}

async function start(stage: Stage, file: string, path: string, hello?: string): Promise<Server> {
  const child = fork(join(import.meta.dirname, file), { execArgv: ["--expose-gc"] });
  stage.after(() => child.kill());
  const { port } = await answer<{ port: number }>(child, "port");
  const all = answer<{ sockets: number }>(child, "sockets", (message) => message.sockets === sockets);
  const readers = await openReaders(port, sockets, path, hello);
  stage.after(() => readers.close());
  await all;
  return { child, readers };
}

/** Resolves with the first message that fits; to be called before it can come. */
function answer<T extends ToBench>(child: ChildProcess, member: string, fits: (message: T) => boolean = () => true): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const listen = (message: ToBench) => {
    if (!(member in message) || !fits(message as T)) return;
    child.off("message", listen);
    resolve(message as T);
  };
  const ended = (code: number | null) => reject(new Error(`the server has ended with ${code}`));
  child.on("message", listen).once("exit", ended);
  return promise.finally(() => child.off("exit", ended));
}

async function measure({ server: { child, readers }, way, burst }: Subject, messages: number): Promise<number> {
  const send = (message: ToServer) => void child.send(message);
  const rounds = Math.ceil((burst === 1 ? messages : messages * 4) / burst);
  readers.expect(burst, () => send("received"));
  const done = answer<{ cpuMs: number }>(child, "cpuMs");
  send({ way, rounds, burst } satisfies Order);
  const { cpuMs } = await done;
  await sleep(50);
  const { fewest, most } = readers.counts();
  if (fewest !== rounds * burst || most !== rounds * burst) throw new Error(`${way}: of ${rounds * burst} messages a socket got ${fewest} to ${most}`);
  return (rounds * burst * sockets * 1_000) / cpuMs;
}

/** Of measurements made next to one another. */
function ratiosOf(one: Subject, other: Subject): number[] {
  return one.rates.map((rate, i) => rate / (other.rates[i] as number));
}

/** False when the median misses its goal. */
function printRatio(name: string, ratios: readonly number[], goal: number | undefined): boolean {
  const [middle, least, most] = [median(ratios), Math.min(...ratios), Math.max(...ratios)];
  const missed = goal !== undefined && middle < goal * scale.allowance;
  const wanted = goal === undefined ? "" : `${missed ? "MISSED " : ""}>= ${goal}`;
  console.log(`  ${name.padEnd(42)} ${`${middle.toFixed(2)} [${least.toFixed(2)}..${most.toFixed(2)}]`.padStart(24)}  ${wanted}`);
  return !missed;
}

const stage = createStage();
try {
  const ours = await start(stage, "ours.ts", "/");
  const socketio = await start(stage, "socketio.ts", "/socket.io/?EIO=4&transport=websocket", "40");
  const subject = (name: string, server: Server, way: Way, burst: number): Subject => ({ name, server, way, burst, rates: [] });
  const hub = subject("hub: one message to a room", ours, "hub", 1);
  const outbox = subject("outboxes: one shared frame to each", ours, "outbox", 1);
  const raw = subject("raw: socket.write of one shared frame", ours, "raw", 1);
  const ws = subject("ws.send of one text", ours, "ws", 1);
  const peer = subject("socket.io: room emit", socketio, "socketio", 1);
  const hubBurst = subject(`hub: ${BURST} in one turn`, ours, "hub", BURST);
  const rawBurst = subject(`raw: ${BURST} in one turn`, ours, "raw", BURST);
  const wsBurst = subject(`ws.send: ${BURST} in one turn`, ours, "ws", BURST);
  const joined = subject(`${BURST} frames in one piece made once`, ours, "joined", BURST);
  const subjects = [hub, raw, outbox, ws, peer, hubBurst, wsBurst, joined, rawBurst];
  for (const each of subjects) await measure(each, scale.rounds);
  for (let n = 0; n < scale.repetitions; n++)
    for (const each of n % 2 === 0 ? subjects : subjects.toReversed()) each.rates.push(await measure(each, scale.rounds));
  console.log(`${sockets} sockets, ${scale.repetitions} repetitions, load ${loadavg()[0]?.toFixed(1)}; messages delivered per second of the server's CPU`);
  for (const { name, rates } of subjects)
    console.log(
      `  ${name.padEnd(42)} ${String(round(median(rates) / 1_000)).padStart(6)} k [${round(Math.min(...rates) / 1_000)}..${round(Math.max(...rates) / 1_000)}]`,
    );
  console.log("ratios");
  const wishes: [string, Subject, Subject, number?][] = [
    ["hub / raw", hub, raw, 0.9],
    ["outboxes / raw", outbox, raw],
    ["hub / socket.io", hub, peer, 1.9],
    ["hub / ws.send", hub, ws],
    [`hub / ws.send, ${BURST} in one turn`, hubBurst, wsBurst, 8],
    [`hub / raw, ${BURST} in one turn`, hubBurst, rawBurst],
    [`hub / one piece, ${BURST} in one turn`, hubBurst, joined],
  ];
  for (const [name, one, other, goal] of wishes) if (!printRatio(name, ratiosOf(one, other), goal)) process.exitCode = 1;
} finally {
  await stage.close();
}
process.exit();
