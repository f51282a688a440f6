// Applications from a Secret that is watched through the Kubernetes API and mounted beside that.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { AppSet } from "../../server/src/apps/registry.ts";
import { watchSecret } from "../../server/src/apps/secret-watch.ts";
import { type AppSource, createAppSource } from "../../server/src/apps/sources.ts";
import { ConfigError, type Finding, formatFinding } from "../../server/src/config/config.ts";
import { loadConfig } from "../../server/src/config/load.ts";
import { createLog } from "../../server/src/log.ts";
import { createMetrics } from "../../server/src/metrics/metrics.ts";
import { createServer } from "../../server/src/server.ts";
import { makeFolder } from "../config/folder.ts";
import { connect, tokenFor } from "../helpers/client.ts";
import { type KubernetesApi, startKubernetesApi } from "../kubernetes/api.ts";
import { createMount, type Mount } from "./mount.ts";

const SECRET = "0123456789abcdef0123456789abcdef";

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
}

function json(keys: string, rest: object = {}): string {
  const applications = keys.split(" ").flatMap((app_key) => (app_key === "" ? [] : [{ app_key, app_secret: `${SECRET}-${app_key}` }]));
  return JSON.stringify({ ...rest, applications });
}

function files(keys: string, rest: object = {}): Record<string, string> {
  return { "applications.json": json(keys, rest) };
}

interface Scene {
  readonly api: KubernetesApi;
  readonly mount: Mount;
  readonly source: AppSource;
  readonly logs: string[];
  /** What the source tells, one by one: the keys of a set, or the findings of a refusal. */
  next(): Promise<string>;
  /** Starts to follow, and resolves when the API has been asked to watch. */
  follow(): Promise<void>;
  /** The value of a metric, `undefined` without its series. */
  metric(name: string): Promise<number | undefined>;
}

async function open(t: TestContext, { mounted = true }: { mounted?: boolean } = {}): Promise<Scene> {
  const api = await startKubernetesApi(t);
  const cwd = makeFolder(t, { "conf.yaml": `applications_secret: apps\n${mounted ? "applications_dir: secret\n" : ""}`, "secret/other": "" });
  const logs: string[] = [];
  const log = createLog({ level: "debug", destination: { write: (line: string) => void logs.push(line) } });
  const { config, file } = loadConfig({ env: {}, cwd });
  const source = createAppSource({ config, configFile: file, env: {}, log, cwd, settleMs: 20, kubernetes: api.access });
  const metrics = createMetrics("0.0.0-test");
  source.report(metrics);
  const told: string[] = [];
  const waiting: ((text: string) => void)[] = [];
  const tell = (text: string) => {
    const first = waiting.shift();
    if (first) first(text);
    else told.push(text);
  };
  return {
    api,
    mount: createMount(join(cwd, "secret")),
    source,
    logs,
    next: () =>
      new Promise((resolve) => {
        const first = told.shift();
        if (first === undefined) waiting.push(resolve);
        else resolve(first);
      }),
    async follow() {
      t.after(
        source.watch(
          (set: AppSet) => tell([...set.apps.keys()].join(" ")),
          (findings: readonly Finding[]) => tell(`refused: ${findings.map(formatFinding).join("; ")}`),
        ),
      );
      await api.asked(/WATCH/);
    },
    async metric(name) {
      return (await metrics.registry.getSingleMetric(name)?.get())?.values[0]?.value;
    },
  };
}

test("a Secret that is written is taken at once, again and again, and begins as it is mounted", async (t) => {
  const { api, mount, source, next, follow, metric } = await open(t);
  mount.write(files("a"));
  api.write(files("a"));
  assert.deepEqual([...(await source.load()).apps.keys()], ["a"]);
  // What is mounted is enough to start with.
  assert.deepEqual(api.requests, []);
  await follow();
  const startedMs = performance.now();
  for (const keys of ["a b", "b", "b c d"]) {
    api.write(files(keys));
    assert.equal(await next(), keys);
  }
  assert.ok(performance.now() - startedMs < 1_000);
  assert.equal(await metric("xlvein_config_source_up"), 1);
});

test("without a mount the first set comes from the API, in YAML too", async (t) => {
  const { api, source, next, follow } = await open(t, { mounted: false });
  api.write({ "applications.yaml": `applications:\n  - {app_key: y, app_secret: ${SECRET}}\n` });
  assert.deepEqual([...(await source.load()).apps.keys()], ["y"]);
  await follow();
  api.write(files("a"));
  assert.equal(await next(), "a");
});

test("a Secret that does not exist yet is no reason not to start", async (t) => {
  const { api, source, logs, next, follow } = await open(t, { mounted: false });
  assert.equal((await source.load()).apps.size, 0);
  assert.match(logs.join(), /"where":"Secret apps","key":"applications_secret","message":"does not exist"/);
  await follow();
  api.write(files("a"));
  assert.equal(await next(), "a");
});

