// The chart on a real cluster, one server and no broker: installed, tested, changed, taken back, removed. Pods are admitted by the restricted standard.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { classicBody, pushClassic } from "../faults/harness/load.ts";
import { until } from "../faults/harness/until.ts";
import { connect } from "../helpers/client.ts";
import { type Cluster, startCluster } from "./cluster.ts";
import { best } from "./form.ts";
import { serverImage } from "./images.ts";
import { APPLICATIONS, installRelease, type Pod, type Release } from "./release.ts";

const MINUTE_MS = 60_000;
const MOST_INSTALL_MS = 30_000;
/** Of a server at rest. */
const MOST_BYTES = 110e6;
const VALUES = { applications: APPLICATIONS };

const undo: (() => unknown)[] = [];
let cluster: Cluster;
let release: Release & { readonly installMs: number };

async function oneServer(): Promise<Pod> {
  const [pod, ...others] = await release.pods();
  assert.ok(pod && others.length === 0);
  return pod;
}

before(async () => {
  cluster = await startCluster({ after: (work) => undo.push(work) }, { images: [await serverImage()] });
  release = await installRelease(cluster, "one", VALUES);
});
after(async () => {
  for (const work of undo.toReversed()) await work();
});

describe("a release of the chart", () => {
  it("is ready within 30 s", { timeout: 5 * MINUTE_MS }, async (t) => {
    let tries = 0;
    const tookMs = await best(MOST_INSTALL_MS, async () => {
      const { installMs } = tries++ === 0 ? release : await installRelease(cluster, `one-${tries}`, VALUES);
      t.diagnostic(`helm install --wait: ${installMs.toFixed(0)} ms`);
      return installMs;
    });
    assert.ok(tookMs <= MOST_INSTALL_MS, `${tookMs} ms`);
  });

  it("runs without rights on files that nobody may write, in at most 110 MB", async (t) => {
    const pod = await oneServer();
    const found = JSON.parse(
      await release.evaluate(
        pod,
        `const fs = require("node:fs"), said = {};
        for (const path of ["/", "/app", "/tmp", "/etc/xlvein/config"]) try { fs.writeFileSync(path + "/x", ""); said[path] = "written" } catch (error) { said[path] = error.code }
        const status = fs.readFileSync("/proc/1/status", "utf8"), field = (name) => new RegExp("^" + name + ":\\\\s*(.*)$", "m").exec(status)[1];
        console.log(JSON.stringify({ said, uid: process.getuid(), gid: process.getgid(), capabilities: field("CapEff"), privileges: field("NoNewPrivs") }))`,
      ),
    );
    assert.deepEqual(found.said, { "/": "EROFS", "/app": "EROFS", "/tmp": "EROFS", "/etc/xlvein/config": "EROFS" });
    assert.deepEqual([found.uid, found.gid, Number.parseInt(found.capabilities, 16), found.privileges], [10001, 10001, 0, "1"]);
    const bytes = await release.residentBytes(pod);
    t.diagnostic(`${(bytes / 1e6).toFixed(1)} MB at rest`);
    assert.ok(bytes <= MOST_BYTES, `${bytes} bytes`);
  });

  it("delivers what is pushed through its Service", async (t) => {
    const client = await connect(t, release.url, { account: "ann" });
    const { status, body } = await pushClassic(undefined, release.url, JSON.stringify(classicBody("ann", { greeting: "hello" }, "n1")));
    assert.deepEqual([status, body.error ?? 0], [200, 0]);
    assert.deepEqual((await client.next()).data, { greeting: "hello" });
  });

  it("passes helm test", { timeout: MINUTE_MS }, async () => {
    const said = await release.helm("test", "--logs", "--timeout", "60s");
    assert.match(said, /Phase:\s+Succeeded/);
  });

  it("lets the servers' account read its own Secret and nothing else", async (t) => {
    const api = await cluster.apiAs(release.namespace, release.name);
    t.after(() => api.close());
    await cluster.api.create(`${release.path}/secrets`, { metadata: { name: "foreign" }, stringData: { key: "value" } });
    const own = `metadata.name=${release.name}-applications`;
    const status = async (path: string, method = "GET") => (await api.call(method, path, method === "GET" ? undefined : {})).status;
    assert.equal(await status(`${release.path}/secrets/${release.name}-applications`), 200);
    assert.equal(await status(`${release.path}/secrets?fieldSelector=${own}`), 200);
    const refused = [
      `${release.path}/secrets`,
      `${release.path}/secrets/foreign`,
      `${release.path}/secrets?fieldSelector=metadata.name=foreign`,
      `${release.path}/secrets?watch=1`,
      `${release.path}/configmaps`,
      `${release.path}/pods`,
      "/api/v1/secrets",
      "/api/v1/nodes",
    ];
    for (const path of refused) assert.equal(await status(path), 403, path);
    for (const method of ["PUT", "PATCH", "DELETE"]) assert.equal(await status(`${release.path}/secrets/${release.name}-applications`, method), 403, method);
    assert.equal(await status(`${release.path}/secrets`, "POST"), 403);
  });

  it("takes up an application that helm adds within a second, and keeps every socket", async (t) => {
    const pod = await oneServer();
    const client = await connect(t, release.url, { account: "bob" });
    const late = { appKey: "late", appSecret: "f".repeat(64) };
    const options = { app: late.appKey, account: "cat", secret: late.appSecret };
    await assert.rejects(connect(t, release.url, options));
    await release.upgrade({ ...VALUES, applications: [...APPLICATIONS, late] });
    const tookMs = await until("the new application is served", 1_000, async () => (await connect(t, release.url, options)).socket.readyState === 1);
    t.diagnostic(`${tookMs.toFixed(0)} ms after helm had ended`);
    assert.equal(client.socket.readyState, client.socket.OPEN);
    assert.equal((await oneServer()).metadata.uid, pod.metadata.uid);
  });

  it("is upgraded and rolled back, one healthy server after the other", { timeout: 4 * MINUTE_MS }, async (t) => {
    const first = await oneServer();
    const quick = { ...VALUES, drain: { preStopSeconds: 1, windowSeconds: 1 }, minReadySeconds: 1 };
    t.diagnostic(`upgrade: ${(await release.upgrade({ ...quick, server: { log: { level: "debug" } } })).toFixed(0)} ms`);
    const second = await oneServer();
    assert.notEqual(second.metadata.uid, first.metadata.uid);
    assert.match(await release.kubectl("get", "configmap", `${release.name}-config`, "-o", "yaml"), /"level": "debug"/);
    await release.helm("rollback", "1", "--wait", "--timeout", "120s");
    assert.doesNotMatch(await release.kubectl("get", "configmap", `${release.name}-config`, "-o", "yaml"), /"level": "debug"/);
    const third = await oneServer();
    assert.notEqual(third.metadata.uid, second.metadata.uid);
    const client = await connect(t, release.url, { account: "dan" });
    assert.equal(client.socket.readyState, client.socket.OPEN);
  });

  it("is uninstalled without a rest", { timeout: 2 * MINUTE_MS }, async () => {
    assert.deepEqual(await release.uninstall(), ["secret/foreign"]);
  });
});
