// A real redis-server on a port and a directory of its own, ended by its pid.
import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

const BINARY = "/usr/bin/redis-server";

export interface RedisServer {
  readonly port: number;
  /** `redis://127.0.0.1:port` */
  readonly url: string;
  /** Its data: the append-only files. */
  readonly directory: string;
  readonly pid: number;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGSTOP and SIGCONT: it stops answering without closing anything. */
  pause(): void;
  resume(): void;
  /** Starts again on the same port and data; resolves when it answers. */
  start(): Promise<void>;
}

/** Ports of this process: one that nobody listens on yet is not free. */
const given = new Set<number>();

/** A TCP port of the loopback interface that nobody listens on now; below those that the system gives out, so that it stays free while its server is down. */
export async function freePort(): Promise<number> {
  for (;;) {
    const probe = createServer().listen(randomInt(10_000, 30_000), "127.0.0.1");
    const port = await once(probe, "listening").then(
      () => (probe.address() as { port: number }).port,
      () => 0,
    );
    probe.close();
    if (port === 0 || given.has(port)) continue;
    given.add(port);
    return port;
  }
}

/** Starts a server with append-only persistence, as the chart does; `args` are added to its command line. */
export async function startRedis(t: Pick<TestContext, "after">, args: readonly string[] = []): Promise<RedisServer> {
  if (!existsSync(BINARY)) throw new Error(`${BINARY} is missing: run \`npm test\`, or \`apt-get install --no-install-recommends redis-server\``);
  const directory = await mkdtemp(join(tmpdir(), "xlvein-redis-"));
  const port = await freePort();
  let child: ChildProcess | undefined;

  async function start(): Promise<void> {
    const persistence = ["--save", "", "--appendonly", "yes", "--appendfsync", "everysec"];
    child = spawn(BINARY, ["--port", String(port), "--bind", "127.0.0.1", "--dir", directory, ...persistence, ...args], { stdio: "ignore" });
    while (!(await answers(port))) {
      if (child.exitCode !== null) throw new Error(`redis-server ended with ${child.exitCode}: ${args.join(" ")}`);
      await sleep(10);
    }
  }
  async function kill(): Promise<void> {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }
  t.after(async () => {
    await kill();
    await rm(directory, { recursive: true, force: true });
  });
  await start();
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    directory,
    get pid() {
      return child?.pid ?? 0;
    },
    kill,
    pause: () => void child?.kill("SIGSTOP"),
    resume: () => void child?.kill("SIGCONT"),
    start,
  };
}

/** Whether somebody accepts connections and answers there. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => socket.write("PING\r\n"));
    // +PONG, or -NOAUTH: it talks.
    socket.once("data", (data) => {
      resolve(!String(data).startsWith("-LOADING"));
      socket.destroy();
    });
    socket.once("error", () => resolve(false));
    socket.once("close", () => resolve(false));
  });
}
