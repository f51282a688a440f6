// `xlvein doctor`: what it looks at, and the message that it sends through a real server.
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createAuthority } from "../helpers/certificates.ts";
import { connect } from "../helpers/client.ts";
import { freePort, startRedis } from "../helpers/redis-server.ts";
import { SECRET, startServer } from "../helpers/server.ts";
import { startServing, temporaryFolder, xlvein } from "./bin.ts";

const STEPS = ["token", "connect", "push and receive", "push while away", "come back", "ready", "metrics"];

/** `ok connect` of each line. */
function outcomes(stdout: string): string[] {
  return stdout.split("\n").flatMap((line) => /^(ok|FAIL|warn|note) +([^:]+):/.exec(line)?.slice(1).join(" ") ?? []);
}

/** Another program; resolves with its port. */
async function startStranger(t: Pick<TestContext, "after">): Promise<number> {
  const stranger = createServer((_request, response) => response.end("hello")).listen(0, "127.0.0.1");
  t.after(() => stranger.close());
  await once(stranger, "listening");
  return (stranger.address() as AddressInfo).port;
}

function applications(...apps: object[]): string {
  return JSON.stringify({ revision: 1, applications: apps });
}

test("--flow sends a message, is cut off, comes back and recovers what it missed", async (t) => {
  const { url, internalUrl, metric } = await startServer(t);
  const folder = await temporaryFolder(t);
  // As a mounted Secret; the first is disabled, so the second is taken.
  await writeFile(
    join(folder, "applications.json"),
    applications({ app_key: "off", app_secret: SECRET, enabled: false }, { app_key: "test", app_secret: SECRET }),
  );
  const { code, stdout, stderr } = await xlvein(["doctor", "--flow", `--url=${url}`, `--internal-url=${internalUrl}`, `--applications-dir=${folder}`]);
  assert.equal(code, 0, stdout + stderr);
  assert.equal(stderr, "");
  assert.deepEqual(
    outcomes(stdout),
    STEPS.map((step) => `ok ${step}`),
  );
  assert.match(stdout, /recovered exactly the message that was missed/);
  assert.ok(!stdout.includes(SECRET) && !stdout.includes("eyJ"), "neither secret nor token is printed");
  assert.equal(await metric("xlvein_connections_opened_total", { app: "test" }), 2);
  assert.equal(await metric("xlvein_push_requests_total", { app: "test", code: "200" }), 2);
});

test("--flow finds the server and the application in the configuration", async (t) => {
  const { file } = await startServing(t, {
    host: `127.0.0.1:${await freePort()}`,
    internal: { host: "127.0.0.1", port: await freePort() },
    applications: [{ app_key: "a", app_secret: SECRET, push_auth: ["sign"] }],
  });
  const { code, stdout } = await xlvein(["doctor", "--flow", "--config", file]);
  assert.equal(code, 0, stdout);
  assert.match(stdout, /^ok {4}push and receive: with a sign, /m);
});

test("without a store it says that nothing is recovered", async (t) => {
  const { url, internalUrl, file } = await startServer(t, { config: { store: { type: "none" } } });
  const { code, stdout } = await xlvein(["doctor", "--flow", "--config", file, `--url=${url}`, `--internal-url=${internalUrl}`]);
  assert.equal(code, 0, stdout);
  assert.match(stdout, /^ok {4}come back: connected; nothing is recovered, because there is no store/m);
});

test("without applications it asks for health and metrics alone, and says so", async (t) => {
  const { url, internalUrl } = await startServer(t, { applications: [] });
  const folder = await temporaryFolder(t);
  const { code, stdout } = await xlvein(["doctor", "--flow", `--url=${url}`, `--internal-url=${internalUrl}`, `--applications-dir=${folder}`]);
  assert.equal(code, 0, stdout);
  assert.deepEqual(outcomes(stdout), ["note applications", "ok ready", "ok metrics"]);
});

test("--flow fails with a reason for a wrong secret, and still asks for the rest", async (t) => {
  const { url, internalUrl } = await startServer(t);
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, "applications.json"), applications({ app_key: "test", app_secret: `${SECRET}-another` }));
  const { code, stdout, stderr } = await xlvein(["doctor", "--flow", `--url=${url}`, `--internal-url=${internalUrl}`, `--applications-dir=${folder}`]);
  assert.equal(code, 1);
  assert.deepEqual(outcomes(stdout), ["ok token", "FAIL connect", "ok ready", "ok metrics"]);
  assert.match(stdout, /^FAIL {2}connect: the server closed the connection: 4007 /m);
  assert.match(stderr, /xlvein: one thing is wrong/);
});

test("--flow fails for a server that drains, one that is away, and one that is another program", async (t) => {
  const { url, internalUrl, server } = await startServer(t, { config: { drain: { window_seconds: 60 } } });
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, "applications.json"), applications({ app_key: "test", app_secret: SECRET }));
  const flow = (to: string, internal: string) => xlvein(["doctor", "--flow", `--url=${to}`, `--internal-url=${internal}`, `--applications-dir=${folder}`]);
  const otherUrl = `http://127.0.0.1:${await startStranger(t)}`;
  const strange = await flow(otherUrl, otherUrl);
  assert.equal(strange.code, 1);
  assert.match(strange.stdout, /^FAIL {2}metrics: \/metrics has no xlvein_build_info: is it xlvein\?/m);
  await Promise.all([connect(t, url), connect(t, url)]);
  const drained = server.drain();
  const draining = await flow(url, internalUrl);
  assert.deepEqual(outcomes(draining.stdout), ["ok token", "FAIL connect", "FAIL ready", "ok metrics"]);
  assert.match(draining.stdout, /^FAIL {2}connect: .*503/m);
  assert.match(draining.stdout, /^FAIL {2}ready: \/readyz answered 503: .*draining/m);
  await server.close();
  await drained;
  const away = await flow(url, internalUrl);
  assert.equal(away.code, 1);
  assert.deepEqual(outcomes(away.stdout), ["ok token", "FAIL connect", "FAIL ready", "FAIL metrics"]);
});