test("an API that is away is none either", async (t) => {
  const { api, source, logs, next, follow, metric } = await open(t, { mounted: false });
  await api.stop();
  assert.equal((await source.load()).apps.size, 0);
  assert.match(logs.join(), /"key":"applications_secret","message":"connect ECONNREFUSED/);
  const following = follow();
  await until(async () => (await metric("xlvein_config_source_up")) === 0);
  api.write(files("a"));
  await api.start();
  await following;
  assert.equal(await next(), "a");
});

test("outside a pod the key is an error that says so", async (t) => {
  const cwd = makeFolder(t, { "conf.yaml": "applications_secret: apps\n" });
  const { config, file } = loadConfig({ env: {}, cwd });
  const source = createAppSource({ config, configFile: file, env: {}, log: createLog({ level: "silent" }), cwd });
  const words = "environment: applications_secret: needs a Kubernetes pod: KUBERNETES_SERVICE_HOST is not set";
  await assert.rejects(source.load(), (error) => error instanceof ConfigError && error.message === words);
});

test("the higher revision counts, whichever way it comes, and the same set twice is nothing", async (t) => {
  const { api, mount, source, next, follow } = await open(t);
  mount.write(files("a", { revision: 7 }));
  api.write(files("a old", { revision: 6 }));
  await source.load();
  await follow();
  // The watch's older set has been passed over: the next thing told is newer.
  mount.write(files("a mounted", { revision: 8 }));
  assert.equal(await next(), "a mounted");
  api.write(files("a watched", { revision: "9-3f2a" }));
  assert.equal(await next(), "a watched");
  mount.write(files("a watched", { revision: "9-3f2a" }));
  api.write(files("a last", { revision: 10 }));
  assert.equal(await next(), "a last");
  mount.write(files("a watched", { revision: "9-3f2a" }));
  assert.equal(await source.reload(), true);
  assert.deepEqual([...(await source.load()).apps.keys()], ["a", "last"]);
});

test("a bad set is refused and the good one stays, until a good one comes", async (t) => {
  const { api, mount, source, logs, next, follow, metric } = await open(t);
  mount.write(files("a b"));
  api.write(files("a b"));
  await source.load();
  await follow();
  const wrong: [Record<string, string> | undefined, string][] = [
    [{ "applications.json": "{" }, "refused: Secret apps/applications.json:1: syntax: not valid JSON"],
    [files("a a"), 'refused: Secret apps/applications.json:1: applications[1].app_key: "a" is used by an application before'],
    [files(""), "refused: Secret apps: applications: holds no application any more, 2 are in force; say allow_empty: true if that is meant"],
    [{ other: "x" }, "refused: Secret apps: applications: holds no application any more, 2 are in force; say allow_empty: true if that is meant"],
    [{ "applications.json": "[" }, "refused: Secret apps/applications.json:1: syntax: not valid JSON"],
    [undefined, "refused: Secret apps: applications: holds no application any more, 2 are in force; say allow_empty: true if that is meant"],
  ];
  for (const [bad, told] of wrong) {
    api.write(bad);
    assert.equal(await next(), told);
    await until(async () => (await metric("xlvein_config_last_reload_successful")) === 0);
  }
  api.write(files("b"));
  assert.equal(await next(), "b");
  await until(async () => (await metric("xlvein_config_last_reload_successful")) === 1);
  assert.ok(!logs.join().includes(SECRET));
});

test("losing the API changes nothing, the mount goes on bringing news, and what was overtaken is none", async (t) => {
  const { api, mount, source, logs, next, follow, metric } = await open(t);
  mount.write(files("a"));
  api.write(files("a b"));
  await source.load();
  await follow();
  assert.equal(await next(), "a b");
  api.write(files("a b c"));
  assert.equal(await next(), "a b c");
  await api.stop();
  await until(async () => (await metric("xlvein_config_source_up")) === 0);
  assert.match(logs.join(), /"event":"cannot watch the applications","name":"apps","message":"[^"]*; what is in force stays"/);
  // kubelet catches up with what the watch had shown already.
  mount.write(files("a b"));
  assert.equal(await source.reload(), true);
  assert.equal(await metric("xlvein_config_last_reload_successful"), 1);
  mount.write(files("a b c d"));
  assert.equal(await next(), "a b c d");
  api.write(files("e"));
  await api.start();
  assert.equal(await next(), "e");
  assert.equal(await metric("xlvein_config_source_up"), 1);
});

test("a watch that ends or is cut goes on where it was, with no list", async (t) => {
  const { api, source, next, follow } = await open(t);
  api.write(files("a"));
  await source.load();
  await follow();
  const lists = () => api.requests.filter((request) => request === "LIST").length;
  const before = lists();
  api.write(files("a b"));
  assert.equal(await next(), "a b");
  api.bookmark();
  api.end("end");
  assert.equal(await api.asked(/^WATCH/), "WATCH 103");
  api.write(files("a c"));
  assert.equal(await next(), "a c");
  api.end("cut");
  assert.equal(await api.asked(/^WATCH/), "WATCH 104");
  assert.equal(lists(), before);
});

test("what is written between two watches is not missed", async (t) => {
  const { api, source, next, follow } = await open(t);
  api.write(files("a"));
  await source.load();
  await follow();
  api.end("cut");
  api.write(files("a b"));
  assert.equal(await next(), "a b");
});

for (const how of ["an event", "an answer"]) {
  test(`a version that is gone (410, ${how}) leads to a list`, async (t) => {
    const { api, source, next, follow, metric } = await open(t);
    api.write(files("a"));
    await source.load();
    await follow();
    api.compact();
    api.end(how === "an event" ? "expire" : "cut");
    api.write(files("a b"));
    await api.asked(/^LIST/);
    assert.equal(await next(), "a b");
    // The API works; only its memory is short.
    assert.equal(await metric("xlvein_config_source_up"), 1);
  });
}

test("a token that is replaced is read again", async (t) => {
  const { api, source, next, follow, metric } = await open(t);
  api.write(files("a"));
  await source.load();
  await follow();
  api.rotate("second", "elsewhere");
  api.end("end");
  await api.asked(/^401 WATCH/);
  await api.asked(/^401 WATCH/);
  assert.equal(await metric("xlvein_config_source_up"), 0);
  api.rotate("second");
  await api.asked(/^WATCH/);
  api.write(files("a b"));
  assert.equal(await next(), "a b");
  assert.equal(await metric("xlvein_config_source_up"), 1);
});

test("tries are at most a second apart while the API fails, and go on", async (t) => {
  const { api, source, next, follow } = await open(t);
  api.write(files("a"));
  await source.load();
  await follow();
  api.refuse(503);
  api.end("end");
  const times: number[] = [];
  for (let i = 0; i < 7; i++) {
    await api.asked(/^503 WATCH/);
    times.push(performance.now());
  }
  const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0));
  assert.ok(Math.max(...gaps) < 1_000, gaps.join());
  assert.ok((gaps.at(-1) ?? 0) > 200, gaps.join());
  api.refuse(200);
  api.write(files("a b"));
  assert.equal(await next(), "a b");
});

