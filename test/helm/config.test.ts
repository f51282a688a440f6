// What the chart writes is what the server reads: its configuration, its variables, its applications, and no word differs.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { parse } from "yaml";
import { type Setting, settings } from "../../server/src/config/schema.ts";
import { createAuthority } from "../helpers/certificates.ts";
import { chartFile, each, examples, find, type Json, type KubeObject, ROOT, render, run, withFolder, workloads } from "./chart.ts";

const schema = JSON.parse(chartFile("values.schema.json")) as Record<string, Json>;
const values = parse(chartFile("values.yaml")) as Record<string, Json>;
const BIN = join(ROOT, "server/bin/xlvein.js");
/** With everything that breaks a URL put together carelessly. */
const PASSWORD = "p@ss/w0rd?&:$#%zz";
/** In the query of an address: it is percent-encoded, or needs no encoding. */
const SENTINEL_PASSWORD = "p%40ss";
const certificate = await (await createAuthority({ after: (end) => after(end as () => Promise<void>) })).issue("server");

interface Checked {
  readonly ok: boolean;
  readonly applications: number;
  readonly findings: readonly { key: string; message: string }[];
}

interface EnvVariable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { secretKeyRef?: { key: string } };
}

/** The variables as the kubelet would set them, with secrets in the place of their references. */
function environmentOf(objects: readonly KubeObject[]): Record<string, string> {
  const pod = workloads(objects).find(({ labels, object }) => object.kind === "Deployment" && labels["app.kubernetes.io/component"] === "server");
  const found: Record<string, string> = {};
  const addresses: Record<string, string> = {
    url: `redis://:${PASSWORD}@given:6379/3`,
    connection_string: "amqp://default_user_x:y@rabbit.push.svc:5672/",
    sentinel: SENTINEL_PASSWORD,
  };
  for (const { name, value, valueFrom } of (pod?.spec.containers[0].env ?? []) as EnvVariable[]) {
    const given = valueFrom?.secretKeyRef && (addresses[valueFrom.secretKeyRef.key] ?? PASSWORD);
    found[name] =
      given ?? (value ?? "").replaceAll(/\$\((\w+)\)/g, (_, other: string) => found[other] ?? assert.fail(`${name} uses ${other}, which is not set before it`));
  }
  return found;
}

/** Lays the pod's files into a folder, and runs the server's own command on them. */
async function withServer<T>(objects: readonly KubeObject[], command: string, use: (output: T, env: Record<string, string>) => void): Promise<void> {
  await withFolder(async (folder) => {
    const config = objects.find(({ kind, metadata }) => kind === "ConfigMap" && metadata.name.endsWith("-config"));
    const text = String(config?.["data"]["config.json"]).replaceAll("/etc/xlvein", folder);
    for (const directory of ["config", "applications", "tls", "broker-tls"]) await mkdir(join(folder, directory));
    await writeFile(join(folder, "config/config.json"), text);
    const secret = objects.find(({ kind, metadata }) => kind === "Secret" && metadata.name.endsWith("-applications"));
    if (secret) await writeFile(join(folder, "applications/applications.json"), Buffer.from(secret["data"]["applications.json"], "base64"));
    await copyFile(certificate.cert, join(folder, "tls/tls.crt"));
    await copyFile(certificate.key, join(folder, "tls/tls.key"));
    const env = environmentOf(objects);
    const { NODE_OPTIONS: _, ...rest } = env;
    const { stdout, stderr } = await run(process.execPath, [BIN, command, "--json", "--config", join(folder, "config/config.json")], {
      ...rest,
      XLVEIN_HOST: env["XLVEIN_HOST"] ?? "",
    });
    assert.notEqual(stdout, "", stderr);
    use(JSON.parse(stdout) as T, env);
  });
}

describe("the configuration of every example", () => {
  it("is accepted by the server, without a word that it does not know", async () => {
    const checked = await each(examples, async (ci) => {
      let result: Checked | undefined;
      await withServer<Checked>(await render({ ci }), "check-config", (output) => void (result = output));
      return { ci, result };
    });
    const applications: Record<string, number> = {};
    for (const { ci, result } of checked) {
      applications[ci] = result?.applications ?? -1;
      const findings = result?.findings.filter(({ message }) => !/^holds none of|^has 5 bytes/.test(message));
      assert.deepEqual([ci, result?.ok, findings], [ci, true, []]);
    }
    assert.equal(applications["redis-embedded"], 2);
  });

  it("is refused by that check when a word is wrong", async () => {
    await withServer<Checked>(
      await render({ values: { server: { extraConfig: { limits: { conections: 1 }, pingg: {} } } } }),
      "check-config",
      ({ ok, findings }) => {
        assert.equal(ok, false);
        assert.deepEqual(
          findings
            .map(({ key }) => key)
            .filter((key) => key.includes("conections") || key.includes("pingg"))
            .sort(),
          ["limits.conections", "pingg"],
        );
      },
    );
  });
});

