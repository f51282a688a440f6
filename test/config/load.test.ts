// Where values come from, which source stands above which, and what a file of the classic service means.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { ConfigError, formatFinding } from "../../server/src/config/config.ts";
import { formatOrigin } from "../../server/src/config/entry.ts";
import { inspectConfig, type LoadedConfig, type LoadOptions, loadConfig } from "../../server/src/config/load.ts";
import { schema, settings } from "../../server/src/config/schema.ts";
import { makeFolder } from "./folder.ts";

type Context = Parameters<typeof makeFolder>[0];

function load(t: Context, text: string, rest: Partial<LoadOptions> = {}): LoadedConfig {
  return inspectConfig({ env: {}, cwd: makeFolder(t, { "conf.yaml": text }), ...rest });
}

function originOf({ origin }: LoadedConfig, key: string): string {
  const from = origin.get(key);
  return from ? formatOrigin(from) : "";
}

/** As the classic service's documentation shows it. */
const CLASSIC = `debug: true
app: "xlvein"
host: ":8090"                 # ":8080" and "0.0.0.0:8090" are also seen
exchange:
  type: "local"               # local | redis | rabbitmq
  exchange_name: "xlvein.im"
  queue_name: "xlvein.im.queue"
  rabbitmq: "amqp://xlvein:WFxg5FNMedN@T$z@127.0.0.1:5672/vein"   # note the unescaped '@' in the password: it must connect
  redis: "127.0.0.1:6379"     # host:port without a scheme must work, redis:// and rediss:// too
applications:
  - {app_key: "test",  app_secret: "j8jasd98efan9sdfj89asjdf"}
  - {app_key: "test2", app_secret: "j8jasd98efan9sdfj89asjdf"}
`;

test("a file of the classic service loads unchanged and without a finding", (t) => {
  for (const name of ["conf.yaml", "conf.yml"]) {
    const { config, findings, file } = loadConfig({ env: {}, cwd: makeFolder(t, { [name]: CLASSIC }) });
    assert.deepEqual(findings, []);
    assert.ok(file?.endsWith(name));
    assert.deepEqual(config.listen, { host: "0.0.0.0", port: 8090 });
    assert.equal(config.debug, true);
    assert.equal(config.log.level, "debug");
    assert.deepEqual([config.exchange.type, config.exchange.exchangeName, config.exchange.queueName], ["local", "xlvein.im", "xlvein.im.queue"]);
    assert.deepEqual(config.exchange.rabbitmq, ["amqp://xlvein:WFxg5FNMedN%40T%24z@127.0.0.1:5672/vein"]);
    assert.deepEqual(config.exchange.redis, ["redis://127.0.0.1:6379/0"]);
    assert.equal((config.applications as unknown[]).length, 2);
  }
});

test("a classic file with a broker gets the store that goes with it", (t) => {
  assert.equal(load(t, CLASSIC).config.store.type, "memory");
  assert.equal(load(t, CLASSIC.replace('"local"', "redis")).config.store.type, "redis");
  const rabbitmq = load(t, CLASSIC.replace('"local"', "rabbitmq"));
  assert.equal(rabbitmq.config.store.type, "none");
  assert.deepEqual(rabbitmq.findings, []);
});

test("keys of other programs are ignored with one warning each", (t) => {
  const { findings } = load(t, `${CLASSIC}mysql:\n  host: "127.0.0.1"\n  tables: {a: 1}\nredis:\n  addr: "127.0.0.1:6379"\n  db: 0\n`);
  assert.deepEqual(
    findings.map(({ severity, key, line, strict }) => [severity, key, line, strict]),
    [
      ["warning", "mysql", 13, undefined],
      ["warning", "redis", 16, undefined],
    ],
  );
});

test("YAML 1.1 words for true and false are read as the classic service did", (t) => {
  assert.equal(load(t, "debug: yes\n").config.debug, true);
  assert.equal(load(t, "debug: off\n").config.debug, false);
});

