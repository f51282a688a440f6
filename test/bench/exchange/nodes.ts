// The servers that are measured: ours, and socket.io with its Redis adapter doing the same work, each in a process of its own.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { connect as connectSocketIo } from "socket.io-client";
import { WebSocket } from "ws";
import { apiToken, connectUrl } from "../../helpers/client.ts";
import { configFile, SECRET } from "../../helpers/server.ts";
import { createPusher, type Pusher } from "./pusher.ts";
import type { Stage } from "./stage.ts";

const OURS = fileURLToPath(new URL("../../../server/bin/xlvein.js", import.meta.url));
const SOCKET_IO = fileURLToPath(new URL("./socketio-node.ts", import.meta.url));

/** A server that takes pushes to an account and delivers them to its sockets, wherever they are connected. */
export interface Node {
  readonly pid: number;
  /** One keep-alive connection for requests of one push each, or of many; one in flight. */
  pusher(kind?: "single" | "batch"): Pusher;
  /** The body of a request with one push. */
  body(account: string, data: unknown): string;
  /** The body of a request with many. */
  batch(pushes: readonly { account: string; data: unknown }[]): string;
  /** Connects a socket of the account; `received` is given the text that holds the data. */
  receive(account: string, received: (text: string) => void): Promise<void>;
}

/** Starts `xlvein start`; `bin` may be that of another checkout. */
export async function startOurs(stage: Stage, config: Record<string, unknown>, bin = OURS): Promise<Node> {
  const directory = await mkdtemp(join(tmpdir(), "xlvein-bench-"));
  const file = join(directory, "conf.yaml");
  await writeFile(file, configFile({ config: { log: { level: "info" }, ...config } }));
  const child = spawn(process.execPath, [bin, "start", "--config", file], {
    cwd: directory,
    env: { PATH: process.env["PATH"] },
    stdio: ["ignore", "pipe", "inherit"],
  });
  endWith(stage, child, () => rm(directory, { recursive: true, force: true }));
  const { url } = JSON.parse(await lineOf(child, /"event":"listening"/)) as { url: string };
  return {
    pid: child.pid ?? 0,
    pusher: (kind = "single") =>
      createPusher(stage, `${url}/api/v1/messages${kind === "batch" ? "/batch" : ""}`, () => ({ authorization: `Bearer ${apiToken()}` })),
    body: (account, data) => JSON.stringify({ accounts: [account], data }),
    batch: (pushes) => JSON.stringify({ messages: pushes.map(({ account, data }) => ({ accounts: [account], data })) }),
    async receive(account, received) {
      const socket = new WebSocket(connectUrl(url, { account }), { perMessageDeflate: false });
      stage.after(() => socket.terminate());
      socket.on("message", (text) => received(String(text)));
      await once(socket, "open");
    },
  };
}

/** Starts a socket.io server on that Redis: a room per account, pushes over HTTP, each with a token to verify or all without. */
export async function startSocketIo(stage: Stage, redisUrl: string, withToken: boolean): Promise<Node> {
  const child = spawn(process.execPath, [SOCKET_IO, redisUrl, ...(withToken ? [SECRET] : [])], {
    env: { PATH: process.env["PATH"] },
    stdio: ["ignore", "pipe", "inherit"],
  });
  endWith(stage, child);
  const url = `http://127.0.0.1:${await lineOf(child, /^\d+$/)}`;
  return {
    pid: child.pid ?? 0,
    pusher: () => createPusher(stage, `${url}/push`, () => (withToken ? { authorization: `Bearer ${apiToken()}` } : {})),
    body: (account, data) => JSON.stringify([{ to: account, data }]),
    batch: (pushes) => JSON.stringify(pushes.map(({ account, data }) => ({ to: account, data }))),
    async receive(account, received) {
      const socket = connectSocketIo(url, { transports: ["websocket"], query: { account }, forceNew: true });
      stage.after(() => socket.disconnect());
      socket.on("message", (message: unknown) => received(JSON.stringify(message)));
      await new Promise<void>((resolve, reject) => {
        socket.once("ready", resolve);
        socket.once("connect_error", reject);
      });
    },
  };
}

function endWith(stage: Stage, child: ChildProcess, then: () => unknown = () => {}): void {
  const exited = once(child, "exit");
  stage.after(async () => {
    child.kill("SIGKILL");
    await exited;
    await then();
  });
}

async function lineOf(child: ChildProcess, pattern: RegExp): Promise<string> {
  if (!child.stdout) throw new Error("the process has no output");
  const lines = createInterface({ input: child.stdout });
  const said: string[] = [];
  const found = new Promise<string>((resolve, reject) => {
    lines.on("line", (line) => {
      if (pattern.test(line)) resolve(line);
      else said.push(line);
      if (/"level":"(error|fatal)"/.test(line)) console.error(line);
    });
    child.once("exit", () => reject(new Error(`the process ended:\n${said.join("\n")}`)));
  });
  return found;
}