test("--flow takes a certificate that it cannot check with --insecure only", async (t) => {
  const authority = await createAuthority(t);
  const { cert, key } = await authority.issue("elsewhere", "DNS:push.example.com");
  const { url, internalUrl } = await startServer(t, { config: { tls: { cert, key } } });
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, "applications.json"), applications({ app_key: "test", app_secret: SECRET }));
  const flow = (...more: string[]) =>
    xlvein(["doctor", "--flow", `--url=${url.replace("http:", "https:")}`, `--internal-url=${internalUrl}`, `--applications-dir=${folder}`, ...more]);
  const checked = await flow();
  assert.equal(checked.code, 1);
  assert.match(checked.stdout, /^FAIL {2}connect: .*(unable to verify|self.signed)/m);
  const insecure = await flow("--insecure");
  assert.equal(insecure.code, 0, insecure.stdout);
  assert.equal(insecure.stderr, "");
});

test("a wrong directory, file or address is named", async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, "applications.json"), "[");
  const flow = (...more: string[]) => xlvein(["doctor", "--flow", "--url=http://127.0.0.1:1", ...more]);
  assert.match((await flow(`--applications-dir=${folder}`)).stderr, /applications\.json:1: syntax: not valid JSON/);
  assert.match((await flow(`--applications-dir=${folder}/none`)).stderr, /applications_dir: does not exist/);
  const address = await flow("--internal-url=127.0.0.1:8091", `--applications-dir=${folder}/none`);
  assert.deepEqual([address.code, address.stdout], [1, ""]);
});

test("the check-up looks at configuration, ports and broker, and finds them in order", async (t) => {
  const redis = await startRedis(t);
  const cwd = await temporaryFolder(t);
  const [port, internal] = [await freePort(), await freePort()];
  const config = {
    host: `127.0.0.1:${port}`,
    internal: { host: "127.0.0.1", port: internal },
    exchange: { type: "redis", redis: redis.url },
    applications: [{ app_key: "a", app_secret: SECRET }],
  };
  await writeFile(join(cwd, "conf.yaml"), JSON.stringify(config));
  const { code, stdout, stderr } = await xlvein(["doctor"], { cwd });
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, new RegExp(`^ok {4}clients' port: 127.0.0.1:${port} is free`, "m"));
  assert.match(
    stdout,
    new RegExp(`^ok {4}redis 127.0.0.1:${redis.port}: redis \\d+\\.\\d+\\.\\d+, answers in [\\d.]+ ms, its clock is -?\\d+ ms from ours`, "m"),
  );
  assert.ok(!stdout.includes("warn"), stdout);

  const serving = await startServing(t, config);
  const beside = await xlvein(["doctor", "--config", serving.file]);
  assert.equal(beside.code, 0, beside.stdout);
  assert.match(beside.stdout, new RegExp(`^ok {4}clients' port: http://127.0.0.1:${port} is served by xlvein`, "m"));
  assert.match(beside.stdout, new RegExp(`^ok {4}internal port: http://127.0.0.1:${internal} is served by xlvein`, "m"));
});

test("the check-up names what is wrong: faults, ports of others, brokers that are away, and what should be changed", async (t) => {
  const cwd = await temporaryFolder(t);
  const redis = await startRedis(t, ["--maxmemory-policy", "allkeys-lru", "--requirepass", "right"]);
  const port = await startStranger(t);
  const doctor = async (config: object) => {
    await writeFile(join(cwd, "conf.yaml"), JSON.stringify({ internal: { port: await freePort() }, host: `127.0.0.1:${port}`, ...config }));
    return xlvein(["doctor"], { cwd });
  };
  const wrong = await doctor({ exchange: { type: "redis", redis: `redis://:wrong@127.0.0.1:${redis.port}` } });
  assert.equal(wrong.code, 1);
  assert.match(wrong.stdout, /^warn {2}applications: none is configured/m);
  assert.match(wrong.stdout, new RegExp(`^FAIL {2}clients' port: 127.0.0.1:${port} is in use by another program`, "m"));
  assert.match(wrong.stdout, new RegExp(`^FAIL {2}redis 127.0.0.1:${redis.port}: WRONGPASS`, "m"));
  assert.match(wrong.stderr, /xlvein: 2 things are wrong/);
  assert.ok(!wrong.stdout.includes(":wrong"));

  const evicting = await doctor({ exchange: { type: "redis", redis: `redis://:right@127.0.0.1:${redis.port}` } });
  assert.match(evicting.stdout, /^warn {2}redis .*: maxmemory-policy is allkeys-lru/m);
  const rabbitmq = await doctor({ exchange: { type: "rabbitmq", rabbitmq: `amqp://guest:hidden@127.0.0.1:${await freePort()}` } });
  assert.match(rabbitmq.stdout, /^FAIL {2}rabbitmq 127\.0\.0\.1:\d+: ECONNREFUSED/m);
  assert.ok(!rabbitmq.stdout.includes("hidden"));

  const faulty = await doctor({ limits: { frame_bytes: 1 }, applications: [{ app_key: "a", app_secret: "short" }] });
  assert.equal(faulty.code, 1);
  assert.deepEqual(outcomes(faulty.stdout), ["FAIL configuration", "warn configuration"]);
});