test("without any file the defaults hold, and every key says so", (t) => {
  const loaded = loadConfig({ env: {}, cwd: makeFolder(t) });
  assert.equal(loaded.file, undefined);
  assert.deepEqual(loaded.findings, []);
  for (const { key } of settings) assert.equal(originOf(loaded, key), "default");
  assert.deepEqual(loaded.config, {
    debug: false,
    app: "xlvein",
    listen: { host: "0.0.0.0", port: 8090 },
    tls: undefined,
    internal: { host: "127.0.0.1", port: 8091, enabled: true, explicit: false },
    exchange: {
      type: "local",
      exchangeName: "xlvein",
      queueName: "xlvein.queue",
      rabbitmq: [],
      redis: [],
      tls: undefined,
      buckets: 1024,
      wireVersion: 1,
      probeMs: 5000,
    },
    store: { type: "memory", history: { messages: 100, ms: 300000 } },
    applications: [],
    applicationsFrom: "default",
    applicationsFile: "",
    applicationsDir: "",
    applicationsSecret: "",
    limits: {
      frameBytes: 65536,
      bodyBytes: 1048576,
      jsonDepth: 64,
      tokenBytes: 4096,
      connections: 20000,
      outboxBytes: 1048576,
      recoverMessages: 1000,
      unauthenticatedSockets: 5000,
      headersTimeoutMs: 10000,
      requestTimeoutMs: 15000,
      upgradeTimeoutMs: 2000,
    },
    ping: { intervalMs: 25000, missed: 2 },
    drain: { windowMs: 30000 },
    rebalance: { enabled: false, threshold: 1.25, closesPerSecond: 20 },
    podDeletionCost: { enabled: false },
    ready: { eventLoopLagMs: 2000, heapUsedRatio: 0.95, exchange: false },
    log: { level: "info" },
    console: { enabled: false },
    docs: { enabled: true },
  });
});

test("conf.yaml stands above conf.yml, which is named; a named file stands above both", (t) => {
  const cwd = makeFolder(t, { "conf.yaml": "app: a\n", "conf.yml": "app: b\n", "other.yaml": "app: c\n" });
  const both = inspectConfig({ env: {}, cwd });
  assert.equal(both.config.app, "a");
  assert.deepEqual(both.findings.map(formatFinding), ["conf.yml: file: ignored, because conf.yaml exists"]);
  assert.equal(inspectConfig({ env: {}, cwd, file: "other.yaml" }).config.app, "c");
  assert.equal(inspectConfig({ env: { XLVEIN_CONFIG: "other.yaml" }, cwd }).config.app, "c");
  assert.equal(inspectConfig({ env: { XLVEIN_CONFIG: "other.yaml" }, cwd, file: "conf.yml" }).config.app, "b");
});

test("a named file that cannot be read is an error, whoever named it", (t) => {
  const cwd = makeFolder(t, { "folder/x": "" });
  const message = (options: Partial<LoadOptions>) => {
    try {
      loadConfig({ env: {}, cwd, ...options });
    } catch (error) {
      assert.ok(error instanceof ConfigError);
      return error.message;
    }
    return assert.fail("no error");
  };
  assert.equal(message({ file: "none.yaml" }), "none.yaml: file: does not exist");
  assert.equal(message({ env: { XLVEIN_CONFIG: "none.yaml" } }), "none.yaml: file: does not exist");
  assert.equal(message({ file: "folder" }), "folder: file: cannot be read (EISDIR)");
});

test("flags stand above the environment, that above the file, that above the defaults, for every key", (t) => {
  for (const setting of settings) {
    const { key, variable } = setting;
    const [inFile, inEnv, inFlags] = threeValues(setting);
    const text = JSON.stringify(key.split(".").reduceRight<unknown>((value, name) => ({ [name]: value }), inFile));
    const cwd = makeFolder(t, { "conf.yaml": text });
    const env = { [variable]: typeof inEnv === "object" ? JSON.stringify(inEnv) : String(inEnv) };
    const read = (options: Omit<LoadOptions, "cwd">) => {
      const loaded = inspectConfig({ cwd, ...options });
      return [loaded.values.get(key), originOf(loaded, key)];
    };
    const seen = (value: unknown) => (setting.format === "path" ? join(cwd, String(value)) : value);
    assert.deepEqual(read({ env: {} }), [seen(inFile), "conf.yaml:1"], key);
    assert.deepEqual(read({ env }), [seen(inEnv), variable], key);
    assert.deepEqual(read({ env, flags: { [key]: inFlags } }), [seen(inFlags), `--${key}`], key);
    assert.deepEqual(read({ env, flags: { [key]: undefined } }), [seen(inEnv), variable], key);
  }
});

