// The reference for more connections: a loop that writes one frame to each of N sockets. Its readers are a process of their own, since one has not enough descriptors for two servers' sockets.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { startHub, way } from "../fanout/servers.ts";
import type { Subject } from "../harness/measure.ts";
import { createStage, type Stage } from "../harness/stage.ts";

const SELF = fileURLToPath(import.meta.url);

type Told = { readonly pid: number } | { readonly perSecond: number };

/** Answers µs of the loop's CPU for each message; `messages` to every socket in a repetition. */
export async function startLoop(stage: Stage, sockets: number, messages: number): Promise<Subject> {
  const child = fork(SELF, [String(sockets), String(messages)]);
  const exited = once(child, "exit");
  stage.after(async () => {
    child.kill();
    await exited;
  });
  const { pid } = (await nextOf(child)) as { pid: number };
  return {
    name: `socket.write of one frame to ${sockets} sockets`,
    pids: [child.pid ?? 0, pid],
    async measure() {
      child.send("measure");
      const { perSecond } = (await nextOf(child)) as { perSecond: number };
      return 1_000_000 / perSecond;
    },
  };
}

async function nextOf(child: ChildProcess): Promise<Told> {
  const ended = Promise.withResolvers<never>();
  const onExit = () => ended.reject(new Error("the loop has ended"));
  child.once("exit", onExit);
  try {
    return ((await Promise.race([once(child, "message"), ended.promise])) as [Told])[0];
  } finally {
    child.off("exit", onExit);
  }
}

/** The process with the readers, which starts the one that writes. */
async function main(sockets: number, messages: number): Promise<void> {
  const tell = (told: Told) => void process.send?.(told);
  const stage = createStage();
  process.once("disconnect", async () => {
    await stage.close();
    process.exit();
  });
  const server = await startHub(stage, sockets);
  const loop = way("raw loop", server, "raw", { messages });
  process.on("message", async () => tell({ perSecond: await loop.measure() }));
  tell({ pid: server.child.pid ?? 0 });
}

if (process.argv[1] === SELF) await main(Number(process.argv[2]), Number(process.argv[3]));
