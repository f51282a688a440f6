// The Compose examples: what they promise of every container, and what they do, run as processes of this machine behind a real nginx.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { loadConfig } from "../../server/src/config/load.ts";
import { apiToken, type Client, connect, push } from "../helpers/client.ts";
import { readDockerfile, valuesOf } from "../repository/dockerfile.ts";
import { ROOT } from "../repository/sources.ts";
import { readCompose, secretPaths, startOrder } from "./compose.ts";
import { type Stack, startStack } from "./stack.ts";

const FILES = ["compose.yaml", "compose.rabbitmq.yaml"];
const NODES = ["xlvein-1", "xlvein-2", "xlvein-3"];

for (const file of FILES) {
  test(`${file} confines every container and names nothing that is not there`, () => {
    const compose = readCompose(join(ROOT, "examples", file));
    const order = startOrder(compose);
    assert.deepEqual(
      order.filter((name) => name.startsWith("xlvein")),
      NODES,
    );
    for (const [name, service] of Object.entries(compose.services)) {
      assert.match(service.user, /^[1-9]\d*:[1-9]\d*$/, `${name}: not root`);
      assert.equal(service.read_only, true, name);
      assert.deepEqual([service.cap_drop, service.security_opt], [["ALL"], ["no-new-privileges:true"]], name);
      const { cpus, memory, pids } = service.deploy.resources.limits;
      assert.ok(Number(cpus) > 0 && /^\d+[MG]$/.test(memory) && pids > 0, name);
      assert.ok(service.healthcheck.test.length > 1, name);
      assert.ok(service.build !== undefined || /:\d/.test(service.image), `${name}: an image of a fixed version`);
      for (const [other, { condition }] of Object.entries(service.depends_on ?? {}))
        assert.ok(compose.services[other] && condition === "service_healthy", `${name}: ${other}`);
      for (const secret of secretPaths(service).keys()) assert.ok(compose.secrets[secret], `${name}: ${secret}`);
      for (const network of service.networks) assert.ok(compose.networks[network], `${name}: ${network}`);
      for (const source of (service.volumes ?? []).map((volume) => volume.split(":")[0] ?? ""))
        assert.ok(source.startsWith("./") ? existsSync(join(ROOT, "examples", source)) : source in compose.volumes, `${name}: ${source}`);
      // Only the balancer is reached from outside, and that from this machine alone.
      for (const port of service.ports ?? []) assert.match(`${name} ${port}`, /^nginx 127\.0\.0\.1:/);
      if (/^(redis|rabbitmq)$/.test(name)) assert.deepEqual(service.networks, ["back"]);
    }
    assert.equal(compose.networks["back"]?.internal, true);
  });

  test(`${file} runs xlvein as the image does, with a stop that is longer than the drain`, () => {
    const { services } = readCompose(join(ROOT, "examples", file));
    const image = readDockerfile().at(-1);
    const [entrypoint = ""] = valuesOf(image, "ENTRYPOINT");
    for (const name of NODES) {
      const service = services[name] ?? assert.fail(`no ${name}`);
      const [, ...words] = service.healthcheck.test;
      assert.deepEqual(words, [...(JSON.parse(entrypoint) as string[]), "health"]);
      assert.equal(service.user, valuesOf(image, "USER")[0]);
      const { config } = loadConfig({ env: {}, cwd: tmpdir() });
      assert.ok(Number.parseInt(service.stop_grace_period ?? "", 10) * 1_000 > config.drain.windowMs + 5_000);
    }
  });
}

