// Three servers over the chart's Redis: sockets and a push load live through an upgrade, an application comes without a restart, the API server may go away.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { awayMs, missedWhileConnected } from "../faults/harness/coming-and-going.ts";
import { bearableRate, startLoad } from "../faults/harness/load.ts";
import { startReceivers } from "../faults/harness/receivers.ts";
import { startResumers } from "../faults/harness/resumers.ts";
import { settle, until } from "../faults/harness/until.ts";
import { describeMs, describeVerdict, FAULTLESS, faultsOf, judge, percentile } from "../faults/harness/verdict.ts";
import { connect } from "../helpers/client.ts";
import { type Cluster, startCluster } from "./cluster.ts";
import { best, form } from "./form.ts";
import { redisImage, serverImage } from "./images.ts";
import { applicationsFile, installRelease, type Release, SMALL } from "./release.ts";

const MINUTE_MS = 60_000;
const SERVERS = 3;
/** Sockets of clients that only listen, and of clients that recover what they miss; the second get the pushes. */
const LISTENERS = form(900, 60);
const RESUMERS = form(100, 40);
const WINDOW_SECONDS = form(10, 4);
/** Times that an application is put into the Secret or taken out of it. */
const CHANGES = 40;
/** For a change of the Secret to count at every server, p99. */
const MOST_CHANGE_MS = 1_000;
const SECRET_NAME = "our-applications";
const VALUES = {
  replicaCount: SERVERS,
  applicationsExistingSecret: SECRET_NAME,
  exchange: { type: "redis" },
  store: { history: { messages: 1_000, seconds: 3_600 } },
  drain: { preStopSeconds: 2, windowSeconds: WINDOW_SECONDS },
  minReadySeconds: 2,
  // Three servers on one test machine.
  resources: SMALL,
};

const undo: (() => unknown)[] = [];
let cluster: Cluster;
let release: Release & { readonly installMs: number };

before(async () => {
  cluster = await startCluster({ after: (work) => undo.push(work) }, { images: [await serverImage(), await redisImage()] });
  release = await installRelease(cluster, "three", VALUES, { [SECRET_NAME]: applicationsFile() });
});
after(async () => {
  for (const work of undo.toReversed()) await work();
});

