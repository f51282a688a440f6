// Values that cannot work are refused before anything is installed: misspelt ones by the schema, those that do not go together by a sentence.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { chartFile, each, type Json, refusal, render, template } from "./chart.ts";

const schema = JSON.parse(chartFile("values.schema.json")) as Record<string, Json>;
const values = parse(chartFile("values.yaml")) as Record<string, Json>;
const secret = "0123456789abcdef0123456789abcdef";
const redis = { type: "redis" };

describe("the schema", () => {
  const rejected: Record<string, [object, RegExp]> = {
    "a misspelt section": [{ sevrer: {} }, /'sevrer' not allowed/],
    "a misspelt key": [{ server: { limits: { conections: 1 } } }, /'conections' not allowed/],
    "a misspelt field of an application": [{ applications: [{ appKey: "a", appSecret: secret, limit: {} }] }, /'limit' not allowed/],
    "a misspelt limit of an application": [{ applications: [{ appKey: "a", appSecret: secret, limits: { maxConnection: 1 } }] }, /'maxConnection' not allowed/],
    "a misspelt field of a rule for rooms": [
      { applications: [{ appKey: "a", appSecret: secret, rooms: [{ prefix: "", slo: "close" }] }] },
      /'slo' not allowed/,
    ],
    "a word that is none of the choices": [{ exchange: { type: "kafka" } }, /exchange\/type.*must be one of 'local', 'redis', 'rabbitmq'/s],
    "a number out of the server's bounds": [{ server: { limits: { jsonDepth: 0 } } }, /jsonDepth.*minimum/s],
    "a text for a number": [{ replicaCount: "3" }, /replicaCount.*want integer/s],
    "a number for a text": [{ image: { tag: 1.1 } }, /image\/tag.*want string/s],
    "a digest that is none": [{ image: { digest: "latest" } }, /image\/digest/],
    "an application without a key": [{ applications: [{ appSecret: secret }] }, /missing property 'appKey'/],
    "a preset that is none": [{ ingress: { preset: "apache" } }, /ingress\/preset/],
    "a duration that is none": [{ metrics: { serviceMonitor: { interval: "soon" } } }, /interval/],
    "a URL of another protocol": [{ exchange: redis, redis: { mode: "external", url: "http://redis" } }, /redis\/url/],
    "a further route without a gateway": [{ httpRoute: { additionalRoutes: { a: { exposePush: true } } } }, /missing property 'parentRefs'/],
    "a misspelt key of a further route": [{ httpRoute: { additionalRoutes: { a: { parentRefs: [{}], hostname: "x" } } } }, /'hostname' not allowed/],
    "a label that is no text": [{ podLabels: { tier: 1 } }, /podLabels\/tier/],
  };
  for (const [title, [wrong, message]] of Object.entries(rejected)) it(`refuses ${title}`, async () => assert.match(await refusal(wrong), message));

  it("knows every key of values.yaml, and values.yaml every key of the schema", () => {
    assert.deepEqual(keysOfSchema(schema), keysOfValues(values, schema));
    assert.ok(keysOfSchema(schema).length > 200);
  });

  it("closes every object whose fields it knows", () => {
    const open: string[] = [];
    walk(schema, "", (node, path) => {
      if (node["properties"] !== undefined && node["additionalProperties"] !== false) open.push(path);
    });
    assert.deepEqual(open, []);
    // The only others are handed on to Kubernetes or another program, or are labels.
    const free: string[] = [];
    walk(schema, "", (node, path) => {
      const { $ref } = (node["additionalProperties"] ?? {}) as { $ref?: string };
      if (node["type"] === "object" && node["properties"] === undefined && $ref !== "#/definitions/route") free.push(path);
    });
    assert.deepEqual(free, ["/definitions/object", "/definitions/texts"]);
  });

  it("holds the defaults for right", async () => assert.equal((await template()).code, 0));
});

