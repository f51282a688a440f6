// The Redis that the chart embeds, as a process: its own configuration, with the places and the port of this machine.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../helpers/redis-server.ts";
import { type Ended, find, type KubeObject, run } from "./chart.ts";

export interface EmbeddedRedis {
  readonly port: number;
  readonly password: string;
  /** What is `/data` in the pod. */
  readonly data: string;
  /** Waits until the readiness probe says yes. */
  start(): Promise<void>;
  /** As Kubernetes stops it; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** Resolves with the exit code when it ends by itself. */
  ended(): Promise<number | null>;
  /** Runs the command line program, with this password or its own. */
  ask(args: readonly string[], password?: string): Promise<Ended>;
}

/** `objects`: of a chart that makes its Secrets itself. Nothing runs before `start`. */
export async function embeddedRedis(t: Pick<TestContext, "after">, objects: readonly KubeObject[], folder: string): Promise<EmbeddedRedis> {
  const secret = find(objects, "Secret", "xlvein-redis")["data"] as Record<string, string>;
  const decode = (key: string): string => Buffer.from(secret[key] ?? "", "base64").toString();
  const [container] = find(objects, "StatefulSet", "xlvein-redis")["spec"].template.spec.containers;
  const [port, data, password] = [await freePort(), join(folder, "data"), decode("password")];
  const mounted = { "redis.conf": String(find(objects, "ConfigMap", "xlvein-redis")["data"]["redis.conf"]), "auth.conf": decode("auth.conf") };
  const place = (text: string): string =>
    text.replace("dir /data", `dir ${data}`).replaceAll("/etc/redis/", `${folder}/`).replace("port 6379", `port ${port}\nbind 127.0.0.1`);
  await mkdir(data);
  for (const [name, text] of Object.entries(mounted)) await writeFile(join(folder, name), place(text));

  let server: ChildProcess | undefined;
  let said = "";
  const ask = (args: readonly string[], by = password): Promise<Ended> => run("redis-cli", ["-p", String(port), ...args], { REDISCLI_AUTH: by });
  const isRunning = (): boolean => server !== undefined && server.exitCode === null && server.signalCode === null;
  async function ended(): Promise<number | null> {
    if (isRunning()) await once(server as ChildProcess, "exit");
    return server?.exitCode ?? null;
  }
  async function stop(): Promise<number | null> {
    server?.kill("SIGTERM");
    return ended();
  }
  t.after(stop);
  return {
    ...{ port, password, data, ask, ended, stop },
    async start() {
      const child = spawn("redis-server", [place(String(container.command.at(-1)))], { stdio: ["ignore", "pipe", "inherit"] });
      child.stdout.on("data", (text) => void (said += text));
      server = child;
      const [, ...probe] = container.readinessProbe.exec.command as string[];
      while ((await ask(probe)).code !== 0) {
        assert.ok(isRunning(), said);
        await sleep(20);
      }
    },
  };
}
