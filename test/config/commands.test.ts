// `xlvein check-config` and `xlvein print-config` as a person and as a script meet them.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import type { Io } from "../../server/src/cli/io.ts";
import { run } from "../../server/src/cli/main.ts";
import { settings } from "../../server/src/config/schema.ts";
import { makeFolder } from "./folder.ts";

const SECRET = "0123456789abcdef0123456789abcdef";
const root = join(import.meta.dirname, "../..");

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function xlvein(cwd: string, argv: string[], env: Record<string, string> = {}): Promise<Result> {
  const [out, err]: string[][] = [[], []];
  const io: Io = { env, cwd, terminal: false, out: (text) => void out?.push(text), err: (text) => void err?.push(text) };
  const code = await run(argv, io);
  return { code, out: out?.join("\n") ?? "", err: err?.join("\n") ?? "" };
}

test("a sound configuration is said to be one, with exit code 0", async (t) => {
  const cwd = makeFolder(t, { "conf.yaml": `applications:\n  - {app_key: a, app_secret: ${SECRET}}\n` });
  for (const argv of [["check-config"], ["check-config", "--strict"], ["check-config", "-c", "conf.yaml"]]) {
    assert.deepEqual(await xlvein(cwd, argv), { code: 0, out: "conf.yaml: can be used, 1 application, 0 errors, 0 warnings", err: "" });
  }
});

test("every fault is told by file and line, those of the applications too, with exit code 1", async (t) => {
  const cwd = makeFolder(t, {
    "conf.yaml": `limits:\n  frame_byte: 1\napplications:\n  - app_key: a\n    app_secret: ${SECRET}\n    limit: {}\napplications_file: more.json\n`,
    "more.json": '[\n  {"app_key": "b"}\n]',
  });
  assert.deepEqual(await xlvein(cwd, ["check-config"], { XLVEIN_HOSTS: "x" }), {
    code: 1,
    out: [
      "conf.yaml:2: limits.frame_byte: unknown key; did you mean limits.frame_bytes?",
      "more.json:2: applications[0].app_secret: is missing",
      "conf.yaml:6: applications[0].limit: unknown field; did you mean limits?",
      "environment: XLVEIN_HOSTS: unknown variable, ignored; did you mean XLVEIN_HOST? (warning)",
      "conf.yaml: cannot be used, 3 errors, 1 warning (--strict refuses 1)",
    ].join("\n"),
    err: "",
  });
});

test("the classic sample can be used, and --strict refuses it", async (t) => {
  const text =
    "host: ':8090'\napplications:\n  - {app_key: test, app_secret: j8jasd98efan9sdfj89asjdf}\n  - {app_key: test2, app_secret: j8jasd98efan9sdfj89asjdf}\n";
  const cwd = makeFolder(t, { "conf.yml": text });
  const plain = await xlvein(cwd, ["check-config"]);
  assert.equal(plain.code, 0);
  assert.match(plain.out, /"test": has the published sample secret and 0\.0\.0\.0 is reachable from outside/);
  assert.match(plain.out, /conf\.yml: can be used, 2 applications, 0 errors, 5 warnings \(--strict refuses 3\)$/);
  const strict = await xlvein(cwd, ["check-config", "--strict"]);
  assert.equal(strict.code, 1);
  assert.match(strict.out, /conf\.yml:3: applications\[0\]\.app_secret: has 24 bytes/);
  assert.match(strict.out, /"test2": has the published sample secret, which everybody knows; replace it/);
  assert.match(strict.out, /conf\.yml: cannot be used, 2 applications, 5 errors, 0 warnings$/);
});

test("--strict refuses the published secret though short ones are allowed, and on loopback", async (t) => {
  const app = "{app_key: test, app_secret: j8jasd98efan9sdfj89asjdf, allow_short_secrets: true}";
  const cwd = makeFolder(t, { "conf.yaml": `host: "127.0.0.1:8090"\napplications:\n  - ${app}\n` });
  assert.equal((await xlvein(cwd, ["check-config"])).code, 0);
  const { code, out } = await xlvein(cwd, ["check-config", "--strict"]);
  assert.equal(code, 1);
  assert.match(out, /cannot be used, 1 application, 1 error, 1 warning$/);
});

test("--strict refuses unknown keys and variables, and bears keys of other programs", async (t) => {
  const cwd = makeFolder(t, { "conf.yaml": "mysql: {a: 1}\nredis: {b: 1}\n" });
  assert.equal((await xlvein(cwd, ["check-config", "--strict"])).code, 0);
  assert.equal((await xlvein(cwd, ["check-config", "--strict"], { XLVEIN_HOSTS: "x" })).code, 1);
  const typo = makeFolder(t, { "conf.yaml": "exchang: {type: local}\n" });
  assert.equal((await xlvein(typo, ["check-config"])).code, 0);
  assert.equal((await xlvein(typo, ["check-config", "--strict"])).code, 1);
});