/** Three values, each other than the one before. */
function threeValues({ format, min = 0, max = Number.POSITIVE_INFINITY, choices = [], default: usual }: (typeof settings)[number]): unknown[] {
  switch (format) {
    case "switch":
      return [!usual, usual, !usual];
    case "whole":
    case "decimal":
      if (max - min < 3 && format === "whole") return [max, min, max];
      return format === "decimal" && usual === 0.95 ? [0.1, 0.2, 0.3] : [min + 1, min + 2, min + 3];
    case "choice":
      return [choices[0], choices[1], choices[2]];
    case "listen":
      return ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"];
    case "applications":
      return [[{ app_key: "a" }], [{ app_key: "b" }], [{ app_key: "c" }]];
    default:
      return ["a", "b", "c"];
  }
}

test("an empty variable counts as unset", (t) => {
  const { config, findings } = load(t, "app: file\n", { env: { XLVEIN_APP: "", PORT: "", REDIS_URL: "", XLVEIN_APPLICATIONS: "" } });
  assert.equal(config.app, "file");
  assert.deepEqual(findings, []);
});

test("PORT changes the port of the file's address; XLVEIN_HOST with a port and flags stand above it", (t) => {
  const listen = (options: Partial<LoadOptions>) => load(t, 'host: "127.0.0.1:8090"\n', options).config.listen;
  const env = { PORT: "3000" };
  assert.deepEqual(listen({ env }), { host: "127.0.0.1", port: 3000 });
  assert.deepEqual(listen({ env: { ...env, XLVEIN_HOST: "10.0.0.1" } }), { host: "10.0.0.1", port: 3000 });
  assert.deepEqual(listen({ env: { ...env, XLVEIN_HOST: ":9000" } }), { host: "0.0.0.0", port: 9000 });
  assert.deepEqual(listen({ env, flags: { host: "[::1]" } }), { host: "::1", port: 3000 });
  assert.deepEqual(listen({ env, flags: { port: "0" } }), { host: "127.0.0.1", port: 0 });
  assert.deepEqual(listen({ env, flags: { port: 4000, host: "::1" } }), { host: "::1", port: 4000 });
  assert.deepEqual(load(t, "", { env: { PORT: "http" } }).findings.map(formatFinding), ["environment: PORT: must be a port from 0 to 65535"]);
  assert.deepEqual(load(t, "", { flags: { port: 70000 } }).findings.map(formatFinding), ["flags: port: must be a port from 0 to 65535"]);
});

test("REDIS_URL and RABBITMQ_URL name the brokers; XLVEIN_ names stand above them", (t) => {
  const env = { REDIS_URL: "redis://platform", RABBITMQ_URL: "amqp://platform" };
  const { exchange } = load(t, "exchange: {redis: file, rabbitmq: file}\n", { env }).config;
  assert.deepEqual([exchange.redis, exchange.rabbitmq], [["redis://platform:6379/0"], ["amqp://platform:5672/%2F"]]);
  assert.deepEqual(load(t, "", { env: { ...env, XLVEIN_EXCHANGE_REDIS: "redis://own" } }).config.exchange.redis, ["redis://own:6379/0"]);
});

test("addresses come from the files that *_FILE names, without the newline at the end", (t) => {
  const cwd = makeFolder(t, { "run/redis": "redis://:p@ss@h:6379\n", "run/rabbit": "amqp://u:p@h/v\n", "run/shards": "redis://:one@a\nredis://:two@b\n" });
  const read = (env: Record<string, string>) => inspectConfig({ env, cwd });
  assert.deepEqual(read({ REDIS_URL_FILE: "run/redis" }).config.exchange.redis, ["redis://:p%40ss@h:6379/0"]);
  assert.deepEqual(read({ XLVEIN_EXCHANGE_REDIS_FILE: join(cwd, "run/redis") }).config.exchange.redis, ["redis://:p%40ss@h:6379/0"]);
  assert.deepEqual(read({ REDIS_URL_FILE: "run/shards" }).config.exchange.redis, ["redis://:one@a:6379/0", "redis://:two@b:6379/0"]);
  assert.deepEqual(read({ RABBITMQ_URL_FILE: "run/rabbit" }).config.exchange.rabbitmq, ["amqp://u:p@h:5672/v"]);
  assert.deepEqual(read({ XLVEIN_EXCHANGE_RABBITMQ_FILE: "run/rabbit" }).config.exchange.rabbitmq, ["amqp://u:p@h:5672/v"]);
  assert.deepEqual(read({ REDIS_URL_FILE: "run/none" }).findings.map(formatFinding), ["environment: REDIS_URL_FILE: run/none cannot be read (ENOENT)"]);
  assert.deepEqual(read({ REDIS_URL_FILE: "run/redis", REDIS_URL: "h" }).findings.map(formatFinding), [
    "environment: REDIS_URL_FILE: REDIS_URL is set too; unset one of them",
  ]);
});