test("the secrets are made once, for their owner alone, and kept out of the repository", (t) => {
  const directory = mkdtempSync(join(tmpdir(), "xlvein-secrets-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  cpSync(join(ROOT, "examples/compose-secrets.sh"), join(directory, "compose-secrets.sh"));
  const make = () => execFileSync("sh", [join(directory, "compose-secrets.sh")], { stdio: "pipe" });
  const read = () => Object.fromEntries(readdirSync(join(directory, "secrets")).map((name) => [name, readFileSync(join(directory, "secrets", name), "utf8")]));
  assert.equal(String(make()), "");
  const first = read();
  assert.equal(statSync(join(directory, "secrets")).mode & 0o777, 0o700);
  assert.equal(first[".gitignore"], "*\n");
  for (const file of FILES) {
    for (const { file: secret } of Object.values(readCompose(join(ROOT, "examples", file)).secrets))
      assert.ok(first[secret.slice("./secrets/".length)], secret);
  }
  const { applications } = JSON.parse(first["applications.json"] ?? "") as { applications: { app_secret: string }[] };
  assert.ok(Buffer.byteLength(applications[0]?.app_secret ?? "") >= 32);
  make();
  assert.deepEqual(read(), first);
});

/** Connects as an account, and answers which node has the socket. */
async function enter(t: Parameters<typeof connect>[0], stack: Stack, account: string): Promise<{ client: Client; node: string }> {
  const counts = async () =>
    Promise.all(NODES.filter((name) => alive(stack, name)).map(async (name) => [name, await stack.metric(name, "xlvein_connections")] as const));
  const before = new Map(await counts());
  const { app_key: app, app_secret: secret } = stack.application;
  const client = await connect(t, stack.url, { app, secret, account });
  const grown = (await counts()).filter(([name, count]) => count > (before.get(name) ?? 0));
  assert.equal(grown.length, 1);
  return { client, node: grown[0]?.[0] ?? "" };
}

function alive(stack: Stack, name: string): boolean {
  const child = stack.services.get(name)?.child;
  return child?.exitCode === null && child.signalCode === null;
}

function pushTo(stack: Stack, accounts: string[], data: object): Promise<Response> {
  return push(stack.url, accounts, data, { idempotency_key: crypto.randomUUID() }, apiToken(stack.application.app_key, stack.application.app_secret));
}

async function crossesNodes(stack: Stack, a: Client, b: Client): Promise<void> {
  const answer = await pushTo(stack, ["a", "b"], { text: "to both" });
  const { msg_id: msgId, streams } = (await answer.json()) as { msg_id: string; streams: { account: string; offset: number }[] };
  assert.deepEqual([answer.status, streams.map(({ account }) => account)], [200, ["a", "b"]]);
  for (const client of [a, b]) {
    const { msg_id, data } = await client.next();
    assert.deepEqual([msg_id, data], [msgId, { text: "to both" }]);
  }
  a.send({ to: "b", data: { text: "across" } });
  const { from, data } = await b.next();
  assert.deepEqual([from, data], ["a", { text: "across" }]);
}

/** nginx logs a socket when it ends: all have by now, or will at once. */
async function nothingSecretLogged(stack: Stack, sockets: number): Promise<void> {
  const handshakes = async () => (await stack.nginxLogs()).access.split("\n").filter((line) => line.includes('"path":"/ws/connect"'));
  while ((await handshakes()).length < sockets) await sleep(20);
  const { access, error } = await stack.nginxLogs();
  for (const line of access.trim().split("\n")) JSON.parse(line);
  const secret = stack.application.app_secret;
  for (const text of [access, error, ...[...stack.services.values()].map((service) => service.output())]) {
    assert.doesNotMatch(text, /token=|eyJ|app_id=/);
    assert.ok(!text.includes(secret));
  }
}

test("compose.yaml: three nodes are one service behind nginx, and the death of a node costs only its own sockets", async (t) => {
  const stack = await startStack(t, "compose.yaml");
  const { client: a, node: nodeOfA } = await enter(t, stack, "a");
  const { client: b, node: nodeOfB } = await enter(t, stack, "b");
  const { client: c, node: nodeOfC } = await enter(t, stack, "c");
  assert.equal(new Set([nodeOfA, nodeOfB, nodeOfC]).size, 3, "least_conn gives each node one");
  await crossesNodes(stack, a, b);

  const victim = stack.services.get(nodeOfC)?.child ?? assert.fail();
  victim.kill("SIGKILL");
  await once(victim, "exit");
  assert.equal((await c.closed).code, 1006);
  const again = await enter(t, stack, "c");
  assert.notEqual(again.node, nodeOfC);
  for (let i = 0; i < 10; i++) {
    assert.equal((await pushTo(stack, ["a", "b", "c"], { i })).status, 200);
    for (const client of [a, b, again.client]) assert.deepEqual((await client.next()).data, { i });
  }

  const fourth = await enter(t, stack, "g");
  assert.notEqual(fourth.node, again.node);

  // A node that drains refuses new sockets and takes pushes: nginx passes the sockets on.
  const drained = stack.services.get(nodeOfA) ?? assert.fail();
  drained.child?.kill("SIGTERM");
  while (!drained.output().includes('"event":"draining"')) await sleep(20);
  const late: Client[] = [];
  for (const account of ["d", "e", "f"]) {
    const { client, node } = await enter(t, stack, account);
    assert.equal(node, nodeOfB);
    late.push(client);
  }
  assert.equal((await pushTo(stack, ["b"], { last: true })).status, 200);
  assert.deepEqual((await b.next()).data, { last: true });
  for (const { socket } of [a, b, again.client, fourth.client, ...late]) socket.close();
  if (drained.child?.exitCode === null) await once(drained.child, "exit");
  assert.equal(drained.child?.exitCode, 0);
  await nothingSecretLogged(stack, 8);
});

test("compose.rabbitmq.yaml: the same over RabbitMQ, with Redis as the store", async (t) => {
  const stack = await startStack(t, "compose.rabbitmq.yaml");
  const { client: a, node: nodeOfA } = await enter(t, stack, "a");
  const { client: b, node: nodeOfB } = await enter(t, stack, "b");
  assert.notEqual(nodeOfA, nodeOfB);
  await crossesNodes(stack, a, b);
  for (const { socket } of [a, b]) socket.close();
  await nothingSecretLogged(stack, 2);
});