test("a connection that has gone silent is given up", async (t) => {
  const api = await startKubernetesApi(t);
  const ups: boolean[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const log = createLog({ level: "silent" });
  api.write(files("a"));
  t.after(watchSecret({ access: api.access, name: "apps", onData: () => resolve(), onUp: (up) => ups.push(up), log, idleMs: 200 }));
  await promise;
  assert.equal(await api.asked(/^WATCH/), "WATCH 101");
  assert.equal(await api.asked(/^WATCH/), "WATCH 101");
  assert.deepEqual(ups, [true]);
});

test("a server takes an application from the Secret with every socket untouched, and is ready without the API", async (t) => {
  const { api, source, logs } = await open(t);
  api.write(files("a"));
  const cwd = makeFolder(t);
  writeFileSync(join(cwd, "conf.yaml"), "host: 127.0.0.1:0\ninternal: {host: 127.0.0.1, port: 0}\ndrain: {window_seconds: 0}\n");
  const { config } = loadConfig({ env: {}, cwd });
  const log = createLog({ level: "info", destination: { write: (line: string) => void logs.push(line) } });
  const server = await createServer({ config, source, log, version: "0.0.0-test" });
  const { url, internalUrl } = await server.listen();
  t.after(() => server.close());
  const client = await connect(t, url, { app: "a", token: tokenFor("user_1", `${SECRET}-a`) });
  await api.asked(/WATCH/);
  const revised = async () => ((await (await fetch(`${internalUrl}/-/config`)).json()) as { revision: string }).revision;
  const before = await revised();
  api.write(files("a b"));
  await until(async () => (await revised()) !== before);
  await connect(t, url, { app: "b", token: tokenFor("user_1", `${SECRET}-b`) });
  await api.stop();
  await until(async () => logs.some((line) => line.includes("cannot watch the applications")));
  assert.equal((await fetch(`${internalUrl}/readyz`)).status, 200);
  const metrics = await (await fetch(`${internalUrl}/metrics`)).text();
  assert.match(metrics, /^xlvein_config_source_up\{source="applications_secret"\} 0$/m);
  await connect(t, url, { app: "b", token: tokenFor("user_2", `${SECRET}-b`) });
  assert.equal(client.socket.readyState, client.socket.OPEN);
});