test("a list of addresses is a list in the file, and in a text a JSON list or parted by white space; commas part hosts", (t) => {
  const redis = ["redis://a:6379/0", "redis+sentinel://:p@b:26379,c:26379/m/0"];
  const inFile = load(t, 'exchange: {redis: ["a", "redis+sentinel://:p@b,c/m"]}\n').config.exchange.redis;
  assert.deepEqual(inFile, redis);
  for (const text of ["a redis+sentinel://:p@b,c/m", " a\n redis+sentinel://:p@b,c/m\n", '["a", "redis+sentinel://:p@b,c/m"]']) {
    assert.deepEqual(load(t, "", { env: { REDIS_URL: text } }).config.exchange.redis, redis, text);
    assert.deepEqual(load(t, "", { flags: { "exchange.redis": text } }).config.exchange.redis, redis, text);
  }
  assert.deepEqual(load(t, "", { env: { REDIS_URL: "[::1]:6380" } }).config.exchange.redis, ["redis://[::1]:6380/0"]);
  const rabbitmq = ["amqp://u:p@a:5672/v", "amqp://u:p@b:5672/v", "amqp://c:5672/%2F"];
  assert.deepEqual(load(t, "exchange: {rabbitmq: ['amqp://u:p@a,b/v', 'amqp://c']}\n").config.exchange.rabbitmq, rabbitmq);
});

test("what is no list of addresses is refused, and never quoted", (t) => {
  const say = (text: string) => load(t, `exchange:\n  redis: ${text}\n`).findings.map(formatFinding);
  assert.deepEqual(say("6379"), ["conf.yaml:2: exchange.redis: must be an address or a list of addresses, in quotes"]);
  assert.deepEqual(say("{a: hunter2}"), ["conf.yaml:2: exchange.redis: must be an address or a list of addresses, in quotes"]);
  assert.deepEqual(say("[a, {b: hunter2}]"), ["conf.yaml:2: exchange.redis: must be an address or a list of addresses, in quotes; the 2nd is none"]);
});

test("a misspelt key two levels down is an error with what was meant", (t) => {
  const { findings } = load(t, "store:\n  history:\n    message: 5\n  histry: {}\nexchange:\n  tls: yes\n");
  assert.deepEqual(findings.map(formatFinding), [
    "conf.yaml:3: store.history.message: unknown key; did you mean store.history.messages?",
    "conf.yaml:4: store.histry: unknown key; did you mean store.history?",
    "conf.yaml:6: exchange.tls: must be a map of keys",
  ]);
});

test("unknown XLVEIN_ variables are named with what was meant", (t) => {
  const env = { XLVEIN_LIMIT_FRAME_BYTES: "1", XLVEIN_QUITE_ELSE: "1", XLVEIN_URL: "http://x", XLVEIN_APP_KEY: "k", XLVEIN_APP_SECRET: "s", OTHER: "1" };
  const { findings } = load(t, "", { env });
  assert.deepEqual(findings.map(formatFinding), [
    "environment: XLVEIN_LIMIT_FRAME_BYTES: unknown variable, ignored; did you mean XLVEIN_LIMITS_FRAME_BYTES?",
    "environment: XLVEIN_QUITE_ELSE: unknown variable, ignored",
  ]);
  assert.ok(findings.every(({ severity, strict }) => severity === "warning" && strict));
});

