// The servers whose memory is compared.
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { tokenFor } from "../../helpers/client.ts";
import { bareClient, classicClient, socketIoClient, v2Client } from "../connect/clients.ts";
import type { Client } from "../connect/handshakes.ts";
import { startScript } from "../harness/processes.ts";
import type { Stage } from "../harness/stage.ts";
import { connectIdle } from "./idle-clients.ts";

export interface Kind {
  readonly name: string;
  readonly script: URL;
  readonly client: Client;
}

const token = (n: number) => tokenFor(`user_${n}`);
const script = (name: string) => new URL(name, import.meta.url);

export const BARE: Kind = { name: "bare ws", script: script("./bare-ws.ts"), client: bareClient };
export const CLASSIC: Kind = { name: "ours, classic", script: script("./ours.ts"), client: classicClient(token) };
export const V2: Kind = { name: "ours, v2", script: script("./ours.ts"), client: v2Client(token) };
export const SOCKET_IO: Kind = { name: "socket.io", script: script("./socketio.ts"), client: socketIoClient(token) };

/**
 * Bytes of memory for each idle connection: those of a fresh server between `first` and `first + count` connections, so that what it takes once is
 * counted for few of them.
 */
export async function bytesPerConnection(stage: Stage, { script: file, client }: Kind, first: number, count: number): Promise<number> {
  const { port, child } = await startScript(stage, file, { nodeArgs: ["--expose-gc"] });
  const rss = async () => {
    child.send("rss");
    return ((await once(child, "message")) as [{ rss: number }])[0].rss;
  };
  const clients = [await connectIdle(stage, { ...client, port, count: first })];
  const before = await rss();
  clients.push(await connectIdle(stage, { ...client, request: (n) => client.request(first + n), port, count }));
  const after = await rss();
  const gone = once(child, "exit");
  for (const each of clients) each.close();
  child.kill("SIGKILL");
  await gone;
  await sleep(50);
  return (after - before) / count;
}