describe("what is in force in the pod", () => {
  const inForce = async (options: Parameters<typeof render>[0]) => {
    let found: Json = {};
    await withServer<{ config: Json }>(await render(options), "print-config", ({ config }) => void (found = config));
    return (...keys: string[]) => keys.map((key) => at(found, key.split(".")));
  };

  it("are the values, down to the listeners", async () => {
    const config = await inForce({
      values: {
        server: {
          ports: { http: 9000, internal: 9001 },
          limits: { connections: 1_000_000, outboxBytes: 1_073_741_824 },
          ping: { seconds: 12.5 },
          ready: { exchange: true },
        },
        drain: { windowSeconds: 90 },
        store: { history: { messages: 100_000 } },
      },
    });
    assert.deepEqual(config("host", "internal.host", "internal.port"), ["0.0.0.0:9000", "0.0.0.0", 9001]);
    assert.deepEqual(config("limits.connections", "limits.outbox_bytes", "ping.seconds"), [1_000_000, 1_073_741_824, 12.5]);
    assert.deepEqual(config("ready.exchange", "drain.window_seconds", "store.history.messages"), [true, 90, 100_000]);
  });

  it("bind IPv6 where the values say so", async () => {
    const config = await inForce({ ci: "gateway" });
    assert.deepEqual(config("host", "internal.host"), ["[::]:8090", "::"]);
  });

  it("follow the exchange's type with the store, as the server does", async () => {
    const store = async (type: string) => (await inForce({ values: { exchange: { type } } }))("store.type");
    assert.deepEqual([await store("local"), await store("redis"), await store("rabbitmq")], [["memory"], ["redis"], ["none"]]);
  });
});

describe("brokers' addresses", () => {
  const env = async (options: Parameters<typeof render>[0]) => environmentOf(await render(options));

  it("are put together from host and Secret", async () => {
    assert.equal((await env({ ci: "rabbitmq-embedded" }))["XLVEIN_EXCHANGE_REDIS"], `redis://:${PASSWORD}@xlvein-redis:6379/0`);
    assert.equal((await env({ ci: "rabbitmq-embedded" }))["XLVEIN_EXCHANGE_RABBITMQ"], `amqp://xlvein:${PASSWORD}@xlvein-rabbitmq:5672/`);
    assert.equal((await env({ ci: "ha-hpa" }))["XLVEIN_EXCHANGE_REDIS"], `redis://:${PASSWORD}@redis.data.svc:6379/1`);
    assert.equal((await env({ ci: "ha-keda" }))["XLVEIN_EXCHANGE_REDIS"], `redis://:${PASSWORD}@given:6379/3`);
    assert.equal((await env({ ci: "rabbitmq-operator" }))["XLVEIN_EXCHANGE_RABBITMQ"], "amqp://default_user_x:y@rabbit.push.svc:5672/");
    assert.equal(
      (await env({ ci: "rabbitmq-operator" }))["XLVEIN_EXCHANGE_REDIS"],
      `redis+cluster://:${PASSWORD}@redis-0.redis:6379,redis-1.redis:6379,redis-2.redis:6379`,
    );
    assert.equal(
      (await env({ ci: "redis-external" }))["XLVEIN_EXCHANGE_REDIS"],
      `rediss+sentinel://xlvein:${PASSWORD}@sentinel-0.redis:26379,sentinel-1.redis:26379,sentinel-2.redis:26379/main/2?sentinel_password=${SENTINEL_PASSWORD}`,
    );
  });

  it("take TLS, a user and no password as well", async () => {
    const external = (redis: object) => env({ values: { exchange: { type: "redis" }, redis: { mode: "external", ...redis } } });
    assert.equal((await external({ url: "redis://h:1/2", tls: { enabled: true }, username: "u" }))["XLVEIN_EXCHANGE_REDIS"], "rediss://u@h:1/2");
    assert.equal((await external({ url: "redis://old@h:1" }))["XLVEIN_EXCHANGE_REDIS"], "redis://old@h:1");
    const rabbitmq = { mode: "external", url: "amqp://h/v", tls: { enabled: true }, existingSecret: { name: "s", passwordKey: "k" } };
    assert.equal((await env({ values: { exchange: { type: "rabbitmq" }, rabbitmq } }))["XLVEIN_EXCHANGE_RABBITMQ"], `amqps://xlvein:${PASSWORD}@h/v`);
  });
});

