// The servers whose memory is compared, and how a client of each connects.
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { tokenFor } from "../../helpers/client.ts";
import { upgradeRequest } from "../connect/handshakes.ts";
import { startScript } from "../harness/processes.ts";
import type { Stage } from "../harness/stage.ts";
import { connectIdle, type IdleClients } from "./idle-clients.ts";

const HEADERS_END = "\r\n\r\n";
/** "40": a client of socket.io asks for the default namespace. */
const JOIN_NAMESPACE = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x34, 0x30]);

type Client = Pick<IdleClients, "request" | "welcome" | "greeting">;

export interface Kind {
  readonly name: string;
  readonly script: URL;
  readonly client: Client;
}

const token = (n: number) => tokenFor(`user_${n}`);
const script = (name: string) => new URL(name, import.meta.url);

export const BARE: Kind = { name: "bare ws", script: script("./bare-ws.ts"), client: { request: () => upgradeRequest("/ws/connect"), welcome: HEADERS_END } };
export const CLASSIC: Kind = {
  name: "ours, classic",
  script: script("./ours.ts"),
  client: { request: (n) => upgradeRequest(`/ws/connect?app_id=test&token=${token(n)}`), welcome: HEADERS_END },
};
export const V2: Kind = {
  name: "ours, v2",
  script: script("./ours.ts"),
  client: { request: (n) => upgradeRequest("/ws/connect?app_id=test", `xlvein.v2.json, xlvein.token.${token(n)}`), welcome: '"op":"hello"' },
};
export const SOCKET_IO: Kind = {
  name: "socket.io",
  script: script("./socketio.ts"),
  client: { request: (n) => upgradeRequest(`/socket.io/?EIO=4&transport=websocket&token=${token(n)}`), welcome: '40{"sid"', greeting: JOIN_NAMESPACE },
};

/**
 * Bytes of memory for each idle connection: those of a fresh server between `first` and `first + count` connections, so that what it takes once is
 * counted for few of them.
 */
export async function bytesPerConnection(
  stage: Stage,
  { script: file, client }: Kind,
  first: number,
  count: number,
  args: readonly string[] = [],
): Promise<number> {
  const { port, child } = await startScript(stage, file, { nodeArgs: ["--expose-gc"], args });
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
