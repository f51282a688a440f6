// `xlvein start`: where its settings come from, and one sentence for each reason not to start.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { connect } from "../helpers/client.ts";
import { SECRET } from "../helpers/server.ts";
import { type Result, startServing, startXlvein, temporaryFolder, xlvein, xlveinHere } from "./bin.ts";

const APPLICATIONS = [{ app_key: "test", app_secret: SECRET }];
const BASE = { host: "127.0.0.1:0", internal: { enabled: false }, applications: APPLICATIONS };

async function fileWith(t: TestContext, config: unknown): Promise<string> {
  const file = join(await temporaryFolder(t), "conf.yaml");
  await writeFile(file, typeof config === "string" ? config : JSON.stringify(config));
  return file;
}

async function busyPort(t: TestContext): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

function assertRefused({ code, stderr, stdout }: Result, message: RegExp, exit = 1): void {
  assert.equal(code, exit, stderr);
  assert.match(stderr, message);
  assert.doesNotMatch(stderr + stdout, /^ +at /m);
}

test("start serves the file's applications, writes JSON lines alone and takes clients", async (t) => {
  const serving = await startServing(t, { applications: APPLICATIONS });
  await connect(t, serving.url);
  assert.match(await serving.line(/"event":"starting"/), /"level":"info"/);
  for (const line of serving.printed.stdout.trim().split("\n")) assert.equal(typeof JSON.parse(line), "object", line);
  assert.equal(serving.printed.stderr, "");
});

test("web is start by its older name, and the file of the working directory is found", async (t) => {
  const cwd = await temporaryFolder(t);
  await writeFile(join(cwd, "conf.yml"), JSON.stringify(BASE));
  const serving = startXlvein(t, ["web"], { cwd });
  assert.match(await serving.line(/"event":"listening"/), /http:\/\/127\.0\.0\.1:\d+/);
});

test("flags stand above the environment, and that above the file", async (t) => {
  const file = await fileWith(t, { ...BASE, log: { level: "fatal" }, host: "127.0.0.1:1" });
  const serving = startXlvein(t, ["start", "--config", file, "--port", "0", "--set", "drain.window_seconds=7", "--log-level", "debug"], {
    env: { PORT: "2", XLVEIN_DRAIN_WINDOW_SECONDS: "3", XLVEIN_LOG_LEVEL: "error" },
  });
  const { url } = JSON.parse(await serving.line(/"event":"listening"/)) as { url: string };
  assert.notEqual(new URL(url).port, "2");
  serving.child.kill("SIGTERM");
  assert.equal((JSON.parse(await serving.line(/"event":"draining"/)) as { window_ms: number }).window_ms, 7_000);
  assert.deepEqual(await serving.ended, { code: 0, signal: null });
});

test("--console serves the test page, which is off by default", async (t) => {
  const file = await fileWith(t, BASE);
  for (const [args, status] of [
    [[], 404],
    [["--console"], 200],
  ] as const) {
    const serving = startXlvein(t, ["start", "--config", file, ...args]);
    const { url } = JSON.parse(await serving.line(/"event":"listening"/)) as { url: string };
    assert.equal((await fetch(`${url}/console`)).status, status);
  }
});

test("what the configuration warns of is logged with its place, and the server starts", async (t) => {
  const serving = await startServing(t, { applications: APPLICATIONS, mysql: {} });
  const { level, where, message } = JSON.parse(await serving.line(/"key":"mysql"/)) as Record<string, string>;
  assert.deepEqual([level, where], ["warn", "conf.yaml:1"]);
  assert.match(message ?? "", /ignored/);
});

test("a configuration at fault is refused with every fault at once, each with file, line and key", async (t) => {
  const file = await fileWith(t, 'host: "127.0.0.1:99999"\nlimits:\n  frame_byte: 1\nexchange:\n  type: kafka\n');
  const result = await xlvein(["start", "--config", file]);
  assertRefused(result, /^xlvein: the configuration cannot be used\n/);
  for (const place of [
    /conf\.yaml:1: host: /,
    /conf\.yaml:3: limits\.frame_byte: unknown key; did you mean limits\.frame_bytes\?/,
    /conf\.yaml:5: exchange\.type: /,
  ]) {
    assert.match(result.stderr, place);
  }
});

