// The API with doubles behind it: a publish and a control that record, and do as they are told.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import type { FastifyInstance } from "fastify";
import type { App } from "../../server/src/apps/app.ts";
import type { AppRegistry } from "../../server/src/apps/registry.ts";
import { createSecretUse } from "../../server/src/auth/secret-use.ts";
import type { NodeLimits } from "../../server/src/config/config.ts";
import type { ConnectionInfo, Control } from "../../server/src/control/control.ts";
import { type ApiOptions, createApi } from "../../server/src/http/api.ts";
import { httpServerOptions } from "../../server/src/http/server-options.ts";
import { createLog } from "../../server/src/log.ts";
import { createMetrics, type Metrics } from "../../server/src/metrics/metrics.ts";
import { encodeMessage } from "../../server/src/protocol/frames.ts";
import type { Draft } from "../../server/src/protocol/message.ts";
import type { Target } from "../../server/src/protocol/target.ts";
import type { Publish, Published, RequestKey } from "../../server/src/publish/publish.ts";
import type { Asked } from "../../server/src/recover/read-back.ts";
import type { Latest } from "../../server/src/store/store.ts";
import { makeApp, makeRegistry, makeSet } from "../auth/apps.ts";
import { NOW_MS } from "../auth/tokens.ts";

export const LIMITS: NodeLimits = {
  frameBytes: 65_536,
  bodyBytes: 1_048_576,
  jsonDepth: 32,
  tokenBytes: 4_096,
  connections: 100,
  outboxBytes: 1_048_576,
  unauthenticatedSockets: 100,
  headersTimeoutMs: 8_000,
  requestTimeoutMs: 15_000,
  upgradeTimeoutMs: 2_000,
  recoverMessages: 1_000,
};

export interface Pushed {
  readonly app: string;
  readonly targets: readonly Target[];
  readonly draft: Draft;
  readonly key: RequestKey | undefined;
}

/** What the API did, and what it is to be answered. */
export interface Fixture {
  readonly api: FastifyInstance;
  readonly apps: AppRegistry;
  readonly metrics: Metrics;
  readonly pushed: Pushed[];
  readonly disconnected: { app: string; account: string; connectionId: string | undefined }[];
  readonly logged: string[];
  authenticated: number;
  /** Answers the next pushes; by default each is accepted. */
  answer: (pushed: Pushed) => Promise<Published>;
  connections: ConnectionInfo[];
  /** What was asked of members, as `[what, app, room or account, …]`. */
  readonly asked: unknown[][];
  /** Who is in every room, in order. */
  members: string[];
  /** Which rooms every account is in. */
  rooms: string[];
  /** What was read back, and what the next readings find. */
  readonly read: { target: Target; asked: Asked }[];
  found: Latest;
  /** Thrown by `control`, `membership` and `streams` when set. */
  controlError: Error | undefined;
  nowMs: number;
  draining: boolean;
}

export interface FixtureOptions {
  apps?: readonly App[];
  limits?: Partial<NodeLimits>;
  console?: boolean;
  docs?: boolean;
}

/** A stream that was sent nothing. */
const NOTHING: Latest = { entries: [], position: { epoch: "e", offset: 0, msgId: "" }, more: false };

interface Built {
  readonly fixture: Fixture;
  readonly limits: { -readonly [Name in keyof NodeLimits]: number };
}

// Reading the description takes most of the time of a test, so tests with the same fixed options share an API, and each starts from a clean state.
const built = new Map<string, Promise<Built>>();

/** The API for one test. */
export async function createFixture({ apps = [makeApp()], limits, console = false, docs = false }: FixtureOptions = {}): Promise<Fixture> {
  const all = { ...LIMITS, ...limits };
  const kind = JSON.stringify([all.bodyBytes, all.tokenBytes, console, docs]);
  let api = built.get(kind);
  if (!api) built.set(kind, (api = build(all, console, docs)));
  const { fixture, limits: inForce } = await api;
  Object.assign(inForce, all);
  reset(fixture, apps);
  return fixture;
}

after(async () => {
  for (const one of built.values()) {
    const { api } = (await one).fixture;
    await api.close();
    // A test may have let the server listen by itself; then it is not fastify that closes it.
    api.server.close();
  }
});

