// The embedded brokers' configuration, read by real brokers: with it they start, ask for the password and answer the probes.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect } from "amqplib";
import { startRabbitmq } from "../helpers/rabbitmq-server.ts";
import { find, type KubeObject, render, withFolder } from "./chart.ts";
import { embeddedRedis } from "./embedded-redis.ts";

const objects = await render({ ci: "rabbitmq-embedded", values: { bootstrapSecrets: { mode: "lookup" }, redis: { embedded: { extraConfig: "hz 20" } } } });
const decode = (secret: KubeObject, key: string) => Buffer.from(secret["data"][key] ?? "", "base64").toString();

describe("the embedded Redis", () => {
  const pod = find(objects, "StatefulSet", "xlvein-redis")["spec"].template.spec;
  const [container] = pod.containers;

  it("starts with its configuration, asks for the password, and keeps what it has", async (t) => {
    assert.deepEqual(projectedFiles(pod), ["auth.conf", "redis.conf"]);
    await withFolder(async (folder) => {
      const redis = await embeddedRedis(t, objects, folder);
      await redis.start();
      const [cli, ...probe] = container.readinessProbe.exec.command as string[];
      assert.equal(cli, "valkey-cli");
      assert.notEqual((await redis.ask(probe, "wrong")).code, 0);
      const setting = async (name: string) => (await redis.ask(["config", "get", name])).stdout.trim().split("\n")[1] ?? "";
      const names = ["appendonly", "appendfsync", "maxmemory-policy", "maxmemory", "save", "hz"];
      const settings: string[] = [];
      for (const name of names) settings.push(await setting(name));
      assert.deepEqual(settings, ["yes", "everysec", "noeviction", String(192 * 1024 * 1024), "", "20"]);
      assert.match(await setting("client-output-buffer-limit"), /pubsub 67108864 16777216 60/);
      await redis.ask(["set", "kept", "yes"]);
      assert.equal(await redis.stop(), 0);
      await redis.start();
      assert.equal((await redis.ask(["get", "kept"])).stdout, "yes\n");
      assert.equal(await redis.stop(), 0);
    });
  });

  it("shows its password to nobody who lists processes", () => {
    assert.deepEqual(container.command, ["valkey-server", "/etc/redis/redis.conf"]);
    assert.deepEqual(container.env, [{ name: "REDISCLI_AUTH", valueFrom: { secretKeyRef: { name: "xlvein-redis", key: "password" } } }]);
  });
});

describe("the embedded RabbitMQ", () => {
  it("starts with its configuration, and lets in the user of its Secret alone", async (t) => {
    const pod = find(objects, "StatefulSet", "xlvein-rabbitmq")["spec"].template.spec;
    const data = find(objects, "ConfigMap", "xlvein-rabbitmq")["data"];
    const secret = find(objects, "Secret", "xlvein-rabbitmq");
    assert.deepEqual(projectedFiles(pod), ["conf.d/10-default-user.conf", "enabled_plugins", "rabbitmq.conf"]);
    assert.equal(data.enabled_plugins, "[rabbitmq_prometheus].\n");
    const [listener, ...settings] = (data["rabbitmq.conf"] as string).split("\n");
    assert.equal(listener, "listeners.tcp.default = 5672");
    const broker = await startRabbitmq(t, [...settings, decode(secret, "default_user.conf")].join("\n"));
    const address = (user: string, password: string) => `amqp://${user}:${password}@127.0.0.1:${broker.port}/`;
    const connection = await connect(address("xlvein", decode(secret, "password")));
    const channel = await connection.createChannel();
    // What a server does: an exchange, and a queue of its own.
    await channel.assertExchange("xlvein.direct", "direct", { durable: true });
    const { queue } = await channel.assertQueue("xlvein.queue.x.1", { exclusive: true });
    await channel.bindQueue(queue, "xlvein.direct", "a");
    await connection.close();
    await assert.rejects(connect(address("guest", "guest")), /403|ACCESS/);
    assert.equal((await broker.ctl("eval", "vm_memory_monitor:get_memory_limit().")).trim(), String(460 * 1024 * 1024));
  });
});

/** The files of the volume with the configuration. */
// biome-ignore lint/suspicious/noExplicitAny: a PodSpec; objects.test.ts checks it against its schema
function projectedFiles(pod: any): string[] {
  const sources = pod.volumes.find(({ name }: { name: string }) => name === "config").projected.sources as {
    configMap?: { name: string };
    secret?: { items: { path: string }[] };
  }[];
  return sources
    .flatMap(({ configMap, secret }) =>
      configMap ? Object.keys(find(objects, "ConfigMap", configMap.name)["data"]) : (secret?.items.map(({ path }) => path) ?? []),
    )
    .sort();
}
