// The embedded brokers' configuration, read by real brokers: with it they start, ask for the password and answer the probes.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "amqplib";
import { startRabbitmq } from "../helpers/rabbitmq-server.ts";
import { freePort } from "../helpers/redis-server.ts";
import { find, type KubeObject, render, run, withFolder } from "./chart.ts";

const objects = await render({ ci: "rabbitmq-embedded", values: { bootstrapSecrets: { mode: "lookup" }, redis: { embedded: { extraConfig: "hz 20" } } } });
const decode = (secret: KubeObject, key: string) => Buffer.from(secret["data"][key] ?? "", "base64").toString();

describe("the embedded Redis", () => {
  const pod = find(objects, "StatefulSet", "xlvein-redis")["spec"].template.spec;
  const [container] = pod.containers;
  const secret = find(objects, "Secret", "xlvein-redis");

  it("starts with its configuration, asks for the password, and keeps what it has", async () => {
    await withFolder(async (folder) => {
      const port = await freePort();
      const mounted = { "redis.conf": String(find(objects, "ConfigMap", "xlvein-redis")["data"]["redis.conf"]), "auth.conf": decode(secret, "auth.conf") };
      assert.deepEqual(projectedFiles(pod), Object.keys(mounted).sort());
      await mkdir(join(folder, "data"));
      // The places and the port of a container.
      const place = (text: string) =>
        text.replace("dir /data", `dir ${folder}/data`).replaceAll("/etc/redis/", `${folder}/`).replace("port 6379", `port ${port}\nbind 127.0.0.1`);
      for (const [name, text] of Object.entries(mounted)) await writeFile(join(folder, name), place(text));
      const config = (container.command.at(-1) as string).replace("/etc/redis/", `${folder}/`);
      const server = spawn("redis-server", [config], { stdio: ["ignore", "pipe", "inherit"] });
      let said = "";
      server.stdout.on("data", (text) => void (said += text));
      try {
        const [cli, ...probe] = container.readinessProbe.exec.command as string[];
        assert.equal(cli, "valkey-cli");
        const ask = (password: string, ...args: string[]) => run("redis-cli", ["-p", String(port), ...args], { REDISCLI_AUTH: password });
        const password = decode(secret, "password");
        while ((await ask(password, ...probe)).code !== 0) {
          assert.equal(server.exitCode, null, said);
          await sleep(20);
        }
        assert.notEqual((await ask("wrong", ...probe)).code, 0);
        const setting = async (name: string) => (await ask(password, "config", "get", name)).stdout.trim().split("\n")[1] ?? "";
        assert.deepEqual(
          [
            await setting("appendonly"),
            await setting("appendfsync"),
            await setting("maxmemory-policy"),
            await setting("maxmemory"),
            await setting("save"),
            await setting("hz"),
          ],
          ["yes", "everysec", "noeviction", String(192 * 1024 * 1024), "", "20"],
        );
        assert.match(await setting("client-output-buffer-limit"), /pubsub 67108864 16777216 60/);
      } finally {
        server.kill("SIGTERM");
        if (server.exitCode === null) await once(server, "exit");
      }
      assert.equal(server.exitCode, 0, said);
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