test("a fault is told once, though the file is read for the applications too", async (t) => {
  const broken = makeFolder(t, { "conf.yaml": "a: 1\na: 2\n" });
  assert.deepEqual((await xlvein(broken, ["check-config"])).out.split("\n"), [
    "conf.yaml:2: syntax: Map keys must be unique",
    "conf.yaml: cannot be used, 1 error, 0 warnings",
  ]);
  const typed = makeFolder(t, { "conf.yaml": "applications: none\n" });
  assert.equal((await xlvein(typed, ["check-config"])).out.split("\n").length, 2);
});

test("a file that does not exist is told, and without any file the defaults are checked", async (t) => {
  const cwd = makeFolder(t);
  const missing = await xlvein(cwd, ["check-config", "--config", "none.yaml"]);
  assert.equal(missing.code, 1);
  assert.match(missing.out, /^none\.yaml: file: does not exist$/m);
  const none = await xlvein(cwd, ["check-config"]);
  assert.deepEqual([none.code, none.out], [0, "configuration without a file: can be used, 0 applications, 0 errors, 0 warnings"]);
});

test("a certificate that cannot be used is told at its key", async (t) => {
  const cwd = makeFolder(t, { "conf.yaml": "tls:\n  cert: c.pem\n  key: k.pem\n", "c.pem": "no PEM", "k.pem": "no PEM" });
  const { code, out } = await xlvein(cwd, ["check-config"]);
  assert.equal(code, 1);
  assert.match(out, /^conf\.yaml:2: tls: .*c\.pem .*k\.pem do not make a key pair/m);
  const absent = makeFolder(t, { "conf.yaml": "tls: {cert: c.pem, key: k.pem}\n" });
  assert.match((await xlvein(absent, ["check-config"])).out, /^conf\.yaml:1: tls: tls\.cert: .*c\.pem cannot be read: ENOENT/m);
});

test("--json tells the same to a script", async (t) => {
  const cwd = makeFolder(t, { "conf.yaml": `limits:\n  frame_byte: 1\napplications: {revision: 7, applications: [{app_key: a, app_secret: ${SECRET}}]}\n` });
  const { code, out } = await xlvein(cwd, ["check-config", "--json"]);
  assert.equal(code, 1);
  assert.deepEqual(JSON.parse(out), {
    ok: false,
    strict: false,
    file: join(cwd, "conf.yaml"),
    applications: 1,
    revision: "7",
    errors: 1,
    warnings: 0,
    findings: [{ severity: "error", key: "limits.frame_byte", message: "unknown key", source: "conf.yaml", line: 2, suggestion: "limits.frame_bytes" }],
  });
});

const SECRETS = ["hunter2", SECRET, "j8jasd98efan9sdfj89asjdf"];
const FULL = `host: "127.0.0.1:9000"
exchange:
  redis: "redis://:hunter2@cache:6379"
  rabbitmq: "amqp://xlvein:hunter2@T$z@127.0.0.1:5672/vein"
applications:
  - {app_key: a, app_secret: ${SECRET}, algorithms: [HS256]}
  - app_key: b
    secrets: [{id: one, secret: j8jasd98efan9sdfj89asjdf, not_after: "2030-01-01T00:00:00Z"}]
`;

test("print-config shows what is in force and where it comes from, and no secret", async (t) => {
  const cwd = makeFolder(t, { "conf.yaml": FULL });
  const { code, out } = await xlvein(cwd, ["print-config"], { XLVEIN_LIMITS_JSON_DEPTH: "9", PORT: "9001" });
  assert.equal(code, 0);
  for (const secret of SECRETS) assert.ok(!out.includes(secret), secret);
  for (const line of [
    "host: 127.0.0.1:9001 # PORT",
    "  redis: redis://:********@cache:6379 # conf.yaml:3",
    "  rabbitmq: amqp://xlvein:********@127.0.0.1:5672/vein # conf.yaml:4",
    "  json_depth: 9 # XLVEIN_LIMITS_JSON_DEPTH",
    "  frame_bytes: 65536 # default",
    'applications_file: "" # default',
  ])
    assert.ok(out.split("\n").includes(line), `${line}\n${out}`);
  const config = parse(out) as Record<string, unknown>;
  assert.deepEqual(config.applications, [
    { app_key: "a", app_secret: "********", algorithms: ["HS256"] },
    { app_key: "b", secrets: [{ id: "one", secret: "********", not_after: "2030-01-01T00:00:00Z" }] },
  ]);
});

