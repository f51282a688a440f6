// The chart with RabbitMQ, and with nothing set at all: installed, tested, used, upgraded, removed.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { classicBody, pushClassic } from "../faults/harness/load.ts";
import { connect } from "../helpers/client.ts";
import { type Cluster, startCluster } from "./cluster.ts";
import { rabbitmqImage, serverImage } from "./images.ts";
import { APPLICATIONS, installRelease, SMALL } from "./release.ts";

const MINUTE_MS = 60_000;
const QUICK = { drain: { preStopSeconds: 1, windowSeconds: 2 }, minReadySeconds: 1 };

const undo: (() => unknown)[] = [];
let cluster: Cluster;

before(async () => {
  cluster = await startCluster({ after: (work) => undo.push(work) }, { images: [await serverImage(), await rabbitmqImage()] });
});
after(async () => {
  for (const work of undo.toReversed()) await work();
});

describe("a release with RabbitMQ", () => {
  it("is installed, passes helm test, carries messages between servers, is upgraded, rolled back and removed", { timeout: 8 * MINUTE_MS }, async (t) => {
    const values = { ...QUICK, replicaCount: 2, applications: APPLICATIONS, exchange: { type: "rabbitmq" }, resources: SMALL };
    const release = await installRelease(cluster, "rabbit", values);
    t.diagnostic(`helm install --wait: ${release.installMs.toFixed(0)} ms`);
    assert.match(await release.helm("test", "--logs", "--timeout", "60s"), /Phase:\s+Succeeded/);

    const [one, two] = await release.pods();
    assert.ok(one && two);
    const client = await connect(t, await release.open(one), { account: "ann" });
    const { status } = await pushClassic(undefined, await release.open(two), JSON.stringify(classicBody("ann", { greeting: "hello" }, "n1")));
    assert.equal(status, 200);
    assert.deepEqual((await client.next()).data, { greeting: "hello" });

    const upgradeMs = await release.upgrade({ ...values, podAnnotations: { revision: "2" } });
    t.diagnostic(`upgrade of two servers: ${upgradeMs.toFixed(0)} ms`);
    const upgraded = new Set((await release.pods()).map(({ metadata }) => metadata.uid));
    await release.helm("rollback", "1", "--wait", "--timeout", "120s");
    for (const { metadata } of await release.pods()) assert.ok(!upgraded.has(metadata.uid), metadata.name);
    // Nobody else knows the broker's password: who installs again finds it.
    assert.deepEqual(await release.uninstall(), ["secret/rabbit-xlvein-rabbitmq"]);
  });
});

describe("a release with nothing set", () => {
  it("makes its own application, passes helm test, and keeps the secret over an upgrade", { timeout: 3 * MINUTE_MS }, async (t) => {
    const release = await installRelease(cluster, "bare", {});
    t.diagnostic(`helm install --wait: ${release.installMs.toFixed(0)} ms`);
    assert.match(await release.helm("test", "--logs", "--timeout", "60s"), /Phase:\s+Succeeded/);
    const read = async () => {
      const { data } = await cluster.api.get<{ data: Record<string, string> }>(`${release.path}/secrets/${release.name}-default-application`);
      return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, "base64").toString()]));
    };
    const made = await read();
    assert.deepEqual([made["app_key"], Buffer.byteLength(made["app_secret"] ?? "") >= 32], ["default", true]);
    const client = await connect(t, release.url, { app: made["app_key"] ?? "", account: "ann", secret: made["app_secret"] ?? "" });
    await release.upgrade({ podLabels: { team: "one" }, ...QUICK });
    assert.deepEqual(await read(), made);
    const { code } = await client.closed;
    assert.equal(code, 1012);
  });
});
