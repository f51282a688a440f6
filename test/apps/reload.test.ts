// Applications replaced while the server runs, with real files: a good set is taken, a bad one never replaces it.
import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { AppSet } from "../../server/src/apps/registry.ts";
import { type AppSource, type AppSourceOptions, createAppSource } from "../../server/src/apps/sources.ts";
import { type Config, ConfigError, type Finding, formatFinding } from "../../server/src/config/config.ts";
import { loadConfig } from "../../server/src/config/load.ts";
import { createLog } from "../../server/src/log.ts";
import { createMetrics } from "../../server/src/metrics/metrics.ts";
import { makeFolder } from "../config/folder.ts";
import { createMount } from "./mount.ts";

const SECRET = "0123456789abcdef0123456789abcdef";

interface Scene {
  readonly source: AppSource;
  readonly config: Config;
  readonly logs: string[];
}

/** A source as `start` makes it, from the folder's conf.yaml. */
function open(cwd: string, env: Record<string, string> = {}, options: Partial<AppSourceOptions> = {}): Scene {
  const logs: string[] = [];
  const log = createLog({ level: "debug", destination: { write: (line: string) => void logs.push(line) } });
  const { config, file } = loadConfig({ env, cwd });
  return { source: createAppSource({ config, configFile: file, env, log, cwd, settleMs: 20, ...options }), config, logs };
}

/** What a source tells, one by one: the keys of a set, or the findings of a refusal. */
function follow(t: TestContext, source: AppSource): () => Promise<string> {
  const told: string[] = [];
  const waiting: ((text: string) => void)[] = [];
  const tell = (text: string) => {
    const first = waiting.shift();
    if (first) first(text);
    else told.push(text);
  };
  const stop = source.watch(
    (set) => tell(keysOf(set)),
    (findings: readonly Finding[]) => tell(`refused: ${findings.map(formatFinding).join("; ")}`),
  );
  t.after(stop);
  return () =>
    new Promise((resolve) => {
      const first = told.shift();
      if (first === undefined) waiting.push(resolve);
      else resolve(first);
    });
}

function keysOf({ apps }: AppSet): string {
  return [...apps.keys()].join(" ");
}

/** In one step, so that no look finds half of it. */
function replace(file: string, text: string): void {
  writeFileSync(`${file}.tmp`, text);
  renameSync(`${file}.tmp`, file);
}

function json(keys: string, rest: object = {}): string {
  const applications = keys.split(" ").flatMap((app_key) => (app_key === "" ? [] : [{ app_key, app_secret: `${SECRET}-${app_key}` }]));
  return JSON.stringify({ ...rest, applications });
}

test("a mounted Secret that changes is taken, again and again", async (t) => {
  const cwd = makeFolder(t, { "conf.yaml": "applications_dir: secret\n" });
  const mount = createMount(join(cwd, "secret"));
  mount.write({ "applications.json": json("a") });
  const { source } = open(cwd);
  assert.equal(keysOf(await source.load()), "a");
  const next = follow(t, source);
  for (const keys of ["a b", "b", "b c d"]) {
    mount.write({ "applications.json": json(keys) });
    assert.equal(await next(), keys);
  }
});

test("an optional Secret may be written later, in YAML too", async (t) => {
  const cwd = makeFolder(t, { "conf.yaml": "applications_dir: secret\n", "secret/other": "" });
  const { source, logs } = open(cwd);
  assert.equal((await source.load()).apps.size, 0);
  assert.match(logs.join(), /holds none of applications\.json, applications\.yaml/);
  const next = follow(t, source);
  replace(join(cwd, "secret/applications.yaml"), `applications:\n  - {app_key: a, app_secret: ${SECRET}}\n`);
  assert.equal(await next(), "a");
});