test("what Kubernetes says of a Service named xlvein is no configuration", (t) => {
  const links = {
    XLVEIN_SERVICE_HOST: "10.0.0.1",
    XLVEIN_SERVICE_PORT: "80",
    XLVEIN_SERVICE_PORT_HTTP: "80",
    XLVEIN_PORT: "tcp://10.0.0.1:80",
    XLVEIN_PORT_80_TCP: "tcp://10.0.0.1:80",
    XLVEIN_PORT_80_TCP_PROTO: "tcp",
    XLVEIN_PORT_80_TCP_PORT: "80",
    XLVEIN_PORT_80_TCP_ADDR: "10.0.0.1",
    XLVEIN_INTERNAL_PORT: "tcp://10.0.0.2:8091",
    XLVEIN_INTERNAL_SERVICE_HOST: "10.0.0.2",
  };
  const inPod = load(t, "", { env: { ...links, KUBERNETES_SERVICE_HOST: "10.0.0.9" } });
  assert.deepEqual(inPod.findings, []);
  assert.equal(inPod.config.internal.port, 8091);
  assert.equal(load(t, "", { env: { XLVEIN_INTERNAL_PORT: "9000", KUBERNETES_SERVICE_HOST: "10.0.0.9" } }).config.internal.port, 9000);
  assert.ok(load(t, "", { env: links }).findings.length > 0);
});

test("the internal listener is this machine's own, except in a pod", (t) => {
  assert.equal(load(t, "").config.internal.host, "127.0.0.1");
  const env = { KUBERNETES_SERVICE_HOST: "10.0.0.9" };
  assert.equal(load(t, "", { env }).config.internal.host, "0.0.0.0");
  assert.equal(load(t, "internal: {host: 127.0.0.1}\n", { env }).config.internal.host, "127.0.0.1");
  assert.deepEqual(load(t, "internal: {port: 8091}\n").config.internal, { host: "127.0.0.1", port: 8091, enabled: true, explicit: true });
});

test("a relative path begins at the file that holds it, or at the working directory", (t) => {
  const cwd = makeFolder(t, { "etc/conf.yaml": "applications_file: apps.json\ntls: {cert: tls/c.pem, key: /abs/k.pem}\n" });
  const { config } = inspectConfig({ env: { XLVEIN_APPLICATIONS_DIR: "run" }, cwd, file: "etc/conf.yaml" });
  assert.equal(config.applicationsFile, join(cwd, "etc/apps.json"));
  assert.equal(config.applicationsDir, join(cwd, "run"));
  assert.deepEqual(config.tls, { cert: join(cwd, "etc/tls/c.pem"), key: "/abs/k.pem" });
});

test("applications say who gave them, and a map is kept as written", (t) => {
  const map = { revision: 7, applications: [{ app_key: "a.b", limits: { max_connections: 1 } }] };
  const inFile = load(t, JSON.stringify({ applications: map })).config;
  assert.deepEqual([inFile.applications, inFile.applicationsFrom], [map, "file"]);
  const inEnv = load(t, "applications: []\n", { env: { XLVEIN_APPLICATIONS: JSON.stringify(map) } }).config;
  assert.deepEqual([inEnv.applications, inEnv.applicationsFrom], [map, "environment"]);
  assert.equal(load(t, "", { flags: { applications: [] } }).config.applicationsFrom, "flags");
});

test("exchange_name, else queue_name, separates installations", (t) => {
  const names = (text: string) => {
    const { exchangeName, queueName } = load(t, text).config.exchange;
    return [exchangeName, queueName];
  };
  assert.deepEqual(names("exchange: {queue_name: q}\n"), ["q", "q"]);
  assert.deepEqual(names("exchange: {exchange_name: e}\n"), ["e", "e.queue"]);
});

test("debug raises the log level unless the level is set", (t) => {
  assert.equal(load(t, "debug: true\n").config.log.level, "debug");
  assert.equal(load(t, "debug: true\nlog: {level: error}\n").config.log.level, "error");
  assert.equal(load(t, "debug: true\n", { flags: { "log.level": "warn" } }).config.log.level, "warn");
});

test("every key has its own variable, its default passes its own check", () => {
  const variables = settings.map(({ variable }) => variable);
  assert.equal(new Set(variables).size, variables.length);
  assert.ok(variables.includes("XLVEIN_LIMITS_FRAME_BYTES") && variables.includes("XLVEIN_APPLICATIONS_FILE"));
  assert.ok(Object.keys(schema).length > 10);
});
