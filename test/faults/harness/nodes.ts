// Nodes of one installation: each a real server process, ended and started again by its pid.
import type { TestContext } from "node:test";
import { type ServerProcess, startProcess } from "../../helpers/process.ts";
import { APPLICATIONS } from "../../helpers/server.ts";

export interface Node {
  readonly url: string;
  readonly internalUrl: string;
  readonly pid: number;
  /** Whether it is meant to take part: false from the moment it is ended until it listens again. */
  readonly running: boolean;
  /** Everything this and its earlier processes have logged. */
  readonly lines: readonly string[];
  /** Its metric; labels not named are added up. 0 where there is none. */
  metric(name: string, labels?: Record<string, string>): Promise<number>;
  /** The answer of `/readyz?verbose`. */
  ready(): Promise<string>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code when it is gone. Clients are led elsewhere at once. */
  stop(): Promise<number | string>;
  /** Starts it again, on another port. */
  start(): Promise<void>;
}

export interface NodesOptions {
  /** The configuration of the nth node, merged over that of `startProcess`. */
  readonly config: (nth: number) => Record<string, unknown>;
  readonly env?: (nth: number) => Record<string, string>;
  readonly applications?: readonly Record<string, unknown>[];
}

export interface Nodes extends ReadonlyArray<Node> {
  /** Where a balancer would lead clients now. */
  urls(): readonly string[];
  /** The sum of a metric over all that run. */
  sum(name: string, labels?: Record<string, string>): Promise<number>;
}

/** A configuration for nodes that share a Redis: nothing is forgotten during a test. */
export function redisConfig(
  redis: string | readonly string[],
  more: { exchange?: object; store?: object } & Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    log: { level: "info" },
    ...more,
    exchange: { type: "redis", redis, ...more.exchange },
    store: { type: "redis", history: { messages: 100_000, seconds: 3_600 }, ...more.store },
  };
}

/** Starts nodes one after the other. */
export async function startNodes(t: Pick<TestContext, "after">, count: number, options: NodesOptions): Promise<Nodes> {
  const nodes: Node[] = [];
  for (let nth = 0; nth < count; nth++) nodes.push(await startNode(t, nth, options));
  return Object.assign(nodes, {
    urls: () => nodes.filter(({ running }) => running).map(({ url }) => url),
    async sum(name: string, labels?: Record<string, string>) {
      const all = await Promise.all(nodes.filter(({ running }) => running).map((node) => node.metric(name, labels)));
      return all.reduce((sum, each) => sum + each, 0);
    },
  });
}

async function startNode(t: Pick<TestContext, "after">, nth: number, { config, env, applications = APPLICATIONS }: NodesOptions): Promise<Node> {
  const launch = () => startProcess(t, { config: config(nth), applications }, env?.(nth) ?? {});
  let server: ServerProcess = await launch();
  let running = true;
  const earlier: string[] = [];
  async function end(signal: "SIGKILL" | "SIGTERM"): Promise<number | string> {
    running = false;
    server.child.kill(signal);
    return server.exited;
  }
  return {
    get url() {
      return server.url;
    },
    get internalUrl() {
      return server.internalUrl;
    },
    get pid() {
      return server.child.pid ?? 0;
    },
    get running() {
      return running;
    },
    get lines() {
      return [...earlier, ...server.lines];
    },
    metric: (name, labels = {}) => readMetric(server.internalUrl, name, labels),
    ready: async () => (await fetch(`${server.internalUrl}/readyz?verbose`)).text(),
    async kill() {
      await end("SIGKILL");
    },
    stop: () => end("SIGTERM"),
    async start() {
      earlier.push(...server.lines);
      server = await launch();
      running = true;
    },
  };
}

/** Adds up the series of a metric that carry these labels. */
export async function readMetric(internalUrl: string, name: string, labels: Record<string, string>): Promise<number> {
  const text = await (await fetch(`${internalUrl}/metrics`)).text();
  const wanted = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
  const series = text
    .split("\n")
    .filter((line) => (line.startsWith(`${name}{`) || line.startsWith(`${name} `)) && wanted.every((label) => line.includes(label)));
  return series.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}