test("a bad set is refused with file and line, and the good one stays", async (t) => {
  const cwd = makeFolder(t, { "conf.yaml": "applications_dir: secret\n" });
  const mount = createMount(join(cwd, "secret"));
  mount.write({ "applications.json": json("a b") });
  const { source, logs } = open(cwd);
  await source.load();
  const next = follow(t, source);
  const wrong: [Record<string, string>, string][] = [
    [{ "applications.json": `{\n"applications": [{"app_key": "a", "app_secret": "${SECRET}"` }, "refused: secret/applications.json:2: syntax: not valid JSON"],
    [{ "applications.json": "" }, "refused: secret/applications.json: applications: must be a list of applications, or a map {revision, applications}"],
    [
      { "applications.json": `{"applications": [\n{"app_key": "a", "app_secret": "${SECRET}"},\n{"app_key": "b"}]}` },
      "refused: secret/applications.json:3: applications[1].app_secret: is missing",
    ],
    [{ "applications.json": json("a a") }, 'refused: secret/applications.json:1: applications[1].app_key: "a" is used by an application before'],
    [{ "applications.json": json("") }, "refused: secret: applications: holds no application any more, 2 are in force; say allow_empty: true if that is meant"],
    [{ other: "" }, "refused: secret: applications: holds no application any more, 2 are in force; say allow_empty: true if that is meant"],
  ];
  for (const [files, told] of wrong) {
    mount.write(files);
    assert.equal(await next(), told);
    assert.match(logs.at(-1) ?? "", /"event":"applications refused".*"the applications in force stay"/);
    // A second look by hand says the same, and changes nothing.
    const again = next();
    assert.equal(await source.reload(), false);
    assert.equal(await again, told);
  }
  mount.write({ "applications.json": json("b") });
  assert.equal(await next(), "b");
  assert.ok(!logs.join().includes(SECRET));
});

test("a set that returns to what is in force is good again without being replaced", async (t) => {
  const cwd = makeFolder(t, { "conf.yaml": "applications_file: apps.json\n", "apps.json": json("a") });
  const { source } = open(cwd);
  await source.load();
  const next = follow(t, source);
  replace(join(cwd, "apps.json"), "[");
  assert.match(await next(), /^refused/);
  replace(join(cwd, "apps.json"), json("a"));
  assert.equal(await source.reload(), true);
  replace(join(cwd, "apps.json"), json("a b"));
  assert.equal(await next(), "a b");
});

test("having no application is taken where the set says that it is meant", async (t) => {
  const cwd = makeFolder(t, { "conf.yaml": "applications_file: apps.json\n", "apps.json": json("a") });
  const { source } = open(cwd);
  await source.load();
  const next = follow(t, source);
  replace(join(cwd, "apps.json"), json("", { allow_empty: true }));
  assert.equal(await next(), "");
});

test("the configuration file is followed through every way of writing it", async (t) => {
  const text = (keys: string) => `applications: ${json(keys).slice('{"applications":'.length, -1)}\n`;
  const cwd = makeFolder(t, { "conf.yaml": text("a") });
  const file = join(cwd, "conf.yaml");
  const { source } = open(cwd);
  assert.equal(keysOf(await source.load()), "a");
  const next = follow(t, source);
  writeFileSync(file, text("a b"));
  assert.equal(await next(), "a b");
  for (const keys of ["b", "b c"]) {
    writeFileSync(`${file}.tmp`, text(keys));
    renameSync(`${file}.tmp`, file);
    assert.equal(await next(), keys);
  }
  rmSync(file);
  assert.equal(await next(), "refused: conf.yaml: file: does not exist");
  writeFileSync(file, text("d"));
  assert.equal(await next(), "d");
});

test("a configuration file in a mounted ConfigMap is followed", async (t) => {
  const cwd = makeFolder(t);
  const mount = createMount(cwd);
  mount.write({ "conf.yaml": `applications: [{app_key: a, app_secret: ${SECRET}}]\n` });
  const { source } = open(cwd);
  await source.load();
  const next = follow(t, source);
  mount.write({ "conf.yaml": `applications: [{app_key: b, app_secret: ${SECRET}}]\n` });
  assert.equal(await next(), "b");
});

test("keys that take a restart are named when they change, and nothing else is said", async (t) => {
  const text = (rest: string) => `${rest}applications: [{app_key: a, app_secret: ${SECRET}}]\n`;
  const cwd = makeFolder(t, { "conf.yaml": text("") });
  const { source, logs } = open(cwd);
  await source.load();
  replace(join(cwd, "conf.yaml"), text("ping: {seconds: 5}\napp: x\n"));
  assert.equal(await source.reload(), true);
  assert.match(logs.join(), /"event":"restart needed","keys":\["app","ping"\]/);
  const said = logs.length;
  replace(join(cwd, "conf.yaml"), text("# a comment\nping: {seconds: 5}\napp: x\n"));
  assert.equal(await source.reload(), true);
  assert.equal(logs.length, said);
});