test("applications at fault are refused like any other key", async (t) => {
  const file = await fileWith(t, { ...BASE, applications: [{ app_key: "test" }] });
  assertRefused(await xlveinHere(["start", "--config", file]), /conf\.yaml:1: applications\[0\]/);
});

test("a file that is not there is named", async () => {
  assertRefused(await xlveinHere(["start", "--config", "nowhere.yaml"]), /nowhere\.yaml: file: does not exist/);
});

test("a flag at fault is a wrong usage", async () => {
  assertRefused(await xlveinHere(["start", "--port", "http"]), /flags: port: must be a port from 0 to 65535/, 2);
  assertRefused(await xlveinHere(["start", "--set", "limits.frame_byte=1"]), /flags: limits\.frame_byte: unknown key; did you mean limits\.frame_bytes\?/, 2);
  assertRefused(await xlveinHere(["start", "--set", "limits"]), /--set <key=value>.*Expected a key and a value/, 2);
  assertRefused(await xlveinHere(["start", "--log-level", "loud"]), /flags: log\.level: /, 2);
});

test("a port in use is named with the place that chose it", async (t) => {
  const port = await busyPort(t);
  const file = await fileWith(t, { ...BASE, host: `127.0.0.1:${port}` });
  const sentence = `is in use by another process; choose another port\n$`;
  assertRefused(await xlvein(["start", "--config", file]), new RegExp(`^xlvein: host 127\\.0\\.0\\.1:${port} \\(.*conf\\.yaml:1\\) ${sentence}`));
  const flagged = await fileWith(t, BASE);
  assertRefused(await xlvein(["start", "--config", flagged, "--port", `${port}`]), new RegExp(`host 127\\.0\\.0\\.1:${port} \\(--port\\) ${sentence}`));
});

test("an internal port that was set and is in use is named as such", async (t) => {
  const port = await busyPort(t);
  const file = await fileWith(t, { ...BASE, internal: { port } });
  assertRefused(await xlvein(["start", "--config", file]), new RegExp(`internal\\.port 127\\.0\\.0\\.1:${port} .*is in use by another process`));
});

test("an address that this machine does not have is named", async (t) => {
  const file = await fileWith(t, { ...BASE, host: "192.0.2.1:0" });
  assertRefused(await xlvein(["start", "--config", file]), /host 192\.0\.2\.1:0 .*is not an address of this machine/);
});

test("certificate files that cannot be read, or that do not belong together, are named", async (t) => {
  const folder = await temporaryFolder(t);
  const tls = { cert: join(folder, "cert.pem"), key: join(folder, "key.pem") };
  const file = await fileWith(t, { ...BASE, tls });
  assertRefused(await xlvein(["start", "--config", file]), /tls\.cert: .*cert\.pem cannot be read: ENOENT/);
  for (const name of ["cert.pem", "key.pem"]) await writeFile(join(folder, name), "nonsense");
  assertRefused(await xlvein(["start", "--config", file]), /tls\.cert .*cert\.pem and tls\.key .*key\.pem do not make a key pair/);
});

test("with a certificate the server speaks TLS", async (t) => {
  const folder = await temporaryFolder(t);
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"];
  execFileSync(
    "openssl",
    ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", cert, "-days", "1", ...subject],
    { stdio: "ignore" },
  );
  const serving = await startServing(t, { applications: APPLICATIONS, tls: { cert, key } });
  assert.match(serving.url, /^https:/);
  // The command trusts what the environment says, and pushes over TLS.
  const env = { NODE_EXTRA_CA_CERTS: cert };
  const { code, stdout, stderr } = await xlvein(["push", "--config", serving.file, "--url", serving.url, "-a", "user_1", "{}"], { env });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^pushed /);
});