describe("node settings", () => {
  /** What the chart works out itself. */
  const DERIVED = /^(host|applications(_file|_dir|_secret)?|internal\..*|tls\..*|exchange\.(redis|rabbitmq|tls\..*))$/;
  /** Where a setting stands in the values. */
  const pathOf = ({ key }: Setting): string[] => {
    const path = key.split(".").map(camel);
    return /^(exchange|store|drain|rebalance|pod_deletion_cost)\./.test(key) ? path : ["server", ...path];
  };
  const own = settings.filter(({ key }) => !DERIVED.test(key));

  it("are all in the values, under their own names in camelCase, with the server's defaults", () => {
    const ours: Record<string, Json> = { app: "", "exchange.exchange_name": "", "store.type": "" };
    assert.ok(own.length > 25);
    for (const setting of own) assert.deepEqual([setting.key, at(values, pathOf(setting))], [setting.key, ours[setting.key] ?? setting.default]);
  });

  it("are nothing else in the values", () => {
    const known = new Set(own.map((setting) => pathOf(setting).join(".")));
    const beside = ["server.host", "server.ports.http", "server.ports.internal", "server.extraConfig", "drain.preStopSeconds"];
    for (const section of ["server", "store", "drain", "exchange"])
      for (const key of leaves(values[section] ?? null, section)) assert.ok(known.has(key) || beside.includes(key) || key.startsWith("exchange.tls."), key);
  });

  it("have the server's bounds and choices in the schema", () => {
    for (const setting of own) {
      const node = pathOf(setting).reduce<Json>((parent, name) => at(parent, ["properties", name]), schema) as Record<string, Json>;
      const { min, max, choices } = setting;
      assert.deepEqual([setting.key, node["minimum"], node["maximum"]], [setting.key, min, max]);
      if (choices) assert.deepEqual([setting.key, (node["enum"] as string[]).filter((word) => word !== "")], [setting.key, choices]);
    }
  });
});

describe("fields of an application", () => {
  const source = (file: string) => readFileSync(join(ROOT, "server/src/apps", file), "utf8");
  const list = (file: string, name: string) =>
    new RegExp(`${name} = \\[([^\\]]*)\\]`).exec(source(file))?.[1]?.match(/\w+/g)?.map(camel).sort() ?? assert.fail(`${file} has no ${name}`);
  const server = {
    fields: list("parse.ts", "APP_FIELDS"),
    limits: list("parse.ts", "LIMIT_FIELDS"),
    rooms: list("streams.ts", "ROOM_FIELDS"),
    history: list("streams.ts", "HISTORY_FIELDS"),
  };
  const names = (node: Json) => Object.keys(at(node, ["properties"]) as object).sort();

  it("are the server's, in camelCase", () => {
    const application = at(schema, ["definitions", "application"]);
    assert.deepEqual(names(application), server.fields);
    assert.deepEqual(names(at(application, ["properties", "limits"])), server.limits);
    assert.deepEqual(names(at(application, ["properties", "rooms", "items"])), server.rooms);
    assert.deepEqual(names(at(schema, ["definitions", "history"])), server.history);
  });

  it("are all in one example, which the server takes", async () => {
    const [app] = (parse(chartFile("ci/redis-embedded-values.yaml")) as { applications: Record<string, Json>[] }).applications;
    assert.deepEqual(
      Object.keys(app ?? {}).sort(),
      server.fields.filter((name) => !["appSecret", "allowShortSecrets"].includes(name)),
    );
    assert.deepEqual(Object.keys(app?.["limits"] ?? {}).sort(), server.limits);
  });

  it("are in the custom resource too, but for the secrets, with the schema's bounds", async () => {
    const crd = find(await render({ ci: "operator" }), "CustomResourceDefinition");
    const spec = crd["spec"].versions[0].schema.openAPIV3Schema.properties.spec as Json;
    const application = at(schema, ["definitions", "application"]);
    const secret = ["appSecret", "secrets", "allowShortSecrets"];
    assert.deepEqual(
      names(spec).filter((name) => !["serverRef", "credentials"].includes(name)),
      server.fields.filter((name) => !secret.includes(name)),
    );
    assert.deepEqual(names(at(spec, ["properties", "limits"])), server.limits);
    assert.deepEqual(names(at(spec, ["properties", "rooms", "items"])), server.rooms);
    for (const path of [
      ["algorithms", "items"],
      ["pushAuth", "items"],
      ["clientRights", "items"],
      ["nonceReuse"],
      ["slow"],
      ["rooms", "items", "properties", "publish"],
    ]) {
      const choices = (node: Json) => at(node, ["properties", ...path, "enum"]);
      assert.ok(Array.isArray(choices(spec)));
      assert.deepEqual(choices(spec), choices(application), path.join("."));
    }
    for (const [name, node] of Object.entries(at(application, ["properties", "limits", "properties"]) as Record<string, Json>)) {
      if (name === "maxMessageBytes") continue;
      assert.equal(at(spec, ["properties", "limits", "properties", name, "minimum"]), at(node, ["minimum"]), name);
    }
  });
});

function camel(name: string): string {
  return name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function at(node: Json, path: readonly string[]): Json {
  return path.reduce<Json>((parent, name) => (typeof parent === "object" && parent !== null && !Array.isArray(parent) ? (parent[name] ?? null) : null), node);
}

function leaves(node: Json, path: string): string[] {
  if (typeof node !== "object" || node === null || Array.isArray(node) || Object.keys(node).length === 0) return [path];
  return Object.entries(node).flatMap(([name, child]) => leaves(child, `${path}.${name}`));
}
