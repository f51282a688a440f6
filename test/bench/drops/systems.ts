// Servers with clients of their own libraries, as these come, behind a network that can be cut.
import { io } from "socket.io-client";
import { createClient } from "../../../sdk-browser/src/index.ts";
import { type Proxy as Network, startProxy } from "../../faults/harness/proxy.ts";
import { apiToken, tokenFor } from "../../helpers/client.ts";
import { SECRET } from "../../helpers/server.ts";
import { startOurs, startScript } from "../harness/processes.ts";
import { createPusher, type Pusher } from "../harness/pusher.ts";
import type { Stage } from "../harness/stage.ts";

const ROOM = "channel";
/** More than anybody can miss. */
const HISTORY = { messages: 10_000, seconds: 600 };

/** What has happened to the clients of a system. */
export interface Tally {
  /** The numbers that each client has got. */
  readonly got: readonly Set<number>[];
  twice: number;
  /** How often a client has lost its connection. */
  losses: number;
}

export interface System {
  readonly name: string;
  readonly record: Tally;
  /** Clients that are connected now. */
  readonly connected: number;
  /** Between the clients and the server; who pushes goes past it. */
  readonly network: Network;
  push(n: number): Promise<void>;
}

interface Connected {
  isConnected(): boolean;
}

/** Ours: v2 clients of one room, history on. */
export async function ours(stage: Stage, clients: number): Promise<System> {
  const { url } = await startOurs(stage, { store: { type: "memory", history: HISTORY } });
  const network = await startProxy(stage, Number(new URL(url).port));
  const pusher = createPusher(stage, `${url}/api/v1/messages`, () => ({ authorization: `Bearer ${apiToken()}` }));
  const body = (n: number) => JSON.stringify({ rooms: [ROOM], data: { n } });
  return system("xlvein", clients, network, pusher, body, async (nth, heard, lost) => {
    const token = tokenFor(`user_${nth}`, SECRET, { rooms: [ROOM] });
    const client = createClient({ url: `http://127.0.0.1:${network.port}`, appKey: "test", token });
    stage.after(() => client.close());
    client.on("state", ({ state }) => state === "disconnected" && lost());
    client.on("message", ({ data }) => heard(Number(data["n"])));
    await client.connect();
    await client.room(ROOM).subscribe();
    return { isConnected: () => client.state === "connected" };
  });
}

/** socket.io 4 with its in-memory adapter, its connection state recovery on or off. */
export async function socketIo(stage: Stage, clients: number, recovers: boolean): Promise<System> {
  const { port } = await startScript(stage, new URL("./socketio.ts", import.meta.url), { args: recovers ? ["recover"] : [] });
  const network = await startProxy(stage, port);
  const pusher = createPusher(stage, `http://127.0.0.1:${port}/push`, () => ({}));
  const name = recovers ? "socket.io with connectionStateRecovery" : "socket.io";
  return system(
    name,
    clients,
    network,
    pusher,
    (n) => JSON.stringify({ n }),
    async (_nth, heard, lost) => {
      const client = io(`http://127.0.0.1:${network.port}`, { transports: ["websocket"], forceNew: true });
      stage.after(() => void client.disconnect());
      client.on("disconnect", lost);
      client.on("message", ({ n }: { n: number }) => heard(n));
      await new Promise<void>((resolve) => client.once("ready", resolve));
      return { isConnected: () => client.connected };
    },
  );
}

async function system(
  name: string,
  count: number,
  network: Network,
  pusher: Pusher,
  body: (n: number) => string,
  connect: (nth: number, heard: (n: number) => void, lost: () => void) => Promise<Connected>,
): Promise<System> {
  const got = Array.from({ length: count }, () => new Set<number>());
  const record: Tally = { got, twice: 0, losses: 0 };
  const start = (mine: Set<number>, nth: number) => {
    const heard = (n: number) => {
      if (mine.has(n)) record.twice++;
      mine.add(n);
    };
    return connect(nth, heard, () => void record.losses++);
  };
  const clients = await Promise.all(got.map(start));
  return {
    name,
    record,
    get connected() {
      return clients.filter((client) => client.isConnected()).length;
    },
    network,
    async push(n) {
      const status = await pusher.push(body(n));
      if (status !== 200) throw new Error(`${name}: message ${n} was answered ${status}`);
    },
  };
}