describe("three servers over the chart's Redis", () => {
  it("are installed, and pass helm test", { timeout: 2 * MINUTE_MS }, async (t) => {
    t.diagnostic(`helm install --wait: ${release.installMs.toFixed(0)} ms`);
    assert.equal((await release.pods()).length, SERVERS);
    assert.match(await release.helm("test", "--logs", "--timeout", "60s"), /Phase:\s+Succeeded/);
  });

  it("are replaced one after the other: nothing acknowledged is lost, no push is refused, closes are spread, clients are back within 5 s", {
    timeout: 5 * MINUTE_MS,
  }, async (t) => {
    const urls = () => [release.url];
    const listeners = await startReceivers(
      t,
      urls,
      Array.from({ length: LISTENERS }, (_, i) => `listener_${i}`),
    );
    const accounts = Array.from({ length: RESUMERS }, (_, i) => `resumer_${i}`);
    const resumers = await startResumers(t, { url: () => release.url, accounts });
    const load = startLoad(t, { urls, accounts, perSecond: await bearableRate(t, urls, form(300, 100)) });
    await until("pushes are answered", 30_000, () => load.acknowledged.length >= RESUMERS);
    const earlier = new Set((await release.pods()).map(({ metadata }) => metadata.uid));
    const tookMs = await release.upgrade({ ...VALUES, podAnnotations: { revision: "2" } });
    await until("the old servers are gone", MINUTE_MS, async () => {
      const pods = await cluster.api.list(`${release.path}/pods`);
      return !pods.some(({ metadata }) => earlier.has(metadata.uid));
    });
    await until("all clients are back", 10_000, () => listeners.connected === LISTENERS && resumers.connected === RESUMERS);
    await sleep(500);
    await load.stop();
    await settle(load.acknowledged, resumers.arrivals, MINUTE_MS);

    const verdict = judge(load.acknowledged, resumers.arrivals);
    const away = awayMs(listeners);
    t.diagnostic(`${tookMs.toFixed(0)} ms; ${describeVerdict(verdict)}; ${listeners.endings.length} sockets closed, away for ${describeMs(away)}`);
    assert.deepEqual(faultsOf(verdict), FAULTLESS);
    assert.deepEqual(resumers.gaps, []);
    const refused = load.answers.filter(({ status }) => status !== 200);
    assert.deepEqual(refused, [], "every push is answered ok at the first try");
    assert.ok(listeners.endings.length >= LISTENERS, "every old socket was closed");
    assert.deepEqual([...new Set(listeners.endings.map(({ code }) => code))], [1012]);
    assert.ok(Math.max(...away) < 5_000, describeMs(away));
    const perSecond = Map.groupBy(listeners.endings, ({ atMs }) => Math.floor(atMs / 1_000));
    const most = Math.max(...[...perSecond.values()].map((ended) => ended.length));
    t.diagnostic(`at most ${most} sockets closed within a second`);
    assert.ok(most < (listeners.endings.length / SERVERS / WINDOW_SECONDS) * 4, `${most} closes within a second`);
    assert.equal(missedWhileConnected(load, listeners), 0);
  });

  it("all follow the Secret within a second, with every socket as it was", { timeout: 3 * MINUTE_MS }, async (t) => {
    const pods = await release.pods();
    const addresses = await Promise.all(pods.map((pod) => release.open(pod)));
    const clients = await Promise.all(addresses.map((url, i) => connect(t, url, { account: `steady_${i}` })));
    const late = { appKey: "late", appSecret: "f".repeat(64) };
    const options = { app: late.appKey, account: "cat", secret: late.appSecret };
    const isServed = async (url: string) => {
      const found = await connect(t, url, options).catch(() => undefined);
      found?.socket.terminate();
      return found !== undefined;
    };
    const slowestMs = await best(MOST_CHANGE_MS, async () => {
      const tookMs: number[] = [];
      for (let round = 0; round < CHANGES; round++) {
        const added = round % 2 === 0;
        await cluster.api.patch(`${release.path}/secrets/${SECRET_NAME}`, { stringData: applicationsFile(added ? [late] : []) });
        const what = `round ${round}: the application is ${added ? "served" : "gone"}`;
        tookMs.push(...(await Promise.all(addresses.map((url) => until(what, 10_000, async () => (await isServed(url)) === added)))));
      }
      t.diagnostic(describeMs(tookMs));
      return percentile(tookMs, 0.99);
    });
    assert.ok(slowestMs < MOST_CHANGE_MS, `p99 ${slowestMs} ms`);
    for (const { socket } of clients) assert.equal(socket.readyState, socket.OPEN);
  });

  it("lets only as many be evicted as the budget allows", { timeout: 2 * MINUTE_MS }, async () => {
    const pods = await release.pods();
    const evict = (name: string) =>
      cluster.api.call("POST", `${release.path}/pods/${name}/eviction`, {
        apiVersion: "policy/v1",
        kind: "Eviction",
        metadata: { name, namespace: release.namespace },
      });
    await until("all servers are healthy", 30_000, async () => {
      const budget = await cluster.api.get<{ status: { disruptionsAllowed: number } }>(
        `/apis/policy/v1/namespaces/${release.namespace}/poddisruptionbudgets/${release.name}`,
      );
      return budget.status.disruptionsAllowed === 1;
    });
    const answers: number[] = [];
    for (const { metadata } of pods) answers.push((await evict(metadata.name)).status);
    assert.deepEqual(answers, [201, 429, 429]);
    await until("there is another in its place", 30_000, async () => {
      const left = await release.pods();
      return (
        left.length === SERVERS &&
        left.every(({ status }) => status.containerStatuses?.[0]?.ready === true) &&
        left.some(({ metadata }) => !pods.some((pod) => pod.metadata.uid === metadata.uid))
      );
    });
  });

  it("serve on while the API server is away", { timeout: 3 * MINUTE_MS }, async (t) => {
    const restarts = async () => (await release.pods()).map(({ status }) => status.containerStatuses?.[0]?.restartCount);
    const accounts = Array.from({ length: 20 }, (_, i) => `quiet_${i}`);
    const resumers = await startResumers(t, { url: () => release.url, accounts });
    const load = startLoad(t, { urls: () => [release.url], accounts, perSecond: 20 });
    await cluster.stopApiServer("SIGKILL");
    await sleep(form(60_000, 5_000));
    await cluster.startApiServer();
    await load.stop();
    await settle(load.acknowledged, resumers.arrivals, MINUTE_MS);
    assert.deepEqual(faultsOf(judge(load.acknowledged, resumers.arrivals)), FAULTLESS);
    assert.deepEqual(
      load.answers.filter(({ status }) => status !== 200),
      [],
    );
    assert.equal(resumers.changes.filter(({ state }) => state !== "connected" && state !== "connecting").length, 0);
    assert.deepEqual(
      await restarts(),
      Array.from({ length: SERVERS }, () => 0),
    );
  });

  it("are rolled back, and uninstalled without a rest", { timeout: 5 * MINUTE_MS }, async (t) => {
    const earlier = new Set((await release.pods()).map(({ metadata }) => metadata.uid));
    await release.helm("rollback", "1", "--wait", "--timeout", "150s");
    const pods = await release.pods();
    assert.deepEqual([pods.length, pods.filter(({ metadata }) => earlier.has(metadata.uid))], [SERVERS, []]);
    const client = await connect(t, release.url, { account: "dan" });
    assert.equal(client.socket.readyState, client.socket.OPEN);
    // The Secret is ours; the one with Redis's password is kept, for whoever installs again.
    assert.deepEqual(await release.uninstall(), ["secret/our-applications", "secret/three-xlvein-redis"]);
  });
});