test("applications of the environment stand above the file's, whatever the file becomes", async (t) => {
  const cwd = makeFolder(t, { "conf.yaml": `applications: [{app_key: file, app_secret: ${SECRET}}]\n` });
  const { source } = open(cwd, { XLVEIN_APPLICATIONS: json("env") });
  assert.equal(keysOf(await source.load()), "env");
  replace(join(cwd, "conf.yaml"), "applications: [\n");
  assert.equal(await source.reload(), true);
});

test("the configuration, a file and a directory make one set", async (t) => {
  const cwd = makeFolder(t, {
    "conf.yaml": `applications: [{app_key: a, app_secret: ${SECRET}-x}]\napplications_file: b.json\napplications_dir: c\n`,
    "b.json": json("b"),
    "c/applications.json": json("c"),
  });
  const { source } = open(cwd);
  const set = await source.load();
  assert.equal(keysOf(set), "a b c");
  const next = follow(t, source);
  replace(join(cwd, "b.json"), json("b b2"));
  assert.equal(await next(), "a b b2 c");
  replace(join(cwd, "c/applications.json"), json("c b"));
  assert.equal(await next(), 'refused: c: application "b": is in b.json too');
});

test("a secret that two places share is a warning that --strict refuses", async (t) => {
  const cwd = makeFolder(t, {
    "conf.yaml": `applications: [{app_key: a, app_secret: ${SECRET}}]\napplications_file: b.json\n`,
    "b.json": JSON.stringify([{ app_key: "b", app_secret: SECRET }]),
  });
  const { source, logs } = open(cwd);
  assert.equal(keysOf(await source.load()), "a b");
  assert.match(logs.join(), /"where":"b\.json","key":"application \\"b\\"","message":"has a secret of application \\"a\\"/);
});

test("an older counted revision does not replace a newer one of its place", async (t) => {
  const cwd = makeFolder(t, { "conf.yaml": "applications_file: apps.json\n", "apps.json": json("a", { revision: 9 }) });
  const { source } = open(cwd);
  assert.equal((await source.load()).revision, "9");
  const next = follow(t, source);
  replace(join(cwd, "apps.json"), json("a b", { revision: "10-f00" }));
  assert.equal(await next(), "a b");
  replace(join(cwd, "apps.json"), json("a", { revision: 9 }));
  assert.equal(await next(), "refused: apps.json: revision: 9 is older than 10-f00, which is in force");
  replace(join(cwd, "apps.json"), json("c", { revision: "blue" }));
  assert.equal(await next(), "c");
});

test("the first load tells every fault of every place at once", async (t) => {
  const cwd = makeFolder(t, {
    "conf.yaml": "applications:\n  - {app_key: a}\napplications_file: b.yaml\n",
    "b.yaml": "- app_key: b\n  app_secret: ''\n- app_key: c\n  app_secrt: x\n",
  });
  await assert.rejects(open(cwd).source.load(), (error: Error) => {
    assert.ok(error instanceof ConfigError);
    assert.deepEqual(error.message.split("\n"), [
      "conf.yaml:2: applications[0].app_secret: is missing",
      "b.yaml:2: applications[0].app_secret: must not be empty",
      "b.yaml:4: applications[1].app_secrt: unknown field; did you mean app_secret?",
      "b.yaml:3: applications[1].app_secret: is missing",
    ]);
    return true;
  });
});

test("a place that is named and cannot be read is an error at the first load", async (t) => {
  const wrong: [string, string][] = [
    ["applications_file: none.json\n", "none.json: applications_file: does not exist"],
    ["applications_dir: none\n", "none: applications_dir: does not exist"],
    ["applications_file: .\n", "applications_file: cannot be read (EISDIR)"],
    ["applications_dir: conf.yaml\n", "conf.yaml: applications_dir: cannot be read (ENOTDIR)"],
  ];
  for (const [text, message] of wrong) {
    const cwd = makeFolder(t, { "conf.yaml": text });
    await assert.rejects(open(cwd).source.load(), (error: Error) => error instanceof ConfigError && error.message.endsWith(message));
  }
});

test("short, shared and published secrets start with a warning in the log", async (t) => {
  const cwd = makeFolder(t, {
    "conf.yaml": "applications:\n  - {app_key: test, app_secret: j8jasd98efan9sdfj89asjdf}\n  - {app_key: test2, app_secret: j8jasd98efan9sdfj89asjdf}\n",
  });
  const { source, logs } = open(cwd);
  assert.equal((await source.load()).apps.size, 2);
  const warnings = logs.map((line) => JSON.parse(line) as { level: string; where: string; message: string });
  assert.ok(warnings.every(({ level }) => level === "warn"));
  const said = warnings.map(({ where, message }) => `${where} ${message}`).join("\n");
  assert.match(said, /^conf\.yaml:2 has 24 bytes/m);
  assert.match(said, /^conf\.yaml:3 has a secret of application "test"/m);
  assert.match(said, /published sample secret and 0\.0\.0\.0 is reachable/);
  assert.ok(!logs.join().includes("j8jasd98efan9sdfj89asjdf"));
});

test("metrics show the revision in force alone, and whether the last set was taken", async (t) => {
  const cwd = makeFolder(t, { "conf.yaml": "applications_file: apps.json\n", "apps.json": json("a", { revision: 1 }) });
  let now = 5_000;
  const { source } = open(cwd, {}, { now: () => now });
  const metrics = createMetrics("0");
  await source.load();
  source.report(metrics);
  const read = async () => (await metrics.registry.metrics()).split("\n").filter((line) => /^xlvein_config/.test(line));
  const lines = (revision: number, good: number, seconds: number) => [
    `xlvein_config_info{revision="${revision}"} 1`,
    `xlvein_config_last_reload_successful ${good}`,
    `xlvein_config_last_reload_success_timestamp_seconds ${seconds}`,
  ];
  assert.deepEqual(await read(), lines(1, 1, 5));
  now = 7_000;
  replace(join(cwd, "apps.json"), json("b", { revision: 2 }));
  await source.reload();
  assert.deepEqual(await read(), lines(2, 1, 7));
  now = 9_000;
  replace(join(cwd, "apps.json"), "{");
  await source.reload();
  assert.deepEqual(await read(), lines(2, 0, 7));
  replace(join(cwd, "apps.json"), json("b", { revision: 2 }));
  await source.reload();
  assert.deepEqual(await read(), lines(2, 1, 9));
});

test("what is only touched is not offered again", async (t) => {
  const cwd = makeFolder(t, { "conf.yaml": "applications_file: apps.json\n", "apps.json": json("a") });
  const { source } = open(cwd);
  await source.load();
  const next = follow(t, source);
  replace(join(cwd, "apps.json"), json("a"));
  assert.equal(await source.reload(), true);
  replace(join(cwd, "apps.json"), json("b"));
  assert.equal(await next(), "b");
});

test("a change between load and watch is not missed", async (t) => {
  const cwd = makeFolder(t, { "conf.yaml": "applications_file: apps.json\n", "apps.json": json("a") });
  const { source } = open(cwd);
  await source.load();
  replace(join(cwd, "apps.json"), json("b"));
  assert.equal(await follow(t, source)(), "b");
});

test("a directory that is removed and made anew is found by the slow look", async (t) => {
  const cwd = makeFolder(t, { "conf.yaml": "applications_dir: secret\n", "secret/applications.json": json("a") });
  const { source } = open(cwd, {}, { pollMs: 50 });
  await source.load();
  const next = follow(t, source);
  rmSync(join(cwd, "secret"), { recursive: true });
  let told = await next();
  while (told !== "refused: secret: applications_dir: does not exist") told = await next();
  mkdirSync(join(cwd, "secret"));
  replace(join(cwd, "secret/applications.json"), json("b"));
  while (told !== "b") told = await next();
  replace(join(cwd, "secret/applications.json"), json("c"));
  assert.equal(await next(), "c");
});

test("whoever has stopped watching is told nothing more", async (t) => {
  const cwd = makeFolder(t, { "conf.yaml": "applications_file: apps.json\n", "apps.json": json("a") });
  const { source } = open(cwd);
  await source.load();
  const told: string[] = [];
  const stop = source.watch((set) => told.push(keysOf(set)));
  stop();
  stop();
  replace(join(cwd, "apps.json"), json("b"));
  assert.equal(await source.reload(), true);
  assert.deepEqual(told, []);
});
