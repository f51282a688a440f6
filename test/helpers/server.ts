// A real server in this process, on ports that the system chooses, closed when the test ends.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { createAppSource } from "../../server/src/apps/sources.ts";
import { loadConfig } from "../../server/src/config/load.ts";
import { createLog } from "../../server/src/log.ts";
import { createServer, type Server } from "../../server/src/server.ts";

/** The secret of both default applications. */
export const SECRET = "0123456789abcdef0123456789abcdef";
export const APPLICATIONS = [
  { app_key: "test", app_secret: SECRET, push_auth: ["sign", "bearer", "open"] },
  { app_key: "test2", app_secret: `${SECRET}2` },
];

export interface StartOptions {
  /** Merged over the defaults; the shape of conf.yaml. */
  config?: Record<string, unknown>;
  applications?: readonly Record<string, unknown>[];
}

export interface TestServer {
  readonly server: Server;
  /** `http://127.0.0.1:port` */
  readonly url: string;
  readonly internalUrl: string;
  /** The configuration file it was started from; write to it and call `server.reload()`. */
  readonly file: string;
  /** Every line logged, at level debug. */
  readonly logs: string[];
  /** The value of a metric's series, 0 when it does not exist: `metric("xlvein_connections", { app: "test" })`. */
  metric(name: string, labels?: Record<string, string>): Promise<number>;
}

/** What `startServer` would write to its configuration file. */
export function configFile({ config = {}, applications = APPLICATIONS }: StartOptions = {}): string {
  return JSON.stringify({
    host: "127.0.0.1:0",
    internal: { host: "127.0.0.1", port: 0 },
    drain: { window_seconds: 0 },
    log: { level: "debug" },
    applications,
    ...config,
  });
}

/** Starts a server. */
export async function startServer(t: Pick<TestContext, "after">, options: StartOptions = {}): Promise<TestServer> {
  const directory = await mkdtemp(join(tmpdir(), "xlvein-"));
  const file = join(directory, "conf.yaml");
  await writeFile(file, configFile(options));
  const logs: string[] = [];
  const log = createLog({ level: "debug", destination: { write: (line: string) => void logs.push(line) } });
  const { config } = await loadConfig({ file, env: {}, cwd: directory });
  const server = await createServer({ config, source: createAppSource({ config, configFile: file, env: {}, log }), log, version: "0.0.0-test" });
  const { url, internalUrl = "" } = await server.listen();
  t.after(async () => {
    await server.close();
    await rm(directory, { recursive: true, force: true });
  });
  return { server, url, internalUrl, file, logs, metric: (name, labels = {}) => readMetric(internalUrl, name, labels) };
}

async function readMetric(internalUrl: string, name: string, labels: Record<string, string>): Promise<number> {
  const text = await (await fetch(`${internalUrl}/metrics`)).text();
  const wanted = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
  const line = text.split("\n").find((each) => (each.startsWith(`${name}{`) || each.startsWith(`${name} `)) && wanted.every((label) => each.includes(label)));
  return line === undefined ? 0 : Number(line.slice(line.lastIndexOf(" ") + 1));
}