function reset(fixture: Fixture, apps: readonly App[]): void {
  fixture.apps.replace(makeSet());
  fixture.apps.replace(makeSet(...apps));
  fixture.metrics.registry.resetMetrics();
  for (const list of [fixture.pushed, fixture.disconnected, fixture.logged, fixture.asked, fixture.read]) list.length = 0;
  fixture.answer = async () => ({ msgId: `msg-${fixture.pushed.length}`, duplicate: false, positions: [] });
  Object.assign(fixture, {
    members: [],
    rooms: [],
    found: NOTHING,
    authenticated: 0,
    connections: [],
    controlError: undefined,
    nowMs: NOW_MS,
    draining: false,
  });
}

async function build(limits: NodeLimits, console: boolean, docs: boolean): Promise<Built> {
  const state: Omit<Fixture, "api"> = {
    apps: makeRegistry(),
    metrics: createMetrics("0.0.0-test"),
    pushed: [],
    disconnected: [],
    logged: [],
    authenticated: 0,
    answer: () => Promise.reject(new Error("not set")),
    connections: [],
    asked: [],
    members: [],
    rooms: [],
    read: [],
    found: NOTHING,
    controlError: undefined,
    nowMs: NOW_MS,
    draining: false,
  };
  const publish: Publish = (app, targets, draft, key) => {
    const pushed = { app, targets, draft, key };
    state.pushed.push(pushed);
    return state.answer(pushed);
  };
  const control: Control = {
    async connections() {
      if (state.controlError) throw state.controlError;
      return state.connections;
    },
    async disconnect(app, account, connectionId) {
      if (state.controlError) throw state.controlError;
      state.disconnected.push({ app, account, connectionId });
    },
  };
  const ask = async <T>(answer: () => T, ...what: unknown[]): Promise<T> => {
    if (state.controlError) throw state.controlError;
    state.asked.push(what);
    return answer();
  };
  const membership: ApiOptions["membership"] = {
    add: (...what) => ask(() => {}, "add", ...what),
    remove: (...what) => ask(() => {}, "remove", ...what),
    members: (app, room, after, limit) =>
      ask(() => state.members.filter((name) => after === undefined || name > after).slice(0, limit), "members", app, room, after, limit),
    roomsOf: (app, account) => ask(() => state.rooms, "roomsOf", app, account),
  };
  const streams: ApiOptions["streams"] = {
    async read(target, asked) {
      if (state.controlError) throw state.controlError;
      state.read.push({ target, asked });
      const { entries, position, more } = state.found;
      return { texts: entries.map((entry) => encodeMessage(target, entry.message, entry.position)), position, more };
    },
  };
  const assetsDir = makeAssets();
  const options: ApiOptions = {
    serverFactory: (handler) => createServer(httpServerOptions(limits), handler),
    apps: state.apps,
    publish,
    control,
    membership,
    streams,
    metrics: state.metrics,
    noteSecretUse: createSecretUse(state.metrics, () => state.nowMs),
    log: createLog({ level: "debug", destination: { write: (line) => void state.logged.push(line) } }),
    limits,
    assetsDir,
    console,
    docs,
    now: () => state.nowMs,
    draining: () => state.draining,
    onAuthenticated: () => {
      state.authenticated++;
    },
  };
  const api = await createApi(options);
  rmSync(assetsDir, { recursive: true });
  await api.ready();
  return { fixture: Object.assign(state, { api }), limits };
}

/** A folder of built files as the build would leave it; the description is the real one. */
export function makeAssets(): string {
  const dir = mkdtempSync(join(tmpdir(), "xlvein-assets-"));
  writeFileSync(join(dir, "openapi.yaml"), readFileSync(new URL("../../openapi.yaml", import.meta.url)));
  writeFileSync(join(dir, "sdk.js"), "var xlvein={};\n");
  for (const folder of ["console", "docs"]) {
    mkdirSync(join(dir, folder));
    writeFileSync(join(dir, folder, "index.html"), `<!doctype html><title>${folder}</title>`);
    writeFileSync(join(dir, folder, "page.js"), "");
  }
  mkdirSync(join(dir, "console", "icons"));
  writeFileSync(join(dir, "console", "icons", "a.svg"), "<svg/>");
  return dir;
}

/** The value of one series, or undefined. */
export async function readMetric(metrics: Metrics, series: string): Promise<number | undefined> {
  const line = (await metrics.registry.metrics()).split("\n").find((text) => text.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}