test("print-config shows what an application says about its streams, and check-config names the rule at fault by line", async (t) => {
  const app = { app_key: "a", client_rights: ["direct"], slow: "conflate", history: { messages: 5, seconds: 60 } };
  const rooms = [{ prefix: "news:", publish: "nobody", slow: "drop_oldest", history: { messages: 0 } }];
  const cwd = makeFolder(t, { "conf.yaml": JSON.stringify({ applications: [{ ...app, app_secret: SECRET, rooms }] }) });
  assert.deepEqual((parse((await xlvein(cwd, ["print-config"])).out) as Record<string, unknown>).applications, [{ ...app, app_secret: "********", rooms }]);
  const bad = makeFolder(t, {
    "conf.yaml": `applications:\n  - app_key: a\n    app_secret: ${SECRET}\n    rooms:\n      - { prefix: "news:" }\n      - prefx: "chat:"\n        prefix: "chat:*"\n`,
  });
  const { code, out } = await xlvein(bad, ["check-config"]);
  assert.equal(code, 1);
  assert.deepEqual(out.split("\n").slice(0, 2), [
    "conf.yaml:6: applications[0].rooms[1].prefx: unknown field; did you mean prefix?",
    'conf.yaml:7: applications[0].rooms[1].prefix: must not hold *: it fits every room that begins with it; did you mean "chat:"?',
  ]);
});

test("print-config --json holds every key and its origin", async (t) => {
  const cwd = makeFolder(t, { "conf.yaml": FULL });
  const { out } = await xlvein(cwd, ["print-config", "--json"]);
  const { file, config, origin } = JSON.parse(out) as { file: string; config: Record<string, Record<string, unknown>>; origin: Record<string, string> };
  for (const secret of SECRETS) assert.ok(!out.includes(secret), secret);
  assert.equal(file, join(cwd, "conf.yaml"));
  for (const { key } of settings) {
    const value = key.split(".").reduce<unknown>((node, name) => (node as Record<string, unknown> | undefined)?.[name], config);
    assert.notEqual(value, undefined, key);
    assert.ok(origin[key], key);
  }
  assert.equal(origin["exchange.redis"], "conf.yaml:3");
});

test("what print-config prints is a configuration that gives the same values", async (t) => {
  const cwd = makeFolder(t, { "conf.yaml": "limits: {connections: 5}\nlog: {level: warn}\nstore: {history: {messages: 7}}\nexchange: {redis: [a, b]}\n" });
  const first = await xlvein(cwd, ["print-config", "--json"]);
  const again = makeFolder(t, { "conf.yaml": (await xlvein(cwd, ["print-config"])).out });
  const second = await xlvein(again, ["print-config", "--json"]);
  assert.deepEqual(JSON.parse(second.out).config, JSON.parse(first.out).config);
});

test("print-config masks the password of every address in a list", async (t) => {
  const redis = ["redis://:hunter2@a", "rediss+sentinel://app:hunter2@b,c/main?sentinel_password=hunter2", "redis+cluster://hunter2@d"];
  const cwd = makeFolder(t, { "conf.yaml": JSON.stringify({ exchange: { redis, rabbitmq: ["amqp://u:hunter2@e,f/v"], tls: { ca: "ca.pem" } } }) });
  for (const argv of [["print-config"], ["print-config", "--json"]]) {
    const { code, out } = await xlvein(cwd, argv);
    assert.equal(code, 0);
    assert.ok(!out.includes("hunter2"), out);
    for (const place of ["********@b,c/main", "redis+cluster://********@d", "amqp://u:********@e,f/v", join(cwd, "ca.pem")])
      assert.ok(out.includes(place), place);
  }
});

test("print-config of a configuration that cannot be used tells the faults instead", async (t) => {
  const cwd = makeFolder(t, { "conf.yaml": "limits: {frame_bytes: many}\n" });
  const { code, out, err } = await xlvein(cwd, ["print-config"]);
  assert.deepEqual([code, out], [1, ""]);
  assert.match(err, /conf\.yaml:1: limits\.frame_bytes: must be a whole number/);
});

test("the real command ends with the exit code and writes to standard output", (t) => {
  const cwd = makeFolder(t, { "conf.yaml": "host: http://x\n" });
  const script = 'const { main } = await import(process.argv[1]); process.argv.splice(1, 1, "xlvein"); await main();';
  const argv = ["--input-type=module", "-e", script, join(root, "server/src/cli/main.ts"), "check-config"];
  assert.throws(
    () => execFileSync(process.execPath, argv, { cwd, env: {}, stdio: "pipe" }),
    (error: Error & { status?: number; stdout?: Buffer }) => {
      assert.equal(error.status, 1);
      assert.match(String(error.stdout), /^conf\.yaml:1: host: must be an address/);
      return true;
    },
  );
});
