// The processes whose sockets are written to, with readers that count, and one way of writing as the subject of a measurement.
import type { ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import type { Subject } from "../harness/measure.ts";
import { onceARun } from "../harness/once-a-run.ts";
import { startScript } from "../harness/processes.ts";
import type { Stage } from "../harness/stage.ts";
import type { Order, ToBench, ToServer, Way } from "./messages.ts";
import { openReaders, type Readers } from "./readers.ts";

export interface Server {
  readonly child: ChildProcess;
  readonly readers: Readers;
  readonly sockets: number;
}

/** The server's own hub and outboxes, and on the same sockets `socket.write` and `ws.send`. */
export function startHub(stage: Stage, sockets: number): Promise<Server> {
  return start(stage, new URL("./ours.ts", import.meta.url), sockets, "/");
}

/** The same, for all scenarios of a run. */
export const hubOf = onceARun(startHub);

/** socket.io, every socket in one room. */
export function startSocketIo(stage: Stage, sockets: number): Promise<Server> {
  return start(stage, new URL("./socketio.ts", import.meta.url), sockets, "/socket.io/?EIO=4&transport=websocket", "40");
}

async function start(stage: Stage, script: URL, sockets: number, path: string, hello?: string): Promise<Server> {
  const { child, port } = await startScript(stage, script, { nodeArgs: ["--expose-gc"] });
  const all = answer<{ sockets: number }>(child, "sockets", (message) => message.sockets === sockets);
  const readers = await openReaders(port, sockets, path, hello);
  stage.after(() => readers.close());
  await all;
  return { child, readers, sockets };
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

/** Messages delivered per second of the server's CPU, `messages` to every socket in each repetition, `burst` of them in one turn. */
export function way(name: string, server: Server, way: Way, { messages, burst = 1 }: { messages: number; burst?: number }): Subject {
  const { child, readers, sockets } = server;
  const send = (message: ToServer) => void child.send(message);
  return {
    name,
    pids: [child.pid ?? 0],
    async measure() {
      const rounds = Math.ceil(messages / burst);
      readers.expect(burst, () => send("received"));
      const done = answer<{ cpuMs: number }>(child, "cpuMs");
      send({ way, rounds, burst } satisfies Order);
      const { cpuMs } = await done;
      // What came twice would still be under way.
      await sleep(50);
      const { fewest, most } = readers.counts();
      if (fewest !== rounds * burst || most !== rounds * burst) throw new Error(`${name}: of ${rounds * burst} messages a socket got ${fewest} to ${most}`);
      return (rounds * burst * sockets * 1_000) / cpuMs;
    },
  };
}