describe("a sentence", () => {
  const operator = { enabled: true };
  const rejected: Record<string, [object, RegExp]> = {
    "several servers without a broker": [{ replicaCount: 2 }, /exchange\.type local serves one server/],
    "a scaler without a broker": [{ autoscaling: { enabled: true } }, /exchange\.type local serves one server/],
    "KEDA without a broker": [{ keda: { enabled: true } }, /exchange\.type local serves one server/],
    "two scalers": [{ exchange: redis, autoscaling: { enabled: true }, keda: { enabled: true } }, /autoscaling and keda/],
    "a scaler with bounds the wrong way round": [{ exchange: redis, autoscaling: { enabled: true, minReplicas: 9, maxReplicas: 3 } }, /minReplicas is above/],
    "a scaler with nothing to go by": [{ exchange: redis, autoscaling: { enabled: true, cpu: null } }, /autoscaling has nothing to go by/],
    "a scaler on a share of nothing": [
      { exchange: redis, autoscaling: { enabled: true, memory: 80 }, resources: { requests: { memory: null } } },
      /autoscaling\.memory is a share of resources\.requests\.memory/,
    ],
    "two monitors of the same pods": [{ metrics: { serviceMonitor: { enabled: true }, podMonitor: { enabled: true } } }, /scrape every pod twice/],
    "an AWS NLB that is not waited for": [{ service: { type: "LoadBalancer", preset: "nlb" } }, /service\.preset nlb needs drain\.preStopSeconds of 120/],
    "an AWS NLB without a balancer": [{ service: { preset: "nlb" }, drain: { preStopSeconds: 120 } }, /service\.preset nlb needs service\.type LoadBalancer/],
    "a gateway's TLS to pods without": [
      { httpRoute: { enabled: true, parentRefs: [{ name: "g" }], backendTls: { hostname: "a" } } },
      /backendTls\.hostname needs tls\.existingSecret/,
    ],
    "KEDA on a Prometheus without address": [{ exchange: redis, keda: { enabled: true, source: "prometheus" } }, /serverAddress/],
    "a store of one server's memory for several": [{ exchange: redis, store: { type: "memory" } }, /store\.type memory does not go with exchange\.type redis/],
    "an Ingress without hosts": [{ ingress: { enabled: true, hosts: [] } }, /ingress\.hosts/],
    "a route without a Gateway": [{ httpRoute: { enabled: true } }, /httpRoute\.parentRefs/],
    "a grace period shorter than the drain": [{ terminationGracePeriodSeconds: 34 }, /34 is less than drain\.preStopSeconds \+ drain\.windowSeconds \(35\)/],
    "one port for both listeners": [{ server: { ports: { http: 8091 } } }, /ports\.http and server\.ports\.internal are the same/],
    "a disruption budget with both bounds": [{ pdb: { maxUnavailable: 1, minAvailable: 1 } }, /pdb has both/],
    "an external Redis without address": [{ exchange: redis, redis: { mode: "external" } }, /redis\.mode external needs redis\.url/],
    "Sentinels without addresses": [{ exchange: redis, redis: { mode: "sentinel" } }, /redis\.sentinel\.nodes/],
    "a Redis Cluster without addresses": [{ exchange: redis, redis: { mode: "cluster" } }, /redis\.cluster\.nodes/],
    "an embedded Redis with a Secret but no key": [
      { exchange: redis, redis: { existingSecret: { name: "x" } } },
      /redis\.existingSecret\.name .* needs passwordKey/,
    ],
    "a user of the embedded Redis": [{ exchange: redis, redis: { username: "app" } }, /redis\.username is for brokers outside/],
    "TLS to the embedded Redis": [{ exchange: redis, redis: { tls: { enabled: true } } }, /redis\.tls/],
    "a password in the URL of Redis": [{ exchange: redis, redis: { mode: "external", url: "redis://:pw@host:6379" } }, /redis\.url holds a password/],
    "an external RabbitMQ without address": [{ exchange: { type: "rabbitmq" }, rabbitmq: { mode: "external" } }, /rabbitmq\.mode external needs rabbitmq\.url/],
    "an embedded RabbitMQ with a Secret but no key": [
      { exchange: { type: "rabbitmq" }, rabbitmq: { existingSecret: { name: "x" } } },
      /rabbitmq\.existingSecret\.name/,
    ],
    "TLS to the embedded RabbitMQ": [{ exchange: { type: "rabbitmq" }, rabbitmq: { tls: { enabled: true } } }, /rabbitmq\.tls/],
    "a password in the URL of RabbitMQ": [
      { exchange: { type: "rabbitmq" }, rabbitmq: { mode: "external", url: "amqp://u:p@h" } },
      /rabbitmq\.url holds a password/,
    ],
    "two sources of applications": [{ applications: [{ appKey: "a", appSecret: secret }], applicationsExistingSecret: "x" }, /two sources/],
    "an application twice": [{ applications: [1, 2].map(() => ({ appKey: "a", appSecret: secret })) }, /appKey "a" is there twice/],
    "an application without secret": [{ applications: [{ appKey: "a" }] }, /"a" needs appSecret or secrets/],
    "an application with both kinds of secret": [{ applications: [{ appKey: "a", appSecret: secret, secrets: [{ id: "x", secret }] }] }, /and not both/],
    "a short secret": [{ applications: [{ appKey: "a", appSecret: "short" }] }, /a secret of "a" has 5 bytes/],
    "a short secret among several": [
      {
        applications: [
          {
            appKey: "a",
            secrets: [
              { id: "x", secret },
              { id: "y", secret: "é".repeat(15) },
            ],
          },
        ],
      },
      /has 30 bytes/,
    ],
    "the operator beside applications": [{ operator, applications: [{ appKey: "a", appSecret: secret }] }, /operator\.enabled makes the applications/],
    "the operator beside a Secret of yours": [{ operator, applicationsExistingSecret: "x" }, /operator\.enabled makes the applications/],
    "two operators without election": [{ operator: { ...operator, replicas: 2, leaderElection: { enabled: false } } }, /needs operator\.leaderElection/],
    "an election whose times do not fit": [{ operator: { ...operator, leaderElection: { leaseDurationSeconds: 5 } } }, /leaseDurationSeconds must be above/],
    "all namespaces beside some": [{ operator: { ...operator, watchNamespaces: ["*", "a"] } }, /stands alone/],
    "applications in the ConfigMap": [{ server: { extraConfig: { applications: [] } } }, /applications are no part of the ConfigMap/],
    "a broker's address in the ConfigMap": [{ server: { extraConfig: { exchange: { redis: "redis://:pw@host" } } } }, /no part of the ConfigMap/],
  };
  for (const [title, [wrong, message]] of Object.entries(rejected)) it(`refuses ${title}`, async () => assert.match(await refusal(wrong), message));

  it("refuses an admission policy where Kubernetes has none", async () => {
    const policy = { operator: { ...operator, admissionPolicy: { enabled: true } } };
    assert.match(await refusal(policy, { kube: "1.29.0" }), /needs Kubernetes 1\.30/);
    assert.ok((await render({ values: policy, kube: "1.30.0" })).some(({ kind }) => kind === "ValidatingAdmissionPolicy"));
  });

  it("tells every fault at once", async () => {
    const told = await refusal({ replicaCount: 2, ingress: { enabled: true, hosts: [] }, httpRoute: { enabled: true } });
    assert.equal(told.match(/^- /gm)?.length, 3, told);
  });

  it("is not said where the values are fine", async () => {
    const fine = [
      { exchange: redis, redis: { mode: "external", url: "redis://user@host:6379/0" } },
      { applications: [{ appKey: "a", appSecret: "short", allowShortSecrets: true }] },
      { terminationGracePeriodSeconds: 35 },
      { operator: { ...operator, replicas: 2 } },
    ];
    await each(fine, async (each) => assert.equal((await template({ values: each })).stderr, ""));
  });
});

/** Dotted, down to where the schema hands on. */
function keysOfSchema(node: Json, path = ""): string[] {
  const properties = (node as { properties?: Record<string, Json> }).properties;
  if (properties === undefined) return [path];
  return Object.entries(properties)
    .flatMap(([name, child]) => keysOfSchema(child, path === "" ? name : `${path}.${name}`))
    .sort();
}

function keysOfValues(value: Json, node: Json, path = ""): string[] {
  const properties = (node as { properties?: Record<string, Json> } | undefined)?.properties;
  if (properties === undefined || typeof value !== "object" || value === null) return [path];
  return Object.entries(value)
    .flatMap(([name, child]) => keysOfValues(child, properties[name] ?? null, path === "" ? name : `${path}.${name}`))
    .sort();
}

function walk(node: Json, path: string, visit: (node: Record<string, Json>, path: string) => void): void {
  if (typeof node !== "object" || node === null) return;
  if (!Array.isArray(node)) visit(node, path);
  for (const [name, child] of Object.entries(node)) walk(child, `${path}/${name}`, visit);
}
