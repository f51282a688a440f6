// A real group of three Sentinels with a master and a replica.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { freePort, type RedisServer, startRedis } from "./redis-server.ts";

export interface RedisSentinels {
  readonly master: RedisServer;
  readonly replica: RedisServer;
  /** `redis+sentinel://…/mymaster` */
  readonly url: string;
  /** The port of the master that the first Sentinel names now. */
  masterPort(): Promise<number>;
}

/** Resolves when every Sentinel knows the replica and the other Sentinels. A dead master is replaced about a second and a half later. */
export async function startRedisSentinels(t: Pick<TestContext, "after">): Promise<RedisSentinels> {
  const master = await startRedis(t);
  const replica = await startRedis(t, ["--replicaof", "127.0.0.1", String(master.port), "--repl-diskless-sync-delay", "0"]);
  const ports = [await startSentinel(t, master.port), await startSentinel(t, master.port), await startSentinel(t, master.port)];
  for (const port of ports) {
    const knows = async () => {
      const state = (await ask(port, "SENTINEL", "MASTER", "mymaster").catch(() => [])) as string[];
      const member = (name: string) => state[state.indexOf(name) + 1];
      return member("num-slaves") === "1" && member("num-other-sentinels") === "2" && member("flags") === "master";
    };
    while (!(await knows())) await sleep(50);
  }
  return {
    master,
    replica,
    url: `redis+sentinel://${ports.map((port) => `127.0.0.1:${port}`).join(",")}/mymaster`,
    masterPort: async () => Number(((await ask(ports[0] ?? 0, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", "mymaster")) as string[])[1]),
  };
}

async function startSentinel(t: Pick<TestContext, "after">, masterPort: number): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), "xlvein-sentinel-"));
  const port = await freePort();
  const file = join(directory, "sentinel.conf");
  const lines = [
    `port ${port}`,
    "bind 127.0.0.1",
    `dir ${directory}`,
    `sentinel monitor mymaster 127.0.0.1 ${masterPort} 2`,
    "sentinel down-after-milliseconds mymaster 1000",
    "sentinel failover-timeout mymaster 5000",
  ];
  await writeFile(file, `${lines.join("\n")}\n`);
  const child = spawn("/usr/bin/redis-server", [file, "--sentinel"], { stdio: "ignore" });
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    }
    await rm(directory, { recursive: true, force: true });
  });
  while ((await ask(port, "PING").catch(() => "")) !== "PONG") {
    if (child.exitCode !== null) throw new Error(`the Sentinel ended with ${child.exitCode}`);
    await sleep(20);
  }
  return port;
}

async function ask(port: number, command: string, ...args: string[]): Promise<unknown> {
  const redis = new Redis({ port, lazyConnect: true, retryStrategy: null, enableReadyCheck: false, disableClientInfo: true });
  redis.on("error", () => {});
  try {
    await redis.connect();
    return await redis.call(command, ...args);
  } finally {
    redis.disconnect();
  }
}
